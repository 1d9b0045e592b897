/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Bodies of refused requests: nobody gets them, but where they end the next request begins. By
 * length, or in chunks, which are walked as those that pass.
 */
#ifndef WEFT_REQUEST_SINK_H
#define WEFT_REQUEST_SINK_H

#include "request/refuse.h"
#include "request/window.h"
#include "request/work.h"

#define WEFT_SINK_CHUNKS 65536 /* chunks, and windows of their headers, of one message */
/* Where a window is read to: what a refusal asks of its request's bytes stands before. */
#define WEFT_SINK_WINDOW 64
/* The length of a request whose body goes on behind the message, nobody knows how far. */
#define WEFT_SINK_ENDLESS ~0ull

struct weft_sink_walk {
	struct sk_msg_md *message;
	struct weft_chunk *chunk;
	__u8 *window;
	__u64 left; /* of the chunk's data */
	__u32 at;   /* bytes of the message that are known to be body */
	__u32 event;
};

static long weft_sink_step(__u32 index, struct weft_sink_walk *walk)
{
	struct sk_msg_md *message = walk->message;
	__u32 rest = message->size - walk->at, have;

	if (walk->left >= rest) {
		walk->left -= rest;
		walk->at += rest;
		return 1;
	}
	walk->at += walk->left;
	have = weft_window_of(rest - walk->left);
	walk->left = 0;
	walk->event = WEFT_FRAME_REFUSED;
	if (bpf_msg_pull_data(message, walk->at, walk->at + have, 0) ||
	    bpf_probe_read_kernel(walk->window, have, message->data))
		return 1;
	walk->event = weft_walk_chunk(walk->window, have, walk->chunk);
	if (walk->event == WEFT_FRAME_REFUSED)
		return 1;
	walk->at += walk->chunk->lines.at;
	if (walk->event == WEFT_FRAME_CHUNK)
		walk->left = walk->chunk->data;
	return walk->event == WEFT_FRAME_LAST;
}

/*
 * Walks a chunked body from byte `at` of the message on: the byte behind it, WEFT_SINK_ENDLESS where
 * it goes on behind the message, or 0 where a chunk is malformed, or there are too many. Global, so
 * that the verifier goes through it once.
 */
__noinline __u64 weft_walk_sink(struct sk_msg_md *message, struct weft_http *http,
				       struct weft_request_work *work, __u32 at)
{
	struct weft_sink_walk walk = { .message = message, .at = at };

	if (!http || !work)
		return 0;
	walk.chunk = &http->chunk;
	walk.window = work->request.bytes + WEFT_SINK_WINDOW;
	walk.left = http->left;
	walk.event = WEFT_FRAME_MORE;
	bpf_loop(WEFT_SINK_CHUNKS, weft_sink_step, &walk, 0);
	http->left = walk.left;
	if (walk.event == WEFT_FRAME_LAST)
		return walk.at;
	if (walk.event == WEFT_FRAME_REFUSED || walk.at < message->size) {
		http->left = 0;
		return 0;
	}
	return WEFT_SINK_ENDLESS;
}

/* The length of a chunked request that the message begins with; of a malformed one, of its head. */
static __always_inline __u64 weft_length_in_chunks(struct sk_msg_md *message,
						   struct weft_http *http,
						   struct weft_request_work *work)
{
	__u32 head = work->request.head.length;
	__u64 end;

	http->left = 0;
	http->chunk.lines.phase = WEFT_FRAME_START;
	end = weft_walk_sink(message, http, work, head);
	return end ? end : head;
}

/* Swallows `size` bytes, with which the body ends; -1: the message has more. */
static __always_inline int weft_sink_last(struct sk_msg_md *message, struct weft_http *http,
					  __u32 size)
{
	http->mode = WEFT_HTTP_HEAD;
	if (size == message->size)
		return weft_swallow(message, http);
	return bpf_msg_pop_data(message, 0, size, 0) ? SK_DROP : -1;
}

/* The rest of a refused body by length; -1: the message begins with what follows it. */
static __always_inline int weft_sink(struct sk_msg_md *message, struct weft_http *http)
{
	__u32 left = http->left;

	if (http->left > message->size) {
		http->left -= message->size;
		return weft_swallow(message, http);
	}
	http->left = 0;
	return weft_sink_last(message, http, left);
}

/*
 * The same of one in chunks. A malformed one ends the connection: where the next request begins,
 * nobody knows.
 */
static __always_inline int weft_sink_chunks(struct sk_msg_md *message, struct weft_http *http,
					    struct weft_request_work *work)
{
	__u64 end = weft_walk_sink(message, http, work, 0);

	if (end == WEFT_SINK_ENDLESS)
		return weft_swallow(message, http);
	if (end)
		return weft_sink_last(message, http, end);
	weft_count_reason(WEFT_REASON_PARSE, WEFT_DENY);
	return SK_DROP;
}

#endif
