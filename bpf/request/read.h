/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Copies the head of a request out of a message and parses it. A message lies in pieces; the first
 * is readable as it is, and mostly holds the head.
 */
#ifndef WEFT_REQUEST_READ_H
#define WEFT_REQUEST_READ_H

#include "request/known-request.h"

/* Most heads are shorter; a body behind them is not worth copying. */
#define WEFT_FIRST_LOOK 1024
/* No status of a head: there was no memory to read it. */
#define WEFT_READ_FAILED 2

/* Parses the first `limit` bytes, as far as they are readable, where they are not known. */
static __noinline int weft_parse_some(struct sk_msg_md *message, struct weft_request_work *work,
				      __u32 limit)
{
	__u64 length = message->data_end - message->data;
	struct weft_known_request *known;
	struct weft_names *names;
	__u32 zero = 0;
	int status;

	if (length > limit)
		length = limit;
	asm volatile("" : "+r"(length));
	if (length > WEFT_HEAD_MAX)
		return WEFT_HEAD_INCOMPLETE;
	names = bpf_map_lookup_elem(&weft_names, &zero);
	if (!names || bpf_probe_read_kernel(work->request.bytes, length, message->data))
		return WEFT_HEAD_INCOMPLETE;
	known = weft_known_of(work, length);
	if (known && weft_recognise(work, known, length))
		return WEFT_HEAD_OK;
	status = weft_parse_head(work->request.bytes, length, names, &work->request.head,
				 &work->cursor);
	if (known && status == WEFT_HEAD_OK)
		weft_learn_request(known, work);
	return status;
}

/*
 * The status of the head that the message begins with. Of an incomplete one all is in one piece
 * afterwards: a message that is held back may have 17 pieces, and the kernel lets one pass that has
 * more (tcp_bpf_send_verdict, enospc). Pulled also where it is in one piece: where part of a message
 * was sent, the kernel would add the next send's bytes behind a gap (sg.copybreak), and pulling
 * says anew where they go (sk_msg_reset_curr).
 */
static __always_inline int weft_read(struct sk_msg_md *message, struct weft_request_work *work)
{
	__u32 size = message->size, wanted = size < WEFT_HEAD_MAX ? size : WEFT_HEAD_MAX;
	int status;

	work->cursor.phase = WEFT_SCAN_START;
	status = weft_parse_some(message, work, WEFT_FIRST_LOOK);
	if (status != WEFT_HEAD_INCOMPLETE)
		return status;
	if (bpf_msg_pull_data(message, 0, wanted, 0))
		return WEFT_READ_FAILED;
	return weft_parse_some(message, work, WEFT_HEAD_MAX);
}

#endif
