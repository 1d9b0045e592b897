/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Header lines that matter: those that a policy looks at, and those that frame the message.
 * weft_field returns 1 where one of them is refused.
 */
#ifndef WEFT_HTTP_FIELD_H
#define WEFT_HTTP_FIELD_H

#define WEFT_LENGTH_DIGITS 16

/* The entry of a number from 1. */
static __always_inline const struct weft_name_entry *weft_entry(const struct weft_names *names,
								__u64 number)
{
	number = (number - 1) & (WEFT_NAME_ENTRIES - 1);
#ifdef __bpf__
	asm volatile("" : "+r"(number)); /* for the verifiers of old kernels: see weft_word */
#endif
	return &names->entries[number];
}

/* The entry of a name from its hash, compared byte by byte; 0 where no one looks at it. */
static __always_inline __u32 weft_look_up(struct weft_scan *scan, __u64 hash, __u32 length)
{
	const struct weft_names *names = scan->names;
	__u32 found = names->buckets[hash >> 56];
	const struct weft_name_entry *entry;
	__u32 at = scan->cursor->start;

	if (!found)
		return 0;
	entry = weft_entry(names, found);
	if (entry->length != length || length > WEFT_NAME_MAX)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < WEFT_NAME_MAX / 8; i++) {
		__u64 word = (weft_word(scan->bytes, at + 8 * i) | WEFT_EACH(0x20)) ^ entry->words[i];

		if (length <= 8 * i + 8)
			return word << 8 * (8 * i + 8 - length & 7) ? 0 : found;
		if (word)
			return 0;
	}
	return 0;
}

/* What an inner loop goes over. */
static __always_inline void weft_between(struct weft_scan *scan, __u32 from, __u32 to)
{
	struct weft_inner *inner = &scan->cursor->inner;

	inner->from = from;
	inner->to = to;
	inner->low = inner->high = 0;
	inner->length = inner->gap = inner->found = 0;
}

static long weft_trim_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *trim = &scan->cursor->inner;
	__u32 byte;

	if (trim->to <= trim->from)
		return 1;
	byte = weft_byte(scan->bytes, trim->to - 1);
	if (byte != ' ' && (byte != '\t' || trim->gap))
		return 1;
	trim->to--;
	return 0;
}

/* Eight digits, first one lowest, to their number; *bad where one is none. */
static __always_inline __u64 weft_digits(__u64 word, int *bad)
{
	*bad |= ((word & WEFT_EACH(0xf0)) | ((word + WEFT_EACH(6)) & WEFT_EACH(0xf0)) >> 4) !=
		WEFT_EACH(0x33);
	word = (word & WEFT_EACH(0x0f)) * 2561 >> 8;
	word = (word & 0x00ff00ff00ff00ffull) * 6553601 >> 16;
	return (word & 0x0000ffff0000ffffull) * 42949672960001ull >> 32;
}

/* The last `length` (0 to 8) bytes before `end`, with the digit 0 before them. */
static __always_inline __u64 weft_last_digits(const __u8 *bytes, __u32 end, __u32 length)
{
	/* A value never starts before offset 8: the request line is longer. */
	__u64 word = weft_word(bytes, end - 8);

	if (length == 0)
		return WEFT_EACH('0');
	if (length < 8) {
		__u32 strange = 8 * (8 - length) & 63;

		word = (word >> strange << strange) | (WEFT_EACH('0') & ~(~0ull << strange));
	}
	return word;
}

static __always_inline int weft_content_length(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u32 length = to - from, low = length > 8 ? 8 : length;
	__u64 value;
	int bad = 0;

	if (scan->cursor->seen & WEFT_SEEN_LENGTH)
		return weft_refuse(scan, WEFT_HEAD_LENGTH_REPEATED, from);
	scan->cursor->seen |= WEFT_SEEN_LENGTH;
	if (!length)
		return weft_refuse(scan, WEFT_HEAD_LENGTH_INVALID, from);
	value = weft_digits(weft_last_digits(scan->bytes, to, low), &bad);
	if (length > 8) {
		__u32 high = length - 8 > 8 ? 8 : length - 8;

		value += 100000000 * weft_digits(weft_last_digits(scan->bytes, to - 8, high), &bad);
	}
	if (bad)
		return weft_refuse(scan, WEFT_HEAD_LENGTH_INVALID, from);
	if (length > WEFT_LENGTH_DIGITS)
		return weft_refuse(scan, WEFT_HEAD_LENGTH_OVERFLOW, from);
	scan->head->content_length = value;
	scan->head->flags |= WEFT_HEAD_LENGTH;
	return 0;
}

/* Only `chunked` is framed here: it may be the last of several codings, but then not alone. */
static __always_inline int weft_transfer_coding(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u64 last;

	if (scan->cursor->seen & WEFT_SEEN_CODING)
		return weft_refuse(scan, WEFT_HEAD_CODING_REPEATED, from);
	scan->cursor->seen |= WEFT_SEEN_CODING;
	last = (weft_word(scan->bytes, to - 7) | WEFT_EACH(0x20)) & ~0ull >> 8;
	if (to - from < 7 || last != 0x64656b6e756863ull)
		return weft_refuse(scan, WEFT_HEAD_CODING_NOT_LAST, from);
	if (to - from != 7)
		return weft_refuse(scan, WEFT_HEAD_CODING_UNKNOWN, from);
	scan->head->flags |= WEFT_HEAD_CHUNKED;
	return 0;
}

/* A list of tokens (Connection), read byte by byte: it is seldom more than one word. */
static __always_inline void weft_list_item(struct weft_inner *list)
{
	if (list->length == 5 && list->low == 0x65736f6c63ull)
		list->found |= WEFT_SEEN_SAYS_CLOSE;
	if (list->length == 7 && list->low == 0x65646172677075ull)
		list->found |= WEFT_SEEN_SAYS_UPGRADE;
	if (list->length == 10 && list->low == 0x696c612d7065656bull && list->high == 0x6576)
		list->found |= WEFT_SEEN_SAYS_KEEP_ALIVE;
	list->low = list->high = 0;
	list->length = list->gap = 0;
}

static long weft_list_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *list = &scan->cursor->inner;
	__u64 byte;

	if (list->from + index >= list->to) {
		weft_list_item(list);
		return 1;
	}
	byte = weft_byte(scan->bytes, list->from + index);
	if (byte == ',') {
		weft_list_item(list);
	} else if (byte == ' ' || byte == '\t') {
		list->gap = list->length;
	} else {
		__u32 length = list->length;

		if (list->gap) /* two words: no token */
			length = 64;
		byte |= 0x20;
		if (length < 8)
			list->low |= byte << (8 * length & 63);
		else if (length < 16)
			list->high |= byte << (8 * length & 63);
		list->length = length < 64 ? length + 1 : 64;
	}
	return 0;
}

static __always_inline void weft_connection_options(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u64 word = weft_word(scan->bytes, from) | WEFT_EACH(0x20);

	if (to - from == 10 && word == 0x696c612d7065656bull &&
	    ((weft_word(scan->bytes, from + 8) & 0xffff) | 0x2020) == 0x6576) {
		scan->cursor->seen |= WEFT_SEEN_SAYS_KEEP_ALIVE;
		return;
	}
	weft_between(scan, from, to);
	WEFT_LOOP(WEFT_HEAD_MAX, weft_list_step, scan);
	scan->cursor->seen |= scan->cursor->inner.found;
}

/* `100-continue`, whatever the case of its letters. */
static __always_inline int weft_is_continue(const __u8 *bytes, __u32 from, __u32 to)
{
	__u64 low = weft_word(bytes, from), high = weft_word(bytes, from + 8) & 0xffffffff;

	return to - from == 12 && (low | 0x2020202000000000ull) == 0x746e6f632d303031ull &&
	       (high | 0x20202020) == 0x65756e69;
}

/* Bytes that a host may have: reg-name, IP-literal, port (RFC 3986, 3.2.2). */
#define WEFT_HOST_BELOW 0x2fff7ff200000000ull /* ! $ % & ' ( ) * + , - . 0-9 : ; = */
#define WEFT_HOST_FROM 0x47fffffeaffffffeull /* A-Z [ ] _ a-z ~ */

/* A word at a time while bytes are usual, else one byte. */
static long weft_host_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *host = &scan->cursor->inner;
	__u32 at = host->from;
	__u64 word, mask;

	if (at >= host->to)
		return 1;
	word = weft_word(scan->bytes, at);
	mask = weft_unusual(word) & ~(weft_equal(word, '.') | weft_equal(word, ':'));
	if (!mask) {
		host->from = at + 8;
		return 0;
	}
	at += weft_first(mask);
	if (at >= host->to)
		return 1;
	if (!weft_in(weft_byte(scan->bytes, at), WEFT_HOST_BELOW, WEFT_HOST_FROM)) {
		host->found = at;
		return 1;
	}
	host->from = at + 1;
	return 0;
}

/* The offset of the first byte that no host has; 0 where there is none. */
static __always_inline __u32 weft_bad_host(struct weft_scan *scan, __u32 from, __u32 to)
{
	weft_between(scan, from, to);
	WEFT_LOOP(WEFT_HEAD_MAX, weft_host_step, scan);
	return scan->cursor->inner.found;
}

static __always_inline int weft_host_field(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u32 bad;

	if (scan->cursor->seen & WEFT_SEEN_HOST)
		return weft_refuse(scan, WEFT_HEAD_HOST_REPEATED, from);
	scan->cursor->seen |= WEFT_SEEN_HOST;
	bad = weft_bad_host(scan, from, to);
	if (bad)
		return weft_refuse(scan, WEFT_HEAD_HOST_CHARACTER, bad);
	scan->head->host = weft_view(from, to);
	return 0;
}

/* The line of scan->cursor->entry, whose value ends at `to`. */
static __always_inline int weft_field(struct weft_scan *scan, __u32 to)
{
	__u32 from = scan->cursor->value, last = weft_byte(scan->bytes, to - 1), slot;
	const struct weft_name_entry *entry;
	struct weft_head *head = scan->head;

	entry = weft_entry(scan->names, scan->cursor->entry);
	if (to > from && (last == ' ' || last == '\t')) {
		weft_between(scan, from, to);
		/* A tab after a length is white space to the standard, not to every server. */
		scan->cursor->inner.gap = entry->kind == WEFT_NAME_LENGTH;
		WEFT_LOOP(WEFT_HEAD_MAX, weft_trim_step, scan);
		to = scan->cursor->inner.to;
	}
	slot = entry->slot;
	if (slot) {
		slot = (slot - 1) & (WEFT_HEADER_SLOTS - 1);
		if (head->headers[slot])
			head->repeated |= 1 << slot;
		else
			head->headers[slot] = weft_view(from, to);
	}
	switch (entry->kind) {
	case WEFT_NAME_HOST:
		return weft_host_field(scan, from, to);
	case WEFT_NAME_LENGTH:
		return weft_content_length(scan, from, to);
	case WEFT_NAME_CODING:
		return weft_transfer_coding(scan, from, to);
	case WEFT_NAME_CONNECTION:
		weft_connection_options(scan, from, to);
		return 0;
	case WEFT_NAME_UPGRADE:
		scan->cursor->seen |= WEFT_SEEN_UPGRADE;
		return 0;
	case WEFT_NAME_EXPECT:
		if (weft_is_continue(scan->bytes, from, to))
			head->flags |= WEFT_HEAD_EXPECT;
		return 0;
	}
	return 0;
}

#endif
