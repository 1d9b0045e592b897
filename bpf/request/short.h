/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The short circuit: where client and server of a connection are enrolled on the same node, what a
 * client's verdict lets go may be put into the server's socket itself (sk_msg, redirect ingress),
 * past both network stacks. The two are brought together when the connection is made: by its
 * addresses and by both initial sequence numbers, since addresses repeat across namespaces and only
 * the ends of one connection know the numbers of both.
 *
 * A message is redirected only while the receiver has read all that came by TCP, since it reads what
 * was redirected first, and has little unread, since a redirect never waits. Else TCP takes it, and
 * what follows of the same request: a reader that waits inside TCP for the rest of what it wants
 * (MSG_WAITALL) is not told of what comes by another way.
 */
#ifndef WEFT_REQUEST_SHORT_H
#define WEFT_REQUEST_SHORT_H

#include "request/proof.h"
#include "request/socket.h"
#include "request/tcp.h"

/* Unread bytes of a socket beyond which nothing more is redirected into it. */
#define WEFT_SHORT_QUEUE 1048576
/* Requests that a client sends by TCP before it gives up to look for its server's socket. */
#define WEFT_SHORT_TRIES 4
/* By the client's meeting; it is there from the client's handshake to the server's. */
WEFT_NODE_MAP(weft_meetings, BPF_MAP_TYPE_LRU_HASH, WEFT_MEETINGS, struct weft_meeting, __u64);
/* By the client's cookie, until its first request finds it. */
WEFT_NODE_MAP(weft_peers, BPF_MAP_TYPE_LRU_HASH, WEFT_MEETINGS, __u64, struct weft_peer);
/* By the client's cookie: the accepted sockets. */
WEFT_NODE_MAP(weft_servers, BPF_MAP_TYPE_SOCKHASH, WEFT_CLIENTS, __u64, __u64);

/* sockops, ACTIVE_ESTABLISHED: the server's handshake ends later, and finds this. */
static __always_inline void weft_offer(struct bpf_sock_ops *context, const struct weft_http *http)
{
	struct weft_meeting meeting = {};
	__u64 cookie = http->cookie;

	weft_ends(context, &meeting.client, &meeting.server);
	meeting.client_seq = context->snd_nxt;
	meeting.server_seq = context->rcv_nxt;
	bpf_map_update_elem(&weft_meetings, &meeting, &cookie, BPF_ANY);
}

/* sockops, PASSIVE_ESTABLISHED: is the client one whose requests are judged here? */
static __always_inline void weft_meet(struct bpf_sock_ops *context)
{
	struct weft_meeting meeting = {};
	struct bpf_sock *socket = context->sk;
	struct weft_peer peer = {};
	__u64 *found, client;

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
	if (bpf_sock_hash_update(context, &weft_servers, &client, BPF_ANY))
		return;
	peer.cookie = bpf_get_socket_cookie(context);
	peer.socket = (__u64)bpf_skc_to_tcp_sock(socket);
	bpf_map_update_elem(&weft_peers, &client, &peer, BPF_ANY);
}

/*
 * May `peer` be given more past TCP, by a sender whose next TCP byte has the number `sent`? What is
 * read of it is a hint where it is gone: the redirect itself goes by its key.
 */
static __noinline int weft_takes_redirects(const struct weft_peer *peer, __u32 sent)
{
	const struct tcp_sock___weft *tcp = (void *)peer->socket;
	const struct sock___weft *socket = (void *)peer->socket;
	unsigned long *pressure, pressed = 0;

	if (!weft_is_socket(socket, peer->cookie) || BPF_CORE_READ(tcp, copied_seq) != sent ||
	    BPF_CORE_READ(socket, sk_backlog.rmem_alloc.counter) >= WEFT_SHORT_QUEUE)
		return 0;
	/* It waits for more than a byte, or for nothing: TCP knows how. */
	if (BPF_CORE_READ(socket, sk_rcvlowat) > 1 || BPF_CORE_READ(socket, sk_shutdown) & 1)
		return 0;
	/*
	 * Short of memory a redirect may take a part only (bpf_tcp_ingress, sk_wmem_schedule), and
	 * nothing says how much.
	 */
	pressure = BPF_CORE_READ(socket, __sk_common.skc_prot, memory_pressure);
	return pressure && !bpf_probe_read_kernel(&pressed, sizeof(pressed), pressure) && !pressed;
}

/* A request begins that goes to the bound server: does it go there past TCP? */
static __always_inline int weft_is_short(struct weft_http *http, const struct tcp_sock *socket)
{
	struct weft_peer *peer;
	__u64 cookie = http->cookie;

	if (!http->peer.cookie) {
		if (http->tries >= WEFT_SHORT_TRIES)
			return 0;
		http->tries++;
		peer = bpf_map_lookup_elem(&weft_peers, &cookie);
		if (!peer)
			return 0;
		http->peer = *peer;
		if (bpf_map_delete_elem(&weft_peers, &cookie)) { /* it was another's meanwhile */
			http->peer.cookie = 0;
			return 0;
		}
	}
	return weft_takes_redirects(&http->peer, socket->write_seq);
}

/*
 * Puts the whole message, of which the next `total` bytes may go, into the server's socket: how many
 * they were; 0: TCP is to take them.
 */
static __always_inline __u32 weft_redirect_short(struct sk_msg_md *message, struct weft_http *http,
						 const struct tcp_sock *socket, __u64 total)
{
	__u32 size = message->size;
	__u64 cookie = http->cookie;

	/*
	 * Whole messages only: what follows a redirected part may be lost (WEFT_HTTP_CORKED), also
	 * where it is held back after that.
	 */
	if (total < size || !weft_takes_redirects(&http->peer, socket->write_seq))
		return 0;
	if (bpf_msg_redirect_hash(message, &weft_servers, &cookie, BPF_F_INGRESS) != SK_PASS)
		return 0;
	bpf_msg_apply_bytes(message, size);
	http->flags &= ~WEFT_HTTP_CORKED;
	return size;
}

#endif
