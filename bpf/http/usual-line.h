/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The short cut of the line machine: a header line by words, where it is in its usual form. It
 * leaves what the machine would have left, or declines and leaves all as it was.
 */
#ifndef WEFT_HTTP_USUAL_LINE_H
#define WEFT_HTTP_USUAL_LINE_H

/* The field of a name of `length` usual bytes at `at`; the first test spares most lines the rest. */
static __always_inline __u32 weft_usual_field(const __u8 *bytes, __u32 at, __u32 length)
{
	__u64 first, second;

	if (length != 10 && length != 14 && length != 17)
		return WEFT_LINE_PLAIN;
	first = weft_window_word(bytes, at) | WEFT_EACH(0x20);
	second = weft_window_word(bytes, at + 8) | WEFT_EACH(0x20);
	if (length == 10)
		return first == 0x697463656e6e6f63ull && (second & 0xffff) == 0x6e6f ?
			       WEFT_LINE_CONNECTION :
			       WEFT_LINE_PLAIN;
	if (length == 14)
		return first == 0x2d746e65746e6f63ull && second << 16 == 0x6874676e656c0000ull ?
			       WEFT_LINE_LENGTH :
			       WEFT_LINE_PLAIN;
	return first == 0x726566736e617274ull && second == 0x6e69646f636e652dull &&
			       (weft_window_byte(bytes, at + 16) | 0x20) == 'g' ?
		       WEFT_LINE_CODING :
		       WEFT_LINE_PLAIN;
}

/*
 * A value that frames, in the one form that nearly every server sends; where it ends, else 0. Only
 * letters are compared without case: a carriage return would become the hyphen of keep-alive.
 */
static __always_inline __u32 weft_usual_framing(const __u8 *bytes, struct weft_lines *lines,
						__u32 field, __u32 at)
{
	__u64 word = weft_window_word(bytes, at), letters = word | WEFT_EACH(0x20);
	__u32 seen;

	if (field == WEFT_LINE_CONNECTION) {
		if ((letters & ~0ull >> 24) == 0x65736f6c63ull) {
			seen = WEFT_LINE_SAYS_CLOSE;
			at += 5;
		} else if ((word | 0x2020200020202020ull) == 0x696c612d7065656bull &&
			   (weft_window_byte(bytes, at + 8) | 0x20) == 'v' &&
			   (weft_window_byte(bytes, at + 9) | 0x20) == 'e') {
			seen = WEFT_LINE_SAYS_KEEP_ALIVE;
			at += 10;
		} else {
			return 0;
		}
	} else if (field == WEFT_LINE_CODING) {
		if ((letters & ~0ull >> 8) != 0x64656b6e756863ull)
			return 0;
		seen = WEFT_LINE_HAS_CODING;
		at += 7;
	} else {
		__u64 low = word & ~WEFT_HIGH;
		__u64 mask = (~WEFT_RANGE(low, '0', '9') | word) & WEFT_HIGH;
		__u32 digits;
		int bad = 0;

		if (!mask)
			return 0;
		digits = weft_first(mask);
		if (!digits)
			return 0;
		seen = WEFT_LINE_HAS_LENGTH;
		at += digits;
		/* The digits to the end of the word, zeros before them. */
		word = word << (8 * (8 - digits) & 63) | WEFT_EACH('0') >> 8 * digits;
		word = weft_digits(word, &bad);
		if (at + 1 < lines->have && (weft_window_word(bytes, at) & 0xffff) == 0x0a0d)
			lines->content_length = word;
	}
	if (at + 1 >= lines->have || (weft_window_word(bytes, at) & 0xffff) != 0x0a0d)
		return 0;
	lines->seen |= seen;
	return at + 2;
}

/* At the start of a line: 1 where something was taken. */
static __always_inline int weft_usual_line(const __u8 *bytes, struct weft_lines *lines)
{
	__u32 start = lines->at, at = start, field;
	__u64 word, mask;

#pragma unroll
	for (int i = 0; i < WEFT_LINE_NAME_WORDS; i++) {
		word = weft_window_word(bytes, at);
		mask = weft_unusual(word);
		if (mask) {
			at += weft_first(mask);
			goto name_ends;
		}
		at += 8;
	}
	return 0;
name_ends:
	if (at + 1 >= lines->have || at == start)
		return 0;
	word = weft_window_word(bytes, at);
	if ((__u8)word != ':')
		return 0;
	field = weft_usual_field(bytes, start, at - start);
	at++;
	word >>= 8;
	if ((__u8)word == ' ') {
		at++;
		word >>= 8;
	}
	if ((__u8)word == ' ' || (__u8)word == '\t')
		return 0;
	if (field != WEFT_LINE_PLAIN) {
		if (lines->seen & WEFT_LINE_TRAILERS)
			return 0;
		if (field != WEFT_LINE_CONNECTION &&
		    lines->seen & (WEFT_LINE_HAS_LENGTH | WEFT_LINE_HAS_CODING))
			return 0;
		at = weft_usual_framing(bytes, lines, field, at);
		if (!at)
			return 0;
		lines->at = at;
		return 1;
	}
	lines->field = WEFT_LINE_PLAIN;
	lines->phase = WEFT_FRAME_VALUE;
	if (weft_lines_pass(bytes, lines, at)) {
		at = lines->at;
		if (at + 1 < lines->have && (weft_window_word(bytes, at) & 0xffff) == 0x0a0d) {
			lines->at = at + 2;
			lines->phase = WEFT_FRAME_LINE;
		}
	}
	return 1;
}

#endif
