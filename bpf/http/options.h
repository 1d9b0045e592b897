/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connection and Expect: what the client asks of the connection and not of the resource.
 */
#ifndef WEFT_HTTP_OPTIONS_H
#define WEFT_HTTP_OPTIONS_H

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

#endif
