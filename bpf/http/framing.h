/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Content-Length and Transfer-Encoding: where the body ends. Whatever two servers could read in two
 * ways is refused.
 */
#ifndef WEFT_HTTP_FRAMING_H
#define WEFT_HTTP_FRAMING_H

#define WEFT_LENGTH_DIGITS 16

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

#endif
