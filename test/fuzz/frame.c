// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libFuzzer target of the reply framer and the chunk walker: the headers that the kernel runs, with
 * AddressSanitizer. The first three bytes of an input say what was asked and how the rest is cut;
 * the rest is a stream. Beyond memory faults it checks what holds for every input: pieces do not
 * matter, nor do bytes of a window that have not arrived; nothing is taken that has not come; every
 * reply has its request; a chunked body ends where the walker says that it ends.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/reply.h"

#define CHECK(condition)         \
	do {                     \
		if (!(condition)) \
			abort(); \
	} while (0)
#define STOPS_MAX 64

/* A point at which a framer stopped. */
struct stop {
	size_t at;
	__u64 content_length;
	__u32 event, status, flags, head_length, done;
};

struct run {
	struct weft_asked asked;
	struct weft_reply reply;
	struct weft_chunk chunk;
	struct stop stops[STOPS_MAX];
	size_t stop_count;
	size_t at;
	__u8 *window;
	__u8 fill;
};

static void start(struct run *run, __u8 asked, __u8 fill)
{
	memset(run, 0, sizeof(*run));
	run->asked.kinds = 0x5107020401020304ull >> (asked & 31);
	run->asked.count = asked >> 5;
	run->fill = fill;
	/* Of its own, so that one byte too far is a fault. */
	run->window = malloc(WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK);
	CHECK(run->window);
}

static size_t look(struct run *run, const __u8 *data, size_t size)
{
	size_t have = size < WEFT_WINDOW_MAX ? size : WEFT_WINDOW_MAX;

	memset(run->window, run->fill, WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK);
	memcpy(run->window, data, have);
	return have;
}

static void note(struct run *run, int event)
{
	const struct weft_lines *lines = &run->reply.lines;
	struct stop *stop;

	CHECK(run->stop_count < STOPS_MAX);
	stop = &run->stops[run->stop_count++];
	memset(stop, 0, sizeof(*stop));
	stop->event = event;
	stop->done = run->reply.done;
	if (event == WEFT_FRAME_REFUSED) { /* how much was taken before it does not matter */
		stop->status = lines->reason;
		CHECK(lines->reason);
		return;
	}
	stop->at = run->at;
	stop->status = lines->status;
	stop->flags = lines->flags;
	stop->head_length = run->reply.head_length;
	stop->content_length = lines->content_length;
}

/* Frames a piece; 0 where the stream is over. */
static int give(struct run *run, const __u8 *data, size_t size)
{
	while (size) {
		size_t have = run->reply.left ? 0 : look(run, data, size);
		__u32 done = run->reply.done;
		int event = weft_frame_reply(run->window, have, size, &run->asked, &run->reply);
		size_t taken = run->reply.lines.at;

		CHECK(taken <= size);
		run->at += taken;
		data += taken;
		size -= taken;
		CHECK(run->reply.done - done <= 1 && run->reply.done <= run->asked.count);
		switch (event) {
		case WEFT_FRAME_MORE:
			CHECK(taken || !size);
			CHECK(run->reply.done == done);
			break;
		case WEFT_FRAME_DONE:
			CHECK(run->reply.done == done + 1 && !run->reply.left);
			CHECK(run->reply.lines.status >= 200);
			note(run, event);
			break;
		case WEFT_FRAME_TUNNELS:
		case WEFT_FRAME_CLOSES:
			note(run, event);
			CHECK(weft_frame_reply(run->window, 0, size, &run->asked, &run->reply) ==
			      event);
			CHECK(run->reply.lines.at == size);
			return 0;
		default:
			CHECK(event == WEFT_FRAME_REFUSED);
			note(run, event);
			return 0;
		}
	}
	return 1;
}

/* In pieces of 1 to `step` bytes. */
static void give_pieces(struct run *run, const __u8 *data, size_t size, size_t step)
{
	size_t at = 0, piece = 1;

	while (at < size) {
		piece = 1 + (piece * 7 + 3) % step;
		if (piece > size - at)
			piece = size - at;
		if (!give(run, data + at, piece))
			return;
		at += piece;
	}
}

static void check_same(const struct run *one, const struct run *other)
{
	CHECK(one->stop_count == other->stop_count);
	CHECK(memcmp(one->stops, other->stops, one->stop_count * sizeof(struct stop)) == 0);
}

/* A head that ended where it says has no byte and no line end that the rules exclude. */
static void check_heads(const struct run *run, const __u8 *data)
{
	size_t from = 0;

	for (size_t i = 0; i < run->stop_count; i++) {
		const struct stop *stop = &run->stops[i];
		size_t head;

		if (stop->event == WEFT_FRAME_REFUSED)
			return;
		CHECK(stop->flags & WEFT_REPLY_HEAD && stop->head_length >= 16);
		CHECK(from + stop->head_length <= stop->at);
		if (!(stop->flags & WEFT_REPLY_INTERIM)) {
			CHECK(memcmp(data + from, "HTTP/1.", 7) == 0);
			head = from + stop->head_length;
			CHECK(memcmp(data + head - 4, "\r\n\r\n", 4) == 0);
			for (size_t at = from; at < head; at++) {
				CHECK((data[at] >= ' ' && data[at] != 0x7f) || data[at] == '\t' ||
				      data[at] == '\r' || data[at] == '\n');
				CHECK(at + 1 == head || (data[at] == '\r') == (data[at + 1] == '\n'));
			}
			if ((stop->flags & (WEFT_REPLY_BODY | WEFT_REPLY_LENGTH)) ==
			    (WEFT_REPLY_BODY | WEFT_REPLY_LENGTH))
				CHECK(stop->at == head + stop->content_length);
		}
		from = stop->at;
	}
}

/* Walks a chunked body in pieces; its end, or 0 with what stopped it in *event. */
static size_t walk(struct run *run, const __u8 *data, size_t size, size_t step, int *event)
{
	size_t at = 0, unit = 0;

	while (at < size) {
		size_t piece = size - at < step ? size - at : step;

		*event = weft_walk_chunk(run->window, look(run, data + at, piece), &run->chunk);
		CHECK(run->chunk.lines.at <= piece);
		at += run->chunk.lines.at;
		switch (*event) {
		case WEFT_FRAME_MORE:
			CHECK(run->chunk.lines.at);
			break;
		case WEFT_FRAME_CHUNK:
			CHECK(run->chunk.length == at - unit);
			CHECK(run->chunk.data && run->chunk.data >> WEFT_CHUNK_DATA_BITS == 0);
			if (run->chunk.data > size - at) {
				*event = WEFT_FRAME_MORE;
				return 0;
			}
			at += run->chunk.data;
			unit = at;
			break;
		case WEFT_FRAME_LAST:
			CHECK(run->chunk.length == at - unit);
			CHECK(memcmp(data + at - 2, "\r\n", 2) == 0);
			return at;
		default:
			CHECK(*event == WEFT_FRAME_REFUSED && run->chunk.lines.reason);
			return 0;
		}
	}
	return 0;
}

static void check_body(const __u8 *data, size_t size, size_t step)
{
	static const char HEAD[] = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n";
	struct run whole, pieces, framed;
	int one = WEFT_FRAME_MORE, other = WEFT_FRAME_MORE;
	size_t end;

	start(&whole, 0x20, 0);
	start(&pieces, 0x20, '0');
	start(&framed, 0x20, 'a');
	framed.asked.kinds = 0;
	end = walk(&whole, data, size, size, &one);
	CHECK(end == walk(&pieces, data, size, step, &other) && one == other);
	CHECK(whole.chunk.lines.reason == pieces.chunk.lines.reason);
	CHECK(give(&framed, (const __u8 *)HEAD, sizeof(HEAD) - 1));
	give(&framed, data, end ? end : size);
	if (end) {
		CHECK(framed.stop_count == 1 && framed.stops[0].event == WEFT_FRAME_DONE);
		CHECK(framed.at == sizeof(HEAD) - 1 + end);
	} else if (one == WEFT_FRAME_REFUSED) {
		CHECK(framed.stop_count == 1 && framed.stops[0].event == WEFT_FRAME_REFUSED);
		CHECK(framed.reply.lines.reason == whole.chunk.lines.reason);
	} else {
		CHECK(framed.stop_count == 0);
	}
	free(whole.window);
	free(pieces.window);
	free(framed.window);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, pieces, bytes;
	size_t step;

	if (size < 3)
		return 0;
	step = 1 + data[1] + (data[2] & 3) * 256;
	start(&whole, data[0], 0);
	start(&pieces, data[0], '\r');
	start(&bytes, data[0], '\n');
	data += 3;
	size -= 3;
	give(&whole, data, size);
	give_pieces(&pieces, data, size, step);
	give_pieces(&bytes, data, size, 1);
	check_same(&whole, &pieces);
	check_same(&whole, &bytes);
	check_heads(&whole, data);
	check_body(data, size, step);
	free(whole.window);
	free(pieces.window);
	free(bytes.window);
	return 0;
}
