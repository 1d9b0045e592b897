/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Open connections, judged again: a walk over the TCP sockets of a network namespace (iter/tcp), by
 * which the agent asks a generation that has become active about what another one allowed. It is
 * asked what the hooks ask at connect and on arrival, of the ends that the connection has. A denial
 * is reported like theirs; ending the connection is the agent's part (SOCK_DESTROY), since on kernels
 * before 6.5 no program can.
 */
#ifndef WEFT_OPEN_H
#define WEFT_OPEN_H

#include "decide.h"
#include "event.h"
#include "request/tcp.h"

#define WEFT_AF_INET6 10 /* linux/socket.h */
/* Cgroups of no more levels are looked at (cgroup_max_depth has no bound of its own). */
#define WEFT_CGROUP_DEPTH 32

/* The enrolled cgroups that are asked about in this walk, none of them below another. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} weft_walked SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};
#pragma clang attribute pop

const volatile struct weft_open weft_open_layout = {}; /* so that BTF names it */

/* With a peer, also one that only the application has let go (include/net/tcp_states.h). */
#define WEFT_OPEN_STATES                                                                           \
	(1 << BPF_TCP_ESTABLISHED | 1 << BPF_TCP_SYN_SENT | 1 << BPF_TCP_SYN_RECV |                \
	 1 << BPF_TCP_FIN_WAIT1 | 1 << BPF_TCP_FIN_WAIT2 | 1 << BPF_TCP_CLOSE_WAIT |               \
	 1 << BPF_TCP_LAST_ACK | 1 << BPF_TCP_CLOSING)

/* The cgroup that is asked about which this socket was made in, or below; 0: none. */
static __always_inline __u64 weft_walked_above(const struct sock *socket)
{
	struct cgroup *cgroup = BPF_CORE_READ(socket, sk_cgrp_data.cgroup);

	for (int i = 0; cgroup && i < WEFT_CGROUP_DEPTH; i++) {
		__u64 id = BPF_CORE_READ(cgroup, kn, id);

		if (bpf_map_lookup_elem(&weft_walked, &id))
			return id;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return 0;
}

/* Did it come in? Then its socket has the interface of its SYN, which no client's has. */
static __always_inline int weft_was_accepted(struct tcp_sock *socket)
{
	struct inet_sock *inet = &socket->inet_conn.icsk_inet;

	if (inet->mc_index)
		return 1;
	return inet->sk.__sk_common.skc_family == WEFT_AF_INET6 && inet->pinet6->mcast_oif;
}

static __always_inline void weft_read_ends(const struct sock_common *common, struct weft_open *open)
{
	open->local_port = common->skc_num;
	open->remote_port = bpf_ntohs(common->skc_dport);
	if (common->skc_family == WEFT_AF_INET6) {
		for (int i = 0; i < 4; i++) {
			open->local.word[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			open->remote.word[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
		}
		return;
	}
	weft_map_v4(&open->local, common->skc_rcv_saddr);
	weft_map_v4(&open->remote, common->skc_daddr);
}

/*
 * Client side, of a connection that is open: may it be, where it goes? Nothing is chosen any more, so
 * no route is asked for, whatever service has the endpoint's address too.
 */
static __always_inline int weft_open_decide(struct weft_judgement *judgement)
{
	struct weft_input *input = &judgement->input;
	struct weft_result *result = &judgement->result;
	struct weft_service *service;

	if (!weft_start_connect(judgement)) {
		weft_end(result, WEFT_REASON_UNKNOWN_IDENTITY, weft_on_unknown_identity);
		return 0;
	}
	service = weft_service_at(input);
	if (service)
		result->flags = service->flags;
	result->destination = weft_workload_at(&input->destination);
	return weft_end_connect(judgement);
}

/* What the hook of that end would ask. */
static __always_inline void weft_judge_open(struct weft_judgement *judgement,
					    const struct weft_open *open, __u64 cgroup, int arrived)
{
	struct weft_input *input = &judgement->input;
	struct weft_event *event = &judgement->event;

	input->cgroup = cgroup;
	input->now = bpf_ktime_get_ns() + weft_clock_offset;
	input->workload = WEFT_NONE;
	input->random = bpf_get_prandom_u32();
	input->pick = 0;
	input->protocol = IPPROTO_TCP;
	input->flags = 0;
	event->cookie = open->cookie;
	if (arrived) {
		input->source = open->remote;
		input->destination = open->local;
		input->port = open->local_port;
		weft_ingress_decide(judgement);
		event->hook = WEFT_HOOK_INGRESS;
		event->source_port = open->remote_port;
	} else {
		input->source = (struct weft_address){};
		input->destination = open->remote;
		input->port = open->remote_port;
		weft_open_decide(judgement);
		input->source = judgement->connection.source.address; /* for the event */
		event->hook = judgement->connection.family == 4 ? WEFT_HOOK_CONNECT4 :
								  WEFT_HOOK_CONNECT6;
		event->source_port = open->local_port;
	}
	event->family = judgement->connection.family;
	input->flags = WEFT_INPUT_OPEN;
}

SEC("iter/tcp") int weft_open(struct bpf_iter__tcp *context)
{
	struct sock_common *common = context->sk_common;
	struct weft_judgement *judgement;
	struct weft_open open = {};
	int state, arrived;
	__u64 cgroup;

	if (!common)
		return 0; /* the end of the walk */
	state = common->skc_state;
	if (state == BPF_TCP_NEW_SYN_RECV) {
		arrived = 1;
		cgroup = weft_walked_above(BPF_CORE_READ(common, skc_listener));
	} else {
		struct tcp_sock *socket;

		if (!(WEFT_OPEN_STATES & 1 << state))
			return 0;
		socket = bpf_skc_to_tcp_sock(common);
		if (!socket)
			return 0;
		arrived = weft_was_accepted(socket);
		cgroup = weft_walked_above(&socket->inet_conn.icsk_inet.sk);
	}
	if (!cgroup)
		return 0;
	open.cookie = bpf_get_socket_cookie(common);
	weft_read_ends(common, &open);
	judgement = weft_take();
	if (judgement) {
		weft_judge_open(judgement, &open, cgroup, arrived);
		open.verdict = judgement->result.decision.verdict;
		if (open.verdict != WEFT_ALLOW)
			weft_report(&judgement->event);
		weft_release(judgement);
	}
	bpf_seq_write(context->meta->seq, &open, sizeof(open));
	return 0;
}

#endif
