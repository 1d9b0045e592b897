// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The least that any mesh by sk_msg costs: each connection that a client opens gets a program which
 * passes every message and looks at none. What this takes from the rate, and adds to the latency,
 * is the kernel's own way through tcp_bpf (net/ipv4/tcp_bpf.c) and no decision of ours.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} sockets SEC(".maps");

SEC("sockops") int keep(struct bpf_sock_ops *context)
{
	__u64 cookie;

	if (context->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		return 1;
	cookie = bpf_get_socket_cookie(context);
	bpf_sock_hash_update(context, &sockets, &cookie, BPF_ANY);
	return 1;
}

SEC("sk_msg") int pass(struct sk_msg_md *message)
{
	return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
