// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The request policies of a bundle as a SCHED_CLS program, for test-run; joined only with bundles
 * that have any. A head does not fit a test packet, so the request lies in a map; input and output of
 * the question are the packet, after WEFT_HARNESS_HEAD bytes for an Ethernet header. A return of 0
 * is success.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define WEFT_HARNESS_HEAD 16

enum weft_test_mode { WEFT_TEST_ROUTE = 1, WEFT_TEST_AUTHORIZE = 2 };

/* Packet of weft_test_request after the head. */
struct weft_request_packet {
	__u32 mode;
	__u32 route; /* out: what weft_route_request returned */
	struct weft_decision decision; /* out */
	__u32 verdict;		       /* out: what weft_authorize_request returned */
	__u32 zero;
};

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

#define AT(field) (WEFT_HARNESS_HEAD + __builtin_offsetof(struct weft_request_packet, field))

SEC("tc") int weft_test_request(struct __sk_buff *skb)
{
	__u32 key = 0, mode, route = 0, verdict = 0;
	struct weft_test_request_value *input = bpf_map_lookup_elem(&weft_test_input, &key);

	if (!input || bpf_skb_load_bytes(skb, AT(mode), &mode, sizeof(mode)))
		return -1;
	__builtin_memset(&input->decision, 0, sizeof(input->decision));
	input->decision.policy = WEFT_NO_POLICY;
	if (mode & WEFT_TEST_ROUTE)
		route = weft_route_request(&input->request);
	if (mode & WEFT_TEST_AUTHORIZE)
		verdict = weft_authorize_request(&input->request, &input->decision);
	if (bpf_skb_store_bytes(skb, AT(route), &route, 4, 0) ||
	    bpf_skb_store_bytes(skb, AT(decision), &input->decision, sizeof(struct weft_decision),
				0) ||
	    bpf_skb_store_bytes(skb, AT(verdict), &verdict, 4, 0))
		return -1;
	return 0;
}

/* As little as possible around one verdict, which is the return value. */
SEC("tc") int weft_test_request_only(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct weft_test_request_value *input = bpf_map_lookup_elem(&weft_test_input, &key);

	return input ? weft_authorize_request(&input->request, &input->decision) : -1;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
