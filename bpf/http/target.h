/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The forms of a request target (RFC 9112, 3.2), and the normalisation of its path: %-escapes of
 * unreserved characters decoded once, `\` to `/`, dot segments removed, never above the root;
 * `%00` is refused. Slashes are not merged, `%2F` and `%5C` stay. What follows `?` stays as it is.
 */
#ifndef WEFT_HTTP_TARGET_H
#define WEFT_HTTP_TARGET_H

/* - . 0-9 and A-Z _ a-z ~ (RFC 3986, 2.3) */
#define WEFT_UNRESERVED_BELOW 0x03ff600000000000ull
#define WEFT_UNRESERVED_FROM 0x47fffffe87fffffeull

/* Takes one character of the path, or steps back one character of what was written. */
static long weft_path_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *path = &scan->cursor->inner;
	__u32 byte, length;
	int ends = 0;

	if (path->back) {
		if (path->out <= path->root + 1 ||
		    weft_byte(scan->bytes, path->out - 1) == '/') {
			path->segment = path->out;
			path->back = 0;
		} else {
			path->out--;
		}
		return 0;
	}
	if (path->from > path->to)
		return 1;
	byte = weft_byte(scan->bytes, path->from);
	if (path->from == path->to) {
		ends = 1;
	} else if (byte == '\\' || byte == '/') {
		path->changed |= byte != '/';
		byte = '/';
		ends = 1;
	} else if (byte == '%' && path->from + 2 < path->to) {
		__u32 value = weft_hex(weft_byte(scan->bytes, path->from + 1));
		__u32 low = weft_hex(weft_byte(scan->bytes, path->from + 2));

		if (value < 16 && low < 16) {
			value = value << 4 | low;
			if (!value) {
				path->found = path->from;
				return 1;
			}
			if (weft_in(value, WEFT_UNRESERVED_BELOW, WEFT_UNRESERVED_FROM)) {
				byte = value;
				path->from += 2;
			}
		}
	}
	if (ends) {
		__u32 first = weft_byte(scan->bytes, path->segment);
		__u32 second = weft_byte(scan->bytes, path->segment + 1);

		length = path->out - path->segment;
		if (length == 1 && first == '.') {
			path->out = path->segment;
			path->from++;
			return 0;
		}
		if (length == 2 && first == '.' && second == '.') {
			path->out = path->segment;
			if (path->out > path->root + 1)
				path->out--;
			path->back = 1;
			path->from++;
			return 0;
		}
		if (path->from == path->to) {
			path->from++;
			return 1;
		}
		path->segment = path->out + 1;
	}
	weft_put(scan->bytes, path->out, byte);
	path->out++;
	path->from++;
	return 0;
}

/* Normalises from..to in place; the view of what it became, 0 where it was refused. */
static __always_inline __u32 weft_normalise(struct weft_scan *scan, __u32 from, __u32 to)
{
	struct weft_inner *path = &scan->cursor->inner;

	weft_between(scan, from + 1, to);
	path->root = from;
	path->out = path->segment = from + 1;
	path->back = path->changed = 0;
	/* Each character is taken once and stepped back over at most once. */
	WEFT_LOOP(2 * WEFT_HEAD_MAX + 2, weft_path_step, scan);
	if (path->found) {
		weft_refuse(scan, WEFT_HEAD_PATH_NUL, path->found);
		return 0;
	}
	if (path->changed || path->out != to)
		scan->head->flags |= WEFT_HEAD_NORMALISED;
	return weft_view(from, path->out);
}

static long weft_same_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *same = &scan->cursor->inner;
	__u32 one, other;

	if (index >= same->length)
		return 1;
	one = weft_byte(scan->bytes, same->from + index) | 0x20;
	other = weft_byte(scan->bytes, same->to + index) | 0x20;
	same->found = one != other;
	return one != other;
}

/* Are two hosts the same but for the case of letters? */
static __always_inline int weft_same_host(struct weft_scan *scan, __u32 one, __u32 other)
{
	if ((one & 0xffff) != (other & 0xffff))
		return 0;
	weft_between(scan, one >> 16, other >> 16);
	scan->cursor->inner.length = one & 0xffff;
	WEFT_LOOP(WEFT_HEAD_MAX, weft_same_step, scan);
	return !scan->cursor->inner.found;
}

/* `host:port` with a port of 1 to 5 digits. */
static __always_inline int weft_has_port(const __u8 *bytes, __u32 from, __u32 to)
{
#pragma unroll
	for (__u32 i = 1; i < 7; i++) {
		__u32 byte;

		if (to < from + 1 + i)
			return 0;
		byte = weft_byte(bytes, to - i);
		if (byte == ':')
			return i > 1;
		if (byte - '0' > 9)
			return 0;
	}
	return 0;
}

static __always_inline int weft_authority_form(struct weft_scan *scan, __u32 from, __u32 to)
{
	if (weft_bad_host(scan, from, to) || !weft_has_port(scan->bytes, from, to))
		return weft_refuse(scan, WEFT_HEAD_TARGET_FORM, from);
	scan->head->host = weft_view(from, to);
	return 0;
}

/* The offset of the path of `http://authority/path`; 0 where it was refused. */
static __always_inline __u32 weft_absolute_form(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u64 word = weft_word(scan->bytes, from), letters = word | 0x2020202020ull;
	__u32 start, stop, byte;

	if (to - from > 7 && (letters & ~0ull >> 8) == 0x2f2f3a70747468ull) { /* http:// */
		start = from + 7;
	} else if (to - from > 8 && letters == 0x2f2f3a7370747468ull) { /* https:// */
		start = from + 8;
	} else {
		weft_refuse(scan, WEFT_HEAD_TARGET_FORM, from);
		return 0;
	}
	stop = weft_bad_host(scan, start, to);
	if (!stop)
		stop = to;
	byte = weft_byte(scan->bytes, stop);
	if (stop == start || (stop < to && byte != '/' && byte != '?')) {
		weft_refuse(scan, WEFT_HEAD_TARGET_FORM, stop);
		return 0;
	}
	word = weft_view(start, stop);
	if ((scan->cursor->seen & WEFT_SEEN_HOST) && !weft_same_host(scan, word, scan->head->host)) {
		weft_refuse(scan, WEFT_HEAD_HOST_DIFFERS, start);
		return 0;
	}
	scan->head->host = word;
	return stop;
}

static __always_inline int weft_target_form(struct weft_scan *scan)
{
	struct weft_head *head = scan->head;
	__u32 from = scan->cursor->start, to, path, path_end;

	from = head->target >> 16;
	to = from + (head->target & 0xffff);
	if (scan->cursor->seen & WEFT_SEEN_CONNECT)
		return weft_authority_form(scan, from, to);
	path_end = scan->cursor->query ? scan->cursor->query : to;
	if (scan->cursor->query)
		head->query = weft_view(scan->cursor->query + 1, to);
	path = from;
	if (weft_byte(scan->bytes, from) != '/') {
		if ((scan->cursor->seen & WEFT_SEEN_OPTIONS) && to - from == 1 &&
		    weft_byte(scan->bytes, from) == '*') {
			head->path = head->target;
			return 0;
		}
		path = weft_absolute_form(scan, from, to);
		if (!path)
			return 1;
		if (path == path_end) { /* no path: the slash before the authority stands for it */
			path = (head->host >> 16) - 1;
			head->path = weft_view(path, path + 1);
			return 0;
		}
	}
	if (scan->cursor->seen & WEFT_SEEN_UNCLEAN_PATH)
		head->path = weft_normalise(scan, path, path_end);
	else
		head->path = weft_view(path, path_end);
	return 0;
}

/* What can only be said of a whole head. */
static __always_inline int weft_finish(struct weft_scan *scan)
{
	struct weft_head *head = scan->head;
	__u32 seen = scan->cursor->seen, end = head->length;

	if (head->minor == 1 && !(seen & WEFT_SEEN_HOST))
		return weft_refuse(scan, WEFT_HEAD_HOST_MISSING, end);
	if ((seen & WEFT_SEEN_LENGTH) && (seen & WEFT_SEEN_CODING))
		return weft_refuse(scan, WEFT_HEAD_LENGTH_WITH_CODING, end);
	if (head->minor == 0 && (seen & WEFT_SEEN_CODING))
		return weft_refuse(scan, WEFT_HEAD_CODING_VERSION, end);
	if (head->minor == 0)
		head->flags &= ~WEFT_HEAD_EXPECT;
	if (seen & WEFT_SEEN_SAYS_CLOSE)
		head->flags |= WEFT_HEAD_CLOSE;
	else if (head->minor == 1 || (seen & WEFT_SEEN_SAYS_KEEP_ALIVE))
		head->flags |= WEFT_HEAD_KEEP_ALIVE;
	if ((seen & WEFT_SEEN_CONNECT) ||
	    ((seen & WEFT_SEEN_UPGRADE) && (seen & WEFT_SEEN_SAYS_UPGRADE)))
		head->flags |= WEFT_HEAD_UPGRADE;
	return weft_target_form(scan);
}

#endif
