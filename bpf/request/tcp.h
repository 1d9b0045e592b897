/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is read of the program's own socket. Fields are found by name when the program is loaded. */
#ifndef WEFT_REQUEST_TCP_H
#define WEFT_REQUEST_TCP_H

#include <linux/in6.h>

#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct netns_ipv4 {
	unsigned int sysctl_tcp_notsent_lowat;
};
struct net {
	struct netns_ipv4 ipv4;
};
typedef struct {
	struct net *net;
} possible_net_t;
typedef struct {
	int counter;
} atomic_t;
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	struct sock *skc_listener; /* of a connection that its SYN has asked for */
};
struct kernfs_node {
	__u64 id; /* the inode number of its directory */
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};
struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	int sk_sndbuf;
	int sk_wmem_queued;
	void *sk_user_data;
};
struct ipv6_pinfo {
	int mcast_oif; /* as mc_index (tcp_v6_syn_recv_sock) */
};
struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	int mc_index; /* of one that was accepted: its SYN's interface (tcp_v4_syn_recv_sock) */
};
struct inet_connection_sock {
	struct inet_sock icsk_inet;
};
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 write_seq;
	__u32 snd_una;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_nxt;
	__u32 mss_cache;
	__u32 notsent_lowat;
	void *fastopen_req;
	__u8 fastopen_connect : 1;
};
#pragma clang attribute pop

/* Does this connect come from a send with data, or does it wait for one? */
static __always_inline int weft_is_fast_open(struct bpf_sock_addr *context)
{
	struct tcp_sock *socket = bpf_skc_to_tcp_sock(context->sk);

	return socket && (socket->fastopen_req || BPF_CORE_READ_BITFIELD(socket, fastopen_connect));
}

/* No TCP packet's own memory is larger (SKB_TRUESIZE(MAX_TCP_HEADER)). */
#define WEFT_PACKET_MEMORY 2304
/* What options take of a packet in which they do not always stand. */
#define WEFT_OPTIONS_MAX 40

/*
 * How many bytes TCP takes at once, at least, without waiting for room; 0: perhaps none. It asks for
 * room before it begins a packet (tcp_sendmsg_locked, sk_stream_memory_free): so a packet's worth it
 * takes where the room is larger than that, and of more, each packet costs its own memory too.
 */
static __always_inline __u32 weft_takes(struct tcp_sock *socket)
{
	__u32 lowat = socket->notsent_lowat, packet = socket->mss_cache - WEFT_OPTIONS_MAX;
	__s64 room, unsent;

	room = socket->inet_conn.icsk_inet.sk.sk_sndbuf;
	room -= socket->inet_conn.icsk_inet.sk.sk_wmem_queued;
	if (!lowat) {
		struct net *net = socket->inet_conn.icsk_inet.sk.__sk_common.skc_net.net;

		lowat = net->ipv4.sysctl_tcp_notsent_lowat;
	}
	unsent = socket->write_seq - socket->snd_nxt;
	if (room > lowat - unsent)
		room = lowat - unsent;
	if (--room <= 0)
		return 0;
	if (room <= packet)
		return room;
	room >>= 2; /* a third would do, but takes a division */
	if (packet < WEFT_PACKET_MEMORY / 2 || room < packet)
		return packet;
	return room;
}

#endif
