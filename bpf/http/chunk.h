/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The chunk walker: chunked bodies (RFC 9112, 7.1) unit by unit. A unit is the CR LF that ends the
 * chunk before it, a chunk header and the chunk's data; the last one has the trailers and their empty
 * line instead of data. So a unit's length is known once its header was read, and every byte is
 * checked but data.
 *
 * One source for BPF, WASM and native code, without helper calls. The walker is given what arrives
 * in windows, cut anywhere. Strict: test/differential/reply-stricter.md lists what is refused here
 * and accepted by llhttp.
 */
#ifndef WEFT_HTTP_CHUNK_H
#define WEFT_HTTP_CHUNK_H

#include "lines.h"

#define WEFT_CHUNK_DATA_BITS 53 /* what a double holds: every implementation's integers do */

/* It starts with zeros. */
struct weft_chunk {
	struct weft_lines lines; /* at, reason */
	__u64 data; /* bytes of data that follow the header */
	__u32 length; /* bytes of this unit before its data, up to here */
	__u32 zero;
};

static __always_inline void weft_chunk_begin(struct weft_lines *lines, __u32 at)
{
	lines->phase = WEFT_FRAME_SIZE;
	weft_lines_count_from(lines, at);
	weft_lines_token(lines);
}

/* A digit of the size, or what follows it: nothing else, and no blank (RFC 9112, 7.1). */
static __always_inline int weft_chunk_size(struct weft_lines *lines, __u32 byte)
{
	__u32 digit = weft_hex(byte);

	if (digit < 16) {
		if (lines->length >= WEFT_BODY_DIGITS)
			return weft_lines_refuse(lines, WEFT_FRAME_CHUNK_OVERFLOW);
		lines->low = lines->low << 4 | digit;
		lines->length++;
		return 0;
	}
	if (!lines->length || (byte != ';' && byte != '\r'))
		return weft_lines_refuse(lines, byte == '\n' ? WEFT_FRAME_BARE_LF :
							       WEFT_FRAME_CHUNK_SIZE);
	lines->phase = byte == ';' ? WEFT_FRAME_EXTENSION : WEFT_FRAME_SIZE_LF;
	return 0;
}

/* The end of a chunk header: WEFT_FRAME_CHUNK where its data follow. */
static __always_inline int weft_chunk_header_ends(struct weft_lines *lines)
{
	if (weft_lines_full(lines))
		return weft_lines_refuse(lines, WEFT_FRAME_ACCEPTED);
	if (lines->low >> WEFT_CHUNK_DATA_BITS)
		return weft_lines_refuse(lines, WEFT_FRAME_CHUNK_OVERFLOW);
	lines->at++;
	if (lines->low) {
		lines->phase = WEFT_FRAME_DATA_CR;
		lines->event = WEFT_FRAME_CHUNK;
		return WEFT_FRAME_CHUNK;
	}
	lines->phase = WEFT_FRAME_LINE;
	lines->seen |= WEFT_LINE_TRAILERS;
	weft_lines_count_from(lines, lines->at);
	return 0;
}

/*
 * A step in the phases of a chunk, with a byte to take: 0, 1 where it was refused, or the event that
 * stops: WEFT_FRAME_CHUNK with the data's length in `low`, or WEFT_FRAME_LAST.
 */
static __always_inline int weft_chunk_step(const __u8 *bytes, struct weft_lines *lines)
{
	__u32 phase = lines->phase, byte;
	int stop;

	if (phase >= WEFT_FRAME_LINE) {
		stop = weft_line_step(bytes, lines);
		if (stop != 2)
			return stop;
		lines->event = WEFT_FRAME_LAST;
		return WEFT_FRAME_LAST;
	}
	if (phase == WEFT_FRAME_EXTENSION && !weft_lines_pass(bytes, lines, lines->at))
		return 0;
	byte = weft_window_byte(bytes, lines->at);
	switch (phase) {
	case WEFT_FRAME_DATA_CR:
		if (byte != '\r')
			return weft_lines_refuse(lines, WEFT_FRAME_CHUNK_END);
		lines->phase = WEFT_FRAME_DATA_LF;
		break;
	case WEFT_FRAME_DATA_LF:
		if (byte != '\n')
			return weft_lines_refuse(lines, WEFT_FRAME_CHUNK_END);
		weft_chunk_begin(lines, lines->at + 1);
		break;
	case WEFT_FRAME_EXTENSION:
		if (byte == '\r')
			lines->phase = WEFT_FRAME_SIZE_LF;
		else if (byte != '\t' && (byte < ' ' || byte == 0x7f))
			return weft_lines_refuse(lines, byte == '\n' ? WEFT_FRAME_BARE_LF :
								       WEFT_FRAME_CHUNK_CONTROL);
		break;
	case WEFT_FRAME_SIZE_LF:
		if (byte != '\n')
			return weft_lines_refuse(lines, WEFT_FRAME_BARE_CR);
		return weft_chunk_header_ends(lines);
	default:
		if (weft_chunk_size(lines, byte))
			return 1;
	}
	lines->at++;
	return 0;
}

struct weft_chunk_scan {
	const __u8 *bytes;
	struct weft_chunk *chunk;
};

static __attribute__((unused)) long weft_chunk_walk_step(__u32 index, void *context)
{
	struct weft_chunk_scan *scan = context;
	struct weft_lines *lines = &scan->chunk->lines;

	if (lines->at >= lines->have)
		return weft_lines_more(lines);
	return weft_chunk_step(scan->bytes, lines) != 0;
}

/*
 * Reads on in the unit's head: `have` bytes of a window, the first that was not taken yet. Returns
 *   WEFT_FRAME_MORE     all was taken; call again with what follows;
 *   WEFT_FRAME_CHUNK    chunk->length bytes were the unit's head, chunk->data bytes follow; the next
 *                       call is given the bytes after them;
 *   WEFT_FRAME_LAST     the unit was the last one, chunk->length bytes: what follows is no body;
 *   WEFT_FRAME_REFUSED  chunk->lines.reason says why; the walker is of no more use.
 * chunk->lines.at is how many bytes of this window were taken. After WEFT_FRAME_LAST it can walk
 * another body.
 */
static __always_inline int weft_walk_chunk(const __u8 *bytes, __u32 have, struct weft_chunk *chunk)
{
	struct weft_chunk_scan scan = { .bytes = bytes, .chunk = chunk };
	struct weft_lines *lines = &chunk->lines;

	if (lines->phase == WEFT_FRAME_START) {
		__builtin_memset(chunk, 0, sizeof(*chunk));
		weft_chunk_begin(lines, 0);
	} else if (lines->phase == WEFT_FRAME_DATA_CR) {
		chunk->length = 0;
		chunk->data = 0;
	} else if (lines->phase == WEFT_FRAME_BROKEN) {
		return WEFT_FRAME_REFUSED;
	}
	lines->at = 0;
	lines->have = have < WEFT_WINDOW_MAX ? have : WEFT_WINDOW_MAX;
	lines->event = WEFT_FRAME_MORE;
	WEFT_LOOP(WEFT_WINDOW_STEPS, weft_chunk_walk_step, &scan);
	chunk->length += lines->at;
	lines->counted += lines->at;
	if (lines->event == WEFT_FRAME_CHUNK)
		chunk->data = lines->low;
	if (lines->event == WEFT_FRAME_LAST)
		lines->phase = WEFT_FRAME_START;
	return lines->event;
}

#endif
