// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The head parser as a SCHED_CLS program, for tests and measurements: sk_msg has no
 * BPF_PROG_TEST_RUN. The head lies in a map, because a packet of test-run has a page at most.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "http/head.h"

struct weft_head_work {
	__u32 have;
	__u32 zero;
	struct weft_head head; /* out */
	struct weft_cursor cursor;
	__u8 bytes[WEFT_HEAD_MAX + WEFT_HEAD_SLACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_head_work);
} weft_head_works SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_names);
} weft_head_names SEC(".maps");

static __always_inline int test_head(int parse)
{
	__u32 key = 0;
	struct weft_head_work *work = bpf_map_lookup_elem(&weft_head_works, &key);
	struct weft_names *names = bpf_map_lookup_elem(&weft_head_names, &key);

	if (!work || !names)
		return -1;
	return parse ? weft_parse_head(work->bytes, work->have, names, &work->head,
				       &work->cursor) : 0;
}

SEC("tc") int weft_test_head(struct __sk_buff *skb)
{
	return test_head(1);
}

/* The same without the parser: what to subtract. */
SEC("tc") int weft_test_head_empty(struct __sk_buff *skb)
{
	return test_head(0);
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
