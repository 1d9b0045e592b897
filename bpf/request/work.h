/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Maps of a generation that judges requests, and the memory of one judgement. */
#ifndef WEFT_REQUEST_WORK_H
#define WEFT_REQUEST_WORK_H

#include "generation.h"
#include "http/head.h"
#include "request/node.h"

/* As struct weft_judgement: a slot is owned through `busy`. */
struct weft_request_work {
	__u64 busy;
	struct weft_judgement judgement;
	struct weft_cursor cursor;
	struct weft_request request;
};

WEFT_MAP(weft_names, BPF_MAP_TYPE_ARRAY, __u32, struct weft_names, 1);
WEFT_MAP(weft_replies, BPF_MAP_TYPE_ARRAY, __u32, struct weft_reply_bytes, 16);
WEFT_MAP(weft_requests, BPF_MAP_TYPE_ARRAY, __u32, struct weft_request_work, WEFT_REQUESTS_MAX);

struct weft_slot {
	__u32 at;
	__u32 taken;
};

static long weft_take_slot(__u32 index, struct weft_slot *slot)
{
	__u32 at = (slot->at + 1) % WEFT_REQUESTS_MAX;
	struct weft_request_work *work = bpf_map_lookup_elem(&weft_requests, &at);

	slot->at = at;
	slot->taken = work && __sync_val_compare_and_swap(&work->busy, 0, 1) == 0;
	return slot->taken;
}

/*
 * Mostly the first of the CPU's own. Where the kernel has preempted many senders on it, those of
 * other CPUs: only all of them together may be too few.
 */
static __noinline struct weft_request_work *weft_take_request(void)
{
	struct weft_slot slot = {};
	struct weft_request_work *work;

	slot.at = bpf_get_smp_processor_id() * WEFT_REQUESTS_CPU % WEFT_REQUESTS_MAX;
	work = bpf_map_lookup_elem(&weft_requests, &slot.at);
	if (!work || __sync_val_compare_and_swap(&work->busy, 0, 1) == 0)
		return work;
	bpf_loop(WEFT_REQUESTS_MAX - 1, weft_take_slot, &slot, 0);
	return slot.taken ? bpf_map_lookup_elem(&weft_requests, &slot.at) : 0;
}

static __always_inline void weft_release_request(struct weft_request_work *work)
{
	__sync_lock_test_and_set(&work->busy, 0);
}

#endif
