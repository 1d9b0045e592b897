/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The short circuit: where client and server of a connection are enrolled on the same node, what a
 * client's verdict lets go may be put into the server's socket itself (sk_msg, redirect ingress),
 * past both network stacks (request/meet.h: which one that is). Replies: request/served.h.
 *
 * A message is redirected only while the receiver has read all that came by TCP, since it reads what
 * was redirected first, and has little unread, since a redirect never waits. Else TCP takes it, and
 * what follows of the same request: a reader that waits inside TCP for the rest of what it wants
 * (MSG_WAITALL) is not told of what comes by another way.
 */
#ifndef WEFT_REQUEST_SHORT_H
#define WEFT_REQUEST_SHORT_H

#include "request/peer.h"
#include "request/tcp.h"

/* Unread bytes of a socket beyond which nothing more is redirected into it. */
#define WEFT_SHORT_QUEUE 1048576
/* Messages so short that their receiver is looked at once in WEFT_SHORT_TURNS of them. */
#define WEFT_SHORT_SMALL 4096
#define WEFT_SHORT_TURNS 16
/* Requests that a client sends by TCP before it gives up to look for its server's socket. */
#define WEFT_SHORT_TRIES 4

#define WEFT_RECEIVE_SHUTDOWN 1

enum sock_flags___weft {
	SOCK_ZEROCOPY___weft,
};

/*
 * May `self` send past TCP? Not where TCP is to answer with an error, nor where the sender waits to be
 * told that its memory is free again (MSG_ZEROCOPY): a redirect copies, and tells nobody.
 */
static __always_inline int weft_sends_past(const struct bpf_sock *socket,
					   const struct tcp_sock *self)
{
	__u32 zerocopy = bpf_core_enum_value(enum sock_flags___weft, SOCK_ZEROCOPY___weft);

	return (socket->state == WEFT_TCP_ESTABLISHED || socket->state == WEFT_TCP_CLOSE_WAIT) &&
	       !(self->inet_conn.icsk_inet.sk.__sk_common.skc_flags >> zerocopy & 1);
}

/* Has `peer` read all that came by TCP, and has little unread? Then it is asked less often. */
static __noinline int weft_keeps_up(struct weft_peer *peer, __u32 sent)
{
	const struct tcp_sock___weft *tcp = (void *)peer->socket;
	const struct sock___weft *socket = (void *)peer->socket;

	if (!weft_is_socket(socket, peer->cookie) || BPF_CORE_READ(tcp, copied_seq) != sent ||
	    BPF_CORE_READ(socket, sk_backlog.rmem_alloc.counter) >= WEFT_SHORT_QUEUE ||
	    BPF_CORE_READ(socket, sk_shutdown) & WEFT_RECEIVE_SHUTDOWN)
		return 0;
	peer->read_seq = sent;
	peer->turns = WEFT_SHORT_TURNS;
	return 1;
}

/*
 * May `peer` be given `size` bytes more past TCP, by a sender whose next TCP byte has the number
 * `sent`? What is read of it is a hint where it is gone: the redirect itself goes by its key. What it
 * had read by TCP it has read as long as nothing more was sent; its memory is on the other CPU, so
 * messages that are short look at it now and then.
 */
static __always_inline int weft_takes_redirects(struct weft_peer *peer, __u32 sent, __u32 size)
{
	const struct sock___weft *socket = (void *)peer->socket;
	unsigned long pressed = 0;

	if (peer->turns && peer->read_seq == sent && size <= WEFT_SHORT_SMALL)
		peer->turns--;
	else if (!weft_keeps_up(peer, sent))
		return 0;
	/* It waits for more than a byte: TCP knows how. */
	if (BPF_CORE_READ(socket, sk_rcvlowat) > 1)
		return 0;
	/*
	 * Short of memory a redirect may take a part only (bpf_tcp_ingress, sk_wmem_schedule), and
	 * nothing says how much.
	 */
	return !bpf_probe_read_kernel(&pressed, sizeof(pressed), (void *)peer->pressure) &&
	       !pressed;
}

static __always_inline int weft_goes_past(const struct sk_msg_md *message,
					  struct weft_http *http, const struct tcp_sock *socket)
{
	const struct bpf_sock *self = message->sk;

	return self && weft_sends_past(self, socket) &&
	       weft_takes_redirects(&http->peer, socket->write_seq, message->size);
}

/* A request begins that goes to the bound server: does it go there past TCP? */
static __always_inline int weft_is_short(const struct sk_msg_md *message, struct weft_http *http,
					 const struct tcp_sock *socket)
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
	return weft_goes_past(message, http, socket);
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
	if (total < size ||
	    (!(http->flags & WEFT_HTTP_LOOKED) && !weft_goes_past(message, http, socket)))
		return 0;
	http->flags &= ~WEFT_HTTP_LOOKED;
	if (bpf_msg_redirect_hash(message, &weft_servers, &cookie, BPF_F_INGRESS) != SK_PASS)
		return 0;
	bpf_msg_apply_bytes(message, size);
	http->flags &= ~WEFT_HTTP_CORKED;
	return size;
}

/*
 * The client's side, where a request begins: may its reply, and those that follow, come past TCP? The
 * reader must be outside of TCP: with MSG_WAITALL it would wait there for what comes by another way.
 */
static __always_inline void weft_grant_replies(struct weft_http *http,
					       const struct tcp_sock *socket)
{
	struct weft_native *native = &http->native;
	__u32 before = http->asked - 1, grant;

	/* As long as nothing came by TCP: `native` is on the server's CPU. */
	if (http->flags & WEFT_HTTP_GRANTED && http->granted_seq == socket->rcv_nxt)
		return;
	grant = native->grant;
	if (grant & 1 || !http->peer.cookie || native->flags & WEFT_NATIVE_LOST)
		return;
	if (before != *(volatile __u32 *)&native->reply.done ||
	    native->reply.lines.phase != WEFT_FRAME_START || socket->rcv_nxt != native->expected ||
	    socket->copied_seq != native->expected ||
	    weft_redirects_wait((void *)native->socket))
		return;
	native->granted_done = before;
	native->server = http->peer.cookie;
	native->record = http->peer.record;
	__sync_val_compare_and_swap(&native->grant, grant, grant + 1);
	http->flags |= WEFT_HTTP_GRANTED;
	http->granted_seq = native->expected;
}

/* No reply is under way: the next ones come by TCP, until they are granted again. */
static __always_inline void weft_revoke_replies(struct weft_http *http)
{
	__u32 grant;

	if (!(http->flags & WEFT_HTTP_GRANTED))
		return;
	http->flags &= ~WEFT_HTTP_GRANTED;
	grant = http->native.grant;
	if (grant & 1)
		__sync_val_compare_and_swap(&http->native.grant, grant, grant + 1);
}

#endif
