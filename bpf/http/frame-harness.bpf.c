// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The reply framer and the chunk walker as SCHED_CLS programs, for tests and measurements: sk_skb
 * and sk_msg have no BPF_PROG_TEST_RUN.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "http/reply.h"

struct weft_frame_work {
	__u32 have;
	__u32 stream;
	struct weft_asked asked;
	struct weft_reply reply;
	struct weft_chunk chunk;
	__u8 bytes[WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_frame_work);
} weft_frame_works SEC(".maps");

enum what { NOTHING, REPLY, CHUNK };

static __always_inline int test_frame(enum what what)
{
	__u32 key = 0;
	struct weft_frame_work *work = bpf_map_lookup_elem(&weft_frame_works, &key);

	if (!work)
		return -1;
	if (what == REPLY)
		return weft_frame_reply(work->bytes, work->have, work->stream, &work->asked,
					&work->reply);
	if (what == CHUNK)
		return weft_walk_chunk(work->bytes, work->have, &work->chunk);
	return 0;
}

SEC("tc") int weft_test_reply(struct __sk_buff *skb)
{
	return test_frame(REPLY);
}

SEC("tc") int weft_test_chunk(struct __sk_buff *skb)
{
	return test_frame(CHUNK);
}

/* The same without the framer: what to subtract. */
SEC("tc") int weft_test_frame_empty(struct __sk_buff *skb)
{
	return test_frame(NOTHING);
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
