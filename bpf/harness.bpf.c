// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The same policy and the same core as in the hooks, as SCHED_CLS programs: sock_addr hooks have no
 * BPF_PROG_TEST_RUN. Input and output are the packet, after WEFT_HARNESS_HEAD bytes which
 * test-run wants for an Ethernet header. A return of 0 is success; -1 where the packet is too
 * short or no judgement was free.
 */
#include "decide.h"

#define WEFT_HARNESS_HEAD 16

/* First word of the packet of weft_test_policy after the head: which functions are asked. */
enum weft_test_mode { WEFT_TEST_ROUTE = 1, WEFT_TEST_AUTHORIZE = 2 };

/* Packet of weft_test_policy, weft_test_empty and weft_test_authorize_only after the head. */
struct weft_policy_packet {
	__u32 mode;
	__u32 route; /* out: what weft_route_connection returned */
	struct weft_connection connection;
	struct weft_decision decision; /* out */
	__u32 verdict;		       /* out: what weft_authorize_connection returned */
	__u32 zero;
};

/* Packet of weft_test_connect and weft_test_ingress after the head. */
struct weft_decide_packet {
	struct weft_input input;
	struct weft_result result; /* out */
};

/* One of both, so that BTF names the structs. */
const volatile struct weft_policy_packet weft_policy_packet_layout = {};
const volatile struct weft_decide_packet weft_decide_packet_layout = {};

#define AT(type, field) (WEFT_HARNESS_HEAD + __builtin_offsetof(struct type, field))

static __always_inline int load(struct __sk_buff *skb, struct weft_judgement *judgement)
{
	return bpf_skb_load_bytes(skb, AT(weft_policy_packet, connection), &judgement->connection,
				  sizeof(struct weft_connection));
}

static __always_inline int test_policy(struct __sk_buff *skb, int ask)
{
	struct weft_judgement *judgement = weft_take();
	__u32 mode, route = 0, verdict = 0;
	int failed;

	if (!judgement)
		return -1;
	failed = bpf_skb_load_bytes(skb, AT(weft_policy_packet, mode), &mode, sizeof(mode)) ||
		 load(skb, judgement);
	__builtin_memset(&judgement->result.decision, 0, sizeof(judgement->result.decision));
	judgement->result.decision.policy = WEFT_NO_POLICY;
	if (!failed && ask) {
		if (mode & WEFT_TEST_ROUTE)
			route = weft_route_connection(&judgement->connection);
		if (mode & WEFT_TEST_AUTHORIZE)
			verdict = weft_authorize_connection(&judgement->connection,
							    &judgement->result.decision);
	}
	failed = failed ||
		 bpf_skb_store_bytes(skb, AT(weft_policy_packet, route), &route, 4, 0) ||
		 bpf_skb_store_bytes(skb, AT(weft_policy_packet, decision), &judgement->result.decision,
				     sizeof(struct weft_decision), 0) ||
		 bpf_skb_store_bytes(skb, AT(weft_policy_packet, verdict), &verdict, 4, 0);
	weft_release(judgement);
	return failed ? -1 : 0;
}

SEC("tc") int weft_test_policy(struct __sk_buff *skb)
{
	return test_policy(skb, 1);
}

/* The same reading and writing without the policy: what to subtract. */
SEC("tc") int weft_test_empty(struct __sk_buff *skb)
{
	return test_policy(skb, 0);
}

/* As little as possible around one verdict, which is the return value. */
SEC("tc") int weft_test_authorize_only(struct __sk_buff *skb)
{
	struct weft_judgement *judgement = weft_take();
	int verdict = -1;

	if (!judgement)
		return -1;
	if (!load(skb, judgement))
		verdict = weft_authorize_connection(&judgement->connection, &judgement->result.decision);
	weft_release(judgement);
	return verdict;
}

static __always_inline int test_decide(struct __sk_buff *skb, int ingress)
{
	struct weft_judgement *judgement = weft_take();
	int failed;

	if (!judgement)
		return -1;
	failed = bpf_skb_load_bytes(skb, AT(weft_decide_packet, input), &judgement->input,
				    sizeof(struct weft_input)) != 0;
	if (!failed) {
		if (ingress)
			weft_ingress_decide(judgement);
		else
			weft_connect_decide(judgement);
		failed = bpf_skb_store_bytes(skb, AT(weft_decide_packet, result),
					     &judgement->result, sizeof(struct weft_result), 0) != 0;
	}
	weft_release(judgement);
	return failed ? -1 : 0;
}

SEC("tc") int weft_test_connect(struct __sk_buff *skb)
{
	return test_decide(skb, 0);
}

SEC("tc") int weft_test_ingress(struct __sk_buff *skb)
{
	return test_decide(skb, 1);
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
