/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Requests whose head was parsed before: clients send the same ones again. What the parser makes of a
 * head hangs on its bytes and on the bundle's names alone, and a generation has maps of its own; so one
 * that is byte for byte as an earlier one has that one's parts. It is judged anew: only parsing is saved.
 *
 * Owned as the first slot of weft_requests is, so by one task of a CPU at a time.
 */
#ifndef WEFT_REQUEST_KNOWN_REQUEST_H
#define WEFT_REQUEST_KNOWN_REQUEST_H

#include "request/same.h"
#include "request/work.h"

#define WEFT_KNOWN_REQUESTS 8 /* heads that a CPU knows, by the length of what begins with one */

struct weft_known_request {
	struct weft_known_bytes bytes;
	struct weft_head head;
};

WEFT_MAP(weft_known_requests, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct weft_known_request,
	 WEFT_KNOWN_REQUESTS);

/* What is known of messages whose first piece has a length; 0 where `work` is not the first slot. */
static __always_inline struct weft_known_request *
weft_known_of(const struct weft_request_work *work, __u32 length)
{
	__u32 first = 0, index = length % WEFT_KNOWN_REQUESTS;

	if (bpf_map_lookup_elem(&weft_requests, &first) != work)
		return 0;
	return bpf_map_lookup_elem(&weft_known_requests, &index);
}

/* Have the `length` bytes in work->request a head that is known? Then it is taken for parsed. */
static __always_inline int weft_recognise(struct weft_request_work *work,
					  const struct weft_known_request *known, __u32 length)
{
	if (known->bytes.length > length ||
	    !weft_is_same_head((struct weft_window *)work->request.bytes, &known->bytes))
		return 0;
	work->request.head = known->head;
	return 1;
}

/* Keeps a head that was parsed, if it stands in work->request as it was sent. */
static __noinline int weft_learn_request(struct weft_known_request *known,
					 const struct weft_request_work *work)
{
	if (!known || !work)
		return 0;
	if (work->request.head.flags & WEFT_HEAD_NORMALISED ||
	    !weft_is_learned(&known->bytes, work->request.head.length))
		return 0;
	weft_keep_head(&known->bytes, (const struct weft_window *)work->request.bytes,
		       work->request.head.length);
	known->head = work->request.head;
	return 0;
}

#endif
