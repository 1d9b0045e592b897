/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Maps of a generation that judges requests, and the memory of one judgement. */
#ifndef WEFT_REQUEST_WORK_H
#define WEFT_REQUEST_WORK_H

#include "generation.h"
#include "http/head.h"
#include "request/node.h"

/* A slot is owned through `busy`: 1 of a CPU's own, 2 of those that all share. */
struct weft_request_work {
	__u64 busy;
	struct weft_judgement judgement;
	struct weft_cursor cursor;
	struct weft_request request;
};

WEFT_MAP(weft_names, BPF_MAP_TYPE_ARRAY, __u32, struct weft_names, 1);
WEFT_MAP(weft_replies, BPF_MAP_TYPE_ARRAY, __u32, struct weft_reply_bytes, 16);
/* A CPU's own: a task, and what interrupts it. */
WEFT_MAP(weft_requests, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct weft_request_work,
	 WEFT_REQUESTS_CPU);
/* Where the kernel has preempted more of them. */
WEFT_MAP(weft_more_requests, BPF_MAP_TYPE_ARRAY, __u32, struct weft_request_work,
	 WEFT_REQUESTS_MORE);

struct weft_taking {
	__u32 slot;
	__u32 taken;
};

static long weft_take_shared(__u32 index, struct weft_taking *taking)
{
	__u32 slot = (taking->slot + 1) % WEFT_REQUESTS_MORE;
	struct weft_request_work *work = bpf_map_lookup_elem(&weft_more_requests, &slot);

	taking->slot = slot;
	taking->taken = work && __sync_val_compare_and_swap(&work->busy, 0, 2) == 0;
	return taking->taken;
}

/* Not by the first task of a CPU: each looks somewhere else first. */
static __noinline struct weft_request_work *weft_take_more(void)
{
	struct weft_taking taking = { .slot = bpf_get_prandom_u32() };

	bpf_loop(WEFT_REQUESTS_MORE, weft_take_shared, &taking, 0);
	return taking.taken ? bpf_map_lookup_elem(&weft_more_requests, &taking.slot) : 0;
}

static __always_inline struct weft_request_work *weft_take_request(void)
{
	for (__u32 i = 0; i < WEFT_REQUESTS_CPU; i++) {
		__u32 slot = i;
		struct weft_request_work *work = bpf_map_lookup_elem(&weft_requests, &slot);

		if (work && __sync_val_compare_and_swap(&work->busy, 0, 1) == 0)
			return work;
	}
	return weft_take_more();
}

/*
 * A CPU sees its own writes in their order, so its own slots need no barrier, which would wait until
 * the other CPUs have heard of all that was written for the request.
 */
static __always_inline void weft_release_request(struct weft_request_work *work)
{
	if (work->busy == 1)
		*(volatile __u64 *)&work->busy = 0;
	else
		__sync_lock_test_and_set(&work->busy, 0);
}

#endif
