/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The request line: `method SP target SP HTTP/1.x CR LF`, single spaces only. The method is taken
 * before the loop, since nearly every one fits one word; the target is scanned in steps.
 */
#ifndef WEFT_HTTP_REQUEST_LINE_H
#define WEFT_HTTP_REQUEST_LINE_H

#define WEFT_TARGET_WORDS_A_STEP 4

/* The method and the space after it. Returns 1 where the scan is over. */
static __always_inline int weft_scan_method(struct weft_scan *scan)
{
	__u32 at = 0;

#pragma unroll
	for (int i = 0; i < WEFT_METHOD_MAX / 8 + 1; i++) {
		__u64 word = weft_word(scan->bytes, at);
		__u64 mask = weft_token_end(word, ' ');

		if (mask) {
			__u32 first = weft_first(mask);
			__u8 byte = word >> 8 * first;

			at += first;
			if (at >= scan->cursor->have)
				return weft_incomplete(scan);
			if (at > WEFT_METHOD_MAX)
				break;
			if (byte != ' ' || !at)
				return weft_refuse(scan,
						   !at && (byte == '\r' || byte == '\n') ?
							   WEFT_HEAD_EMPTY_LINE :
							   WEFT_HEAD_METHOD,
						   at);
			word = weft_word(scan->bytes, 0);
			if (at == 7 && (word & ~0ull >> 8) == 0x5443454e4e4f43ull)
				scan->cursor->seen |= WEFT_SEEN_CONNECT;
			if (at == 7 && (word & ~0ull >> 8) == 0x534e4f4954504full)
				scan->cursor->seen |= WEFT_SEEN_OPTIONS;
			scan->head->method = weft_view(0, at);
			scan->cursor->at = scan->cursor->start = at + 1;
			scan->cursor->phase = WEFT_SCAN_TARGET;
			return 0;
		}
		at += 8;
		if (at > scan->cursor->have)
			return weft_incomplete(scan);
	}
	return weft_refuse(scan, WEFT_HEAD_METHOD_LONG, WEFT_METHOD_MAX);
}

/* What follows the target at `at`: ` HTTP/1.x` and the end of the line. */
static __always_inline int weft_scan_version(struct weft_scan *scan, __u32 at)
{
	__u64 word = weft_word(scan->bytes, at + 1), rest = word & ~0ull >> 8;
	__u32 digit = word >> 56, end = at + 9;

	if (at == scan->cursor->start)
		return weft_refuse(scan, WEFT_HEAD_TARGET_FORM, at);
	if (end + 2 > scan->cursor->have)
		return weft_incomplete(scan);
	if (rest != 0x2e312f50545448ull || digit > '1' || digit < '0') { /* HTTP/1. */
		word ^= 0x302e302f50545448ull; /* HTTP/0.0 */
		__u64 digits = word & 0xff00ff0000000000ull;

		/* A version that is well-formed, whatever its digits. */
		if (word == digits && (word >> 40 & 0xff) < 10 && (word >> 56) < 10)
			return weft_refuse(scan, WEFT_HEAD_VERSION_UNSUPPORTED, at + 1);
		return weft_refuse(scan, WEFT_HEAD_VERSION, at + 1);
	}
	rest = weft_word(scan->bytes, end);
	if ((rest & 0xffff) != 0x0a0d)
		return weft_refuse(scan,
				   (rest & 0xff) == '\r' ? WEFT_HEAD_BARE_CR :
				   (rest & 0xff) == '\n' ? WEFT_HEAD_BARE_LF :
							   WEFT_HEAD_VERSION,
				   end);
	scan->head->minor = digit - '0';
	scan->head->target = weft_view(scan->cursor->start, at);
	scan->cursor->at = end + 2;
	scan->cursor->phase = WEFT_SCAN_LINE;
	return 0;
}

static __always_inline int weft_scan_target(struct weft_scan *scan, __u32 at)
{
#pragma unroll
	for (int i = 0; i < WEFT_TARGET_WORDS_A_STEP; i++) {
		__u64 word = weft_word(scan->bytes, at), next = weft_word(scan->bytes, at + 1);
		__u64 low = word & ~WEFT_HIGH;
		__u64 end = weft_control(word, 0x21) | (word & WEFT_HIGH);
		__u64 inside = end ? weft_below(end) : ~0ull;
		__u64 mark = weft_equal(word, '?') & inside;
		__u64 odd = (WEFT_RANGE(low, '#', '%') & ~word & WEFT_HIGH) |
			    weft_equal(word, '\\') |
			    (weft_equal(word, '/') & weft_equal(next, '.'));

		if (odd & inside) {
			__u64 hash = weft_equal(word, '#') & inside;

			if (hash && at + weft_first(hash) < scan->cursor->have)
				return weft_refuse(scan, WEFT_HEAD_TARGET_FRAGMENT,
						   at + weft_first(hash));
			if (!scan->cursor->query && (odd & inside & (mark ? weft_below(mark) : ~0ull)))
				scan->cursor->seen |= WEFT_SEEN_UNCLEAN_PATH;
		}
		if (mark && !scan->cursor->query && at + weft_first(mark) < scan->cursor->have)
			scan->cursor->query = at + weft_first(mark);
		if (end) {
			at += weft_first(end);
			if (at >= scan->cursor->have)
				return weft_incomplete(scan);
			if (weft_byte(scan->bytes, at) == ' ')
				return weft_scan_version(scan, at);
			low = weft_byte(scan->bytes, at);
			return weft_refuse(scan,
					   low == '\r' || low == '\n' ? WEFT_HEAD_VERSION :
									WEFT_HEAD_TARGET_CHARACTER,
					   at);
		}
		at += 8;
	}
	return weft_go_on(scan, at, WEFT_SCAN_TARGET);
}

#endif
