/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How client and server of a connection find each other, where both are enrolled on this node: as
 * proof.h proves, by what only the ends of one connection know.
 */
#ifndef WEFT_REQUEST_MEET_H
#define WEFT_REQUEST_MEET_H

#include "request/peer.h"
#include "request/proof.h"

/* By the client's meeting; it is there from the client's handshake to the server's. */
WEFT_MAP(weft_meetings, BPF_MAP_TYPE_LRU_HASH, struct weft_meeting, struct weft_peer,
	 WEFT_MEETINGS);

static __always_inline void weft_peer_of(struct weft_peer *peer, __u64 cookie, __u64 socket,
					 const void *record)
{
	const struct sock___weft *kernel = (void *)socket;

	peer->cookie = cookie;
	peer->socket = socket;
	peer->record = (__u64)record;
	peer->pressure = (__u64)BPF_CORE_READ(kernel, __sk_common.skc_prot, memory_pressure);
}

/* sockops, ACTIVE_ESTABLISHED: the server's handshake ends later, and finds this. */
static __always_inline void weft_offer(struct bpf_sock_ops *context, const struct weft_http *http)
{
	struct weft_meeting meeting = {};
	struct weft_peer client = {};

	weft_ends(context, &meeting.client, &meeting.server);
	meeting.client_seq = context->snd_nxt;
	meeting.server_seq = context->rcv_nxt;
	weft_peer_of(&client, http->cookie, http->native.socket, &http->native);
	bpf_map_update_elem(&weft_meetings, &meeting, &client, BPF_ANY);
}

/* sockops, PASSIVE_ESTABLISHED: is the client one whose requests are judged here? */
static __always_inline void weft_meet(struct bpf_sock_ops *context)
{
	struct weft_meeting meeting = {};
	struct bpf_sock *socket = context->sk;
	struct weft_peer client, server = {}, *found;
	struct weft_served *served;
	struct tcp_sock *tcp;

	weft_ends(context, &meeting.server, &meeting.client);
	meeting.client_seq = context->rcv_nxt;
	meeting.server_seq = context->snd_nxt;
	found = bpf_map_lookup_elem(&weft_meetings, &meeting);
	if (!found || !socket)
		return;
	client = *found;
	/* An LRU element may have become another's meanwhile. */
	if (bpf_map_lookup_elem(&weft_meetings, &meeting) != found)
		return;
	bpf_map_delete_elem(&weft_meetings, &meeting);
	served = bpf_sk_storage_get(&weft_served, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
	tcp = bpf_skc_to_tcp_sock(socket);
	if (!served || !tcp)
		return;
	weft_peer_of(&server, bpf_get_socket_cookie(context), (__u64)tcp, &served->state);
	served->state.cookie = server.cookie;
	served->client = client;
	if (bpf_sock_hash_update(context, &weft_servers, &client.cookie, BPF_ANY))
		return;
	bpf_map_update_elem(&weft_peers, &client.cookie, &server, BPF_ANY);
}

#endif
