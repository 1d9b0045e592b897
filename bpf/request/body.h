/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Bodies in chunks that pass, unit by unit. */
#ifndef WEFT_REQUEST_BODY_H
#define WEFT_REQUEST_BODY_H

#include "request/grant.h"
#include "request/work.h"

/*
 * Lets a chunk pass as soon as its header was read, and of a header whatever has come: what was
 * read is the beginning of a good one. A bad one ends the connection: its request is under way.
 */
static __noinline int weft_pass_chunk(struct sk_msg_md *message, struct weft_http *http,
				      struct tcp_sock *socket, struct weft_request_work *work)
{
	__u64 have = message->data_end - message->data;
	__u32 read;
	int event;

	if (!have) {
		if (bpf_msg_pull_data(message, 0, message->size, 0))
			return SK_DROP;
		have = message->data_end - message->data;
	}
	if (have > WEFT_WINDOW_MAX)
		have = WEFT_WINDOW_MAX;
	asm volatile("" : "+r"(have));
	if (!have || have > WEFT_WINDOW_MAX ||
	    bpf_probe_read_kernel(work->request.bytes, have, message->data))
		return SK_DROP;
	event = weft_walk_chunk(work->request.bytes, have, &http->chunk);
	read = http->chunk.lines.at;
	if (event == WEFT_FRAME_REFUSED) {
		http->mode = WEFT_HTTP_DEAD;
		weft_count_reason(WEFT_REASON_PARSE, WEFT_DENY);
		return SK_DROP;
	}
	if (event == WEFT_FRAME_LAST)
		http->mode = WEFT_HTTP_HEAD;
	return weft_grant(message, http, socket, work, read,
			  event == WEFT_FRAME_CHUNK ? read + http->chunk.data : read);
}

#endif
