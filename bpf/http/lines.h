/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Header and trailer lines that come in windows of a stream, cut anywhere: a machine that takes a
 * byte a step and keeps what it knows in struct weft_lines, and beside it a short cut by words for a
 * line that lies in the window whole and in its usual form. The short cut takes or declines; what is
 * refused, the machine refuses.
 *
 * A window is WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK bytes of which the first `have` count. In BPF
 * windows and structs lie in values of maps: of a value that was stored there the verifier knows
 * nothing, so a step is verified once.
 */
#ifndef WEFT_HTTP_LINES_H
#define WEFT_HTTP_LINES_H

#include "word.h"

#define WEFT_WINDOW_MAX 1024 /* a power of two: offsets are masked with it */
#define WEFT_WINDOW_SLACK 8
#define WEFT_REPLY_HEAD_MAX 65536
#define WEFT_CHUNK_HEADER_MAX 256
#define WEFT_TRAILERS_MAX 8192
#define WEFT_BODY_DIGITS 16
/* Each step takes a byte, but for one before a value and one after a body. */
#define WEFT_WINDOW_STEPS (2 * WEFT_WINDOW_MAX + 16)

#define WEFT_LINE_NAME_WORDS 3
#define WEFT_LINE_VALUE_WORDS 8

/* What comes next in the stream. The order matters: chunk headers, then lines. */
enum weft_frame_phase {
	WEFT_FRAME_START, /* a status line, or the header of the first chunk */
	WEFT_FRAME_STATUS, /* the rest of the status line */
	WEFT_FRAME_BODY,
	WEFT_FRAME_DATA, /* of a chunk */
	WEFT_FRAME_DATA_CR, /* after it */
	WEFT_FRAME_DATA_LF,
	WEFT_FRAME_TUNNEL,
	WEFT_FRAME_UNTIL_CLOSE,
	WEFT_FRAME_CLOSED, /* nothing may come */
	WEFT_FRAME_BROKEN,
	WEFT_FRAME_SIZE, /* of a chunk */
	WEFT_FRAME_EXTENSION,
	WEFT_FRAME_SIZE_LF,
	WEFT_FRAME_LINE, /* a line, or the empty one */
	WEFT_FRAME_NAME,
	WEFT_FRAME_SPACE, /* before the value */
	WEFT_FRAME_VALUE,
	WEFT_FRAME_VALUE_LF,
	WEFT_FRAME_END_LF /* of the empty line */
};

/* What stopped the machine. */
enum weft_frame_event {
	WEFT_FRAME_MORE = 0, /* all was taken that can be: it goes on with what follows */
	WEFT_FRAME_DONE = 1, /* a final reply ended */
	WEFT_FRAME_TUNNELS = 2, /* what follows is no HTTP */
	WEFT_FRAME_CLOSES = 3, /* what follows is body until the connection ends */
	WEFT_FRAME_REFUSED = 4,
	WEFT_FRAME_CHUNK = 5, /* a chunk's data follow */
	WEFT_FRAME_LAST = 6, /* the last chunk ended, trailers included */
};

/* Which rule refused. */
enum weft_frame_reason {
	WEFT_FRAME_ACCEPTED = 0,
	WEFT_FRAME_HEAD_LARGE = 1,
	WEFT_FRAME_UNASKED = 2, /* bytes while no request waits for a reply */
	WEFT_FRAME_AFTER_CLOSE = 3, /* bytes after the last reply that the connection can have */
	WEFT_FRAME_STATUS_LINE = 4,
	WEFT_FRAME_SWITCH_UNASKED = 5, /* 101 without Upgrade */
	WEFT_FRAME_BARE_CR = 6,
	WEFT_FRAME_BARE_LF = 7,
	WEFT_FRAME_FOLD = 8, /* a line that starts with white space */
	WEFT_FRAME_NAME_EMPTY = 9,
	WEFT_FRAME_NAME_SPACE = 10, /* before the colon */
	WEFT_FRAME_NAME_CHARACTER = 11,
	WEFT_FRAME_NO_COLON = 12,
	WEFT_FRAME_VALUE_CONTROL = 13,
	WEFT_FRAME_LENGTH_REPEATED = 14,
	WEFT_FRAME_LENGTH_INVALID = 15,
	WEFT_FRAME_LENGTH_OVERFLOW = 16, /* more than 16 digits */
	WEFT_FRAME_LENGTH_WITH_CODING = 17,
	WEFT_FRAME_CODING_REPEATED = 18,
	WEFT_FRAME_CODING_UNKNOWN = 19, /* anything but `chunked` alone */
	WEFT_FRAME_CODING_VERSION = 20, /* in HTTP/1.0 */
	WEFT_FRAME_CHUNK_SIZE = 21,
	WEFT_FRAME_CHUNK_OVERFLOW = 22, /* more than 16 digits, or 2^53 and more */
	WEFT_FRAME_CHUNK_CONTROL = 23, /* in an extension */
	WEFT_FRAME_CHUNK_LARGE = 24, /* the header of a chunk */
	WEFT_FRAME_CHUNK_END = 25, /* no CR LF after its data */
	WEFT_FRAME_TRAILERS_LARGE = 26,
	WEFT_FRAME_TRAILER_FRAMING = 27, /* Content-Length or Transfer-Encoding */
};

/* Which line it is. */
enum weft_line_field {
	WEFT_LINE_PLAIN,
	WEFT_LINE_LENGTH,
	WEFT_LINE_CODING,
	WEFT_LINE_CONNECTION
};

enum weft_line_seen {
	WEFT_LINE_HAS_LENGTH = 1,
	WEFT_LINE_HAS_CODING = 2,
	WEFT_LINE_SAYS_CLOSE = 4,
	WEFT_LINE_SAYS_KEEP_ALIVE = 8,
	WEFT_LINE_MINOR = 16, /* HTTP/1.1 */
	WEFT_LINE_TRAILERS = 32, /* the lines are trailers */
};

/* Where the machine stands between two windows; it starts with zeros. */
struct weft_lines {
	__u64 low; /* the first 16 bytes of a token in lower case, or the number that is read */
	__u64 high;
	__u64 content_length;
	__u32 at; /* bytes taken of the stream in this call */
	__u32 have;
	__u32 counted; /* with `at`: bytes of the head, chunk header or trailers up to here */
	__u8 phase;
	__u8 field;
	__u8 length; /* of the token or the number */
	__u8 gap; /* white space after it; in a name its 17th byte */
	__u8 event;
	__u8 reason;
	__u16 seen;
	__u16 status; /* of the reply */
	__u16 flags;
};

static __always_inline __u64 weft_window_word(const __u8 *bytes, __u64 at)
{
	return weft_load(bytes, at, WEFT_WINDOW_MAX);
}

static __always_inline __u32 weft_window_byte(const __u8 *bytes, __u64 at)
{
	return weft_load_byte(bytes, at, WEFT_WINDOW_MAX);
}

/* What is being read starts at `at`. */
static __always_inline void weft_lines_count_from(struct weft_lines *lines, __u32 at)
{
	lines->counted = -at;
}

/* May what is being read have one more byte? Else the reason of the refusal. */
static __always_inline __u32 weft_lines_full(const struct weft_lines *lines)
{
	__u32 size = lines->counted + lines->at;

	if (lines->phase < WEFT_FRAME_SIZE && lines->phase > WEFT_FRAME_STATUS)
		return 0;
	if (lines->phase < WEFT_FRAME_LINE && lines->phase > WEFT_FRAME_STATUS)
		return size >= WEFT_CHUNK_HEADER_MAX ? WEFT_FRAME_CHUNK_LARGE : 0;
	if (lines->seen & WEFT_LINE_TRAILERS)
		return size >= WEFT_TRAILERS_MAX ? WEFT_FRAME_TRAILERS_LARGE : 0;
	return size >= WEFT_REPLY_HEAD_MAX ? WEFT_FRAME_HEAD_LARGE : 0;
}

/* Refuses the byte at `at`: for its size where it is beyond the limit, however windows were cut. */
static __always_inline int weft_lines_refuse(struct weft_lines *lines, __u32 reason)
{
	__u32 full = weft_lines_full(lines);

	lines->reason = full ? full : reason;
	lines->event = WEFT_FRAME_REFUSED;
	lines->phase = WEFT_FRAME_BROKEN;
	return 1;
}

/* The window ends. */
static __always_inline int weft_lines_more(struct weft_lines *lines)
{
	__u32 full = weft_lines_full(lines);

	if (full)
		return weft_lines_refuse(lines, full);
	lines->event = WEFT_FRAME_MORE;
	return 1;
}

static __always_inline void weft_lines_token(struct weft_lines *lines)
{
	lines->low = lines->high = 0;
	lines->length = lines->gap = 0;
}

/* One more byte of a token. */
static __always_inline void weft_lines_append(struct weft_lines *lines, __u64 byte)
{
	__u32 length = lines->length;

	byte |= 0x20;
	if (length < 8)
		lines->low |= byte << (8 * length & 63);
	else if (length < 16)
		lines->high |= byte << (8 * length & 63);
	if (length < 64)
		lines->length = length + 1;
}

/* tchar (RFC 9110, 5.6.2) */
#define WEFT_TOKEN_BELOW 0x03ff6cfa00000000ull
#define WEFT_TOKEN_FROM 0x57ffffffc7fffffeull

/* The colon after a name. */
static __always_inline int weft_line_named(struct weft_lines *lines)
{
	__u32 length = lines->length, field = WEFT_LINE_PLAIN;

	if (length == 14 && lines->low == 0x2d746e65746e6f63ull && lines->high == 0x6874676e656c)
		field = WEFT_LINE_LENGTH; /* content-length */
	else if (length == 17 && lines->low == 0x726566736e617274ull &&
		 lines->high == 0x6e69646f636e652dull && lines->gap == 'g')
		field = WEFT_LINE_CODING; /* transfer-encoding */
	else if (length == 10 && lines->low == 0x697463656e6e6f63ull && lines->high == 0x6e6f)
		field = WEFT_LINE_CONNECTION;
	if (lines->seen & WEFT_LINE_TRAILERS) { /* RFC 9110, 6.5.1 */
		if (field == WEFT_LINE_LENGTH || field == WEFT_LINE_CODING)
			return weft_lines_refuse(lines, WEFT_FRAME_TRAILER_FRAMING);
		field = WEFT_LINE_PLAIN;
	}
	if (field == WEFT_LINE_LENGTH || field == WEFT_LINE_CODING) {
		__u32 bit = field == WEFT_LINE_LENGTH ? WEFT_LINE_HAS_LENGTH : WEFT_LINE_HAS_CODING;

		if (lines->seen & bit)
			return weft_lines_refuse(lines, bit == WEFT_LINE_HAS_LENGTH ?
								WEFT_FRAME_LENGTH_REPEATED :
								WEFT_FRAME_CODING_REPEATED);
		if (lines->seen & (WEFT_LINE_HAS_LENGTH | WEFT_LINE_HAS_CODING))
			return weft_lines_refuse(lines, WEFT_FRAME_LENGTH_WITH_CODING);
		lines->seen |= bit;
	}
	lines->field = field;
	lines->phase = WEFT_FRAME_SPACE;
	weft_lines_token(lines);
	return 0;
}

static __always_inline int weft_line_name(struct weft_lines *lines, __u32 byte)
{
	if (weft_in(byte, WEFT_TOKEN_BELOW, WEFT_TOKEN_FROM)) {
		if (lines->length == 16)
			lines->gap = byte | 0x20;
		weft_lines_append(lines, byte);
		return 0;
	}
	if (byte == ':')
		return lines->length ? weft_line_named(lines) :
				       weft_lines_refuse(lines, WEFT_FRAME_NAME_EMPTY);
	if (byte == '\r' || byte == '\n')
		return weft_lines_refuse(lines, WEFT_FRAME_NO_COLON);
	return weft_lines_refuse(lines, byte == ' ' || byte == '\t' ? WEFT_FRAME_NAME_SPACE :
								     WEFT_FRAME_NAME_CHARACTER);
}

/* An item of Connection ends (RFC 9110, 7.6.1). */
static __always_inline void weft_line_option(struct weft_lines *lines)
{
	if (lines->length == 5 && lines->low == 0x65736f6c63ull) /* close */
		lines->seen |= WEFT_LINE_SAYS_CLOSE;
	if (lines->length == 10 && lines->low == 0x696c612d7065656bull && lines->high == 0x6576)
		lines->seen |= WEFT_LINE_SAYS_KEEP_ALIVE; /* keep-alive */
	weft_lines_token(lines);
}

/* A byte of a value that frames. */
static __always_inline int weft_line_framing(struct weft_lines *lines, __u32 byte)
{
	/* A tab after a length or a coding is white space to the standard, not to every client. */
	int blank = byte == ' ' || (byte == '\t' && lines->field == WEFT_LINE_CONNECTION);

	if (lines->field == WEFT_LINE_LENGTH) {
		if (blank) {
			lines->gap = 1;
			return 0;
		}
		if (lines->gap || byte - '0' > 9)
			return weft_lines_refuse(lines, WEFT_FRAME_LENGTH_INVALID);
		if (lines->length >= WEFT_BODY_DIGITS)
			return weft_lines_refuse(lines, WEFT_FRAME_LENGTH_OVERFLOW);
		lines->length++;
		lines->low = lines->low * 10 + (byte - '0');
		return 0;
	}
	if (lines->field == WEFT_LINE_CONNECTION && byte == ',') {
		weft_line_option(lines);
	} else if (blank) {
		lines->gap = lines->length;
	} else {
		if (lines->gap) /* two words: no token */
			lines->length = 64;
		weft_lines_append(lines, byte);
	}
	return 0;
}

/* The carriage return after a value. */
static __always_inline int weft_line_ends(struct weft_lines *lines)
{
	if (lines->field == WEFT_LINE_LENGTH) {
		if (!lines->length)
			return weft_lines_refuse(lines, WEFT_FRAME_LENGTH_INVALID);
		lines->content_length = lines->low;
	}
	if (lines->field == WEFT_LINE_CODING &&
	    (lines->length != 7 || lines->low != 0x64656b6e756863ull)) /* chunked */
		return weft_lines_refuse(lines, WEFT_FRAME_CODING_UNKNOWN);
	if (lines->field == WEFT_LINE_CONNECTION)
		weft_line_option(lines);
	lines->phase = WEFT_FRAME_VALUE_LF;
	return 0;
}

/* One byte of a line. */
static __always_inline int weft_line_byte(struct weft_lines *lines, __u32 byte)
{
	__u32 phase = lines->phase;

	if (phase == WEFT_FRAME_LINE) {
		if (byte == '\r') {
			lines->phase = WEFT_FRAME_END_LF;
			return 0;
		}
		if (byte == ' ' || byte == '\t' || byte == '\n')
			return weft_lines_refuse(lines, byte == '\n' ? WEFT_FRAME_BARE_LF :
								       WEFT_FRAME_FOLD);
		weft_lines_token(lines);
		lines->phase = phase = WEFT_FRAME_NAME;
	}
	if (phase == WEFT_FRAME_NAME)
		return weft_line_name(lines, byte);
	if (phase == WEFT_FRAME_VALUE_LF) {
		lines->phase = WEFT_FRAME_LINE;
		return byte == '\n' ? 0 : weft_lines_refuse(lines, WEFT_FRAME_BARE_CR);
	}
	if (phase == WEFT_FRAME_SPACE) {
		if (byte == ' ' || byte == '\t')
			return 0;
		lines->phase = WEFT_FRAME_VALUE;
	}
	if (byte == '\r')
		return weft_line_ends(lines);
	if ((byte < ' ' && byte != '\t') || byte == 0x7f)
		return weft_lines_refuse(lines, byte == '\n' ? WEFT_FRAME_BARE_LF :
							       WEFT_FRAME_VALUE_CONTROL);
	return lines->field == WEFT_LINE_PLAIN ? 0 : weft_line_framing(lines, byte);
}

/* Goes over bytes that no rule looks at; 1 where one was met that the machine has to see. */
static __always_inline int weft_lines_pass(const __u8 *bytes, struct weft_lines *lines, __u32 at)
{
#pragma unroll
	for (int i = 0; i < WEFT_LINE_VALUE_WORDS; i++) {
		__u64 mask = weft_control(weft_window_word(bytes, at), 0x20);

		if (mask) {
			at += weft_first(mask);
			lines->at = at < lines->have ? at : lines->have;
			return at < lines->have;
		}
		at += 8;
	}
	lines->at = at < lines->have ? at : lines->have;
	return 0;
}

#include "usual-line.h"

/* A step in the phases of a line: 1 where it was refused, 2 after the empty line. */
static __always_inline int weft_line_step(const __u8 *bytes, struct weft_lines *lines)
{
	__u32 byte;
	int stop;

	if (lines->phase == WEFT_FRAME_LINE && weft_usual_line(bytes, lines))
		return 0;
	if (lines->phase == WEFT_FRAME_VALUE && lines->field == WEFT_LINE_PLAIN &&
	    !weft_lines_pass(bytes, lines, lines->at))
		return 0;
	byte = weft_window_byte(bytes, lines->at);
	if (lines->phase == WEFT_FRAME_END_LF) {
		if (byte != '\n')
			return weft_lines_refuse(lines, WEFT_FRAME_BARE_CR);
		if (weft_lines_full(lines))
			return weft_lines_refuse(lines, WEFT_FRAME_ACCEPTED);
		lines->at++;
		return 2;
	}
	stop = weft_line_byte(lines, byte);
	if (!stop)
		lines->at++;
	return stop;
}

#endif
