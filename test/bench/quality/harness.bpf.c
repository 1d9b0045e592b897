// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One policy function over many inputs, in a loop: what is around a decision is a load and an addition.
 * ENTRY names the function, KIND what it takes: 1 a connection, 2 a request, 3 a connection and a
 * decision. Without ENTRY the loop is empty: its time, and its instructions, are what to subtract.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "abi.h"

#define ROUNDS 1024

#if KIND == 2
#define INPUT struct weft_request
#define COUNT 16
#else
#define INPUT struct weft_connection
#define COUNT 64
#endif

/* Filled before loading. Writable, so that the verifier does not know what is in it. */
INPUT weft_bench_inputs[COUNT] SEC(".data") = {};
__u32 weft_bench_first SEC(".data") = 0;

#ifdef ENTRY
#if KIND == 3
extern int ENTRY(const INPUT *input, struct weft_decision *decision);
#else
extern int ENTRY(const INPUT *input);
#endif
#endif

/* A decision, or nothing. Static: it is inlined into both programs. */
static __always_inline __u32 decide(__u32 which)
{
	INPUT *input = &weft_bench_inputs[which & (COUNT - 1)];
#ifdef ENTRY
#if KIND == 3
	struct weft_decision decision;
	__u32 verdict;

	__builtin_memset(&decision, 0, sizeof(decision));
	verdict = ENTRY(input, &decision);
	/* What is compared: all of the decision. */
	return verdict | decision.policy << 4 ^ decision.site << 8 ^ decision.reason << 16 ^
	       (__u32)decision.audited.word[0] << 20;
#else
	return ENTRY(input);
#endif
#else
	return *(volatile __u32 *)input;
#endif
}

SEC("tc") int weft_bench_loop(struct __sk_buff *skb)
{
	__u32 i, sum = 0;

	for (i = 0; i < ROUNDS; i++)
		sum += decide(i);
	return sum;
}

SEC("tc") int weft_bench_once(struct __sk_buff *skb)
{
	return decide(weft_bench_first);
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
