/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Proof that a connection's requests are judged where they are sent: left where the client's
 * handshake ends, taken where the server's does, which is later. Both ends are of one node. By the
 * connection's addresses and by both initial sequence numbers, since addresses repeat across
 * namespaces, and can be had by who is not judged; the ends of one connection know the numbers of both.
 */
#ifndef WEFT_REQUEST_PROOF_H
#define WEFT_REQUEST_PROOF_H

#include "parse.h"
#include "request/node.h"

#define WEFT_AF_INET 2
/* Connections between the handshakes of their ends, and between handshake and first request. */
#define WEFT_MEETINGS 8192

struct weft_meeting {
	struct weft_name client;
	struct weft_name server;
	__u32 client_seq;
	__u32 server_seq;
};

/* What is forgotten, or never asked for, is judged once more: no harm. */
WEFT_MAP(weft_proofs, BPF_MAP_TYPE_LRU_HASH, struct weft_meeting, __u64, WEFT_MEETINGS);

/* Each family in a function of its own: a context is read at constant offsets only. */
static __noinline int weft_ends4(struct bpf_sock_ops *context, struct weft_address *local,
				 struct weft_address *remote)
{
	weft_map_v4(local, context->local_ip4);
	weft_map_v4(remote, context->remote_ip4);
	return 0;
}

static __noinline int weft_ends6(struct bpf_sock_ops *context, struct weft_address *local,
				 struct weft_address *remote)
{
	local->word[0] = context->local_ip6[0];
	local->word[1] = context->local_ip6[1];
	local->word[2] = context->local_ip6[2];
	local->word[3] = context->local_ip6[3];
	remote->word[0] = context->remote_ip6[0];
	remote->word[1] = context->remote_ip6[1];
	remote->word[2] = context->remote_ip6[2];
	remote->word[3] = context->remote_ip6[3];
	return 0;
}

static __always_inline void weft_ends(struct bpf_sock_ops *context, struct weft_name *local,
				      struct weft_name *remote)
{
	if (context->family == WEFT_AF_INET)
		weft_ends4(context, &local->address, &remote->address);
	else
		weft_ends6(context, &local->address, &remote->address);
	local->port = context->local_port;
	remote->port = bpf_ntohl(context->remote_port);
}

/* sockops, ACTIVE_ESTABLISHED */
static __always_inline void weft_prove(struct bpf_sock_ops *context, __u64 cookie)
{
	struct weft_meeting meeting = {};

	weft_ends(context, &meeting.client, &meeting.server);
	meeting.client_seq = context->snd_nxt;
	meeting.server_seq = context->rcv_nxt;
	bpf_map_update_elem(&weft_proofs, &meeting, &cookie, BPF_ANY);
}

/* sockops, PASSIVE_ESTABLISHED: are the requests of this connection judged where they are sent? */
static __always_inline int weft_is_proven(struct bpf_sock_ops *context)
{
	struct weft_meeting meeting = {};

	weft_ends(context, &meeting.server, &meeting.client);
	meeting.client_seq = context->rcv_nxt;
	meeting.server_seq = context->snd_nxt;
	return !bpf_map_delete_elem(&weft_proofs, &meeting);
}

#endif
