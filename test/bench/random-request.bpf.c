// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * As random-key.bpf.c, for policies about requests: the key stands as eight hexadecimal digits at one
 * place in the head, which user space has written.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define DIGITS 8

const volatile __u32 weft_bench_count = 1;
const volatile __u32 weft_bench_step = 1;
/* Where the digits stand. */
const volatile __u32 weft_bench_at;

struct weft_test_request_value {
	struct weft_request request;
	struct weft_decision decision;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_test_request_value);
} weft_test_input SEC(".maps");

static __always_inline struct weft_test_request_value *draw(void)
{
	__u32 key = (bpf_get_prandom_u32() % weft_bench_count) * weft_bench_step, zero = 0;
	struct weft_test_request_value *input = bpf_map_lookup_elem(&weft_test_input, &zero);
	__u32 at = weft_bench_at;

	if (!input || at > WEFT_HEAD_MAX - DIGITS)
		return 0;
#pragma unroll
	for (int i = 0; i < DIGITS; i++) {
		__u32 digit = key >> (4 * (DIGITS - 1 - i)) & 15;

		input->request.bytes[at + i] = digit + (digit < 10 ? '0' : 'a' - 10);
	}
	return input;
}

/* Returns the verdict. */
SEC("tc") int weft_bench_random(struct __sk_buff *skb)
{
	struct weft_test_request_value *input = draw();

	return input ? weft_authorize_request(&input->request, &input->decision) : -1;
}

/* The same without the policy: what to subtract. */
SEC("tc") int weft_bench_empty(struct __sk_buff *skb)
{
	return draw() ? 0 : -1;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
