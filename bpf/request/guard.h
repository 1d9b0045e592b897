/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * No byte of a client leaves that no request was judged for. sk_msg alone cannot promise that: a
 * send that waits for its connect, data in a SYN, or a socket that found no room in weft_clients
 * never meet it. So sk_msg notes how far it let the stream go, and cgroup_skb/egress compares.
 */
#ifndef WEFT_REQUEST_GUARD_H
#define WEFT_REQUEST_GUARD_H

#include "parse.h"
#include "request/meet.h"
#include "request/tcp.h"

/* More is let go in several steps: TCP's sequence numbers are compared modulo 2^32. */
#define WEFT_PASS_MAX 0x40000000

/* sockops, ACTIVE_ESTABLISHED: the first byte has the number snd_nxt. */
static __always_inline void weft_begin_http(struct bpf_sock_ops *context)
{
	struct bpf_sock *socket = context->sk;
	struct weft_http *http;
	struct tcp_sock *tcp;
	__u64 cookie;

	if (!socket)
		return;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http || !(http->flags & WEFT_HTTP_ON))
		return;
	http->judged_seq = context->snd_nxt;
	http->native.expected = context->rcv_nxt;
	tcp = bpf_skc_to_tcp_sock(socket);
	http->native.socket = (__u64)tcp;
	http->flags |= WEFT_HTTP_ESTABLISHED;
	cookie = http->cookie;
	if (http->flags & WEFT_HTTP_PROVES)
		weft_prove(context, cookie);
	/*
	 * Where it fails, nothing is ever judged, and nothing leaves. A socket that was accepted once and
	 * connects now is not told of what is delivered (replies.bpf.c).
	 */
	if (!bpf_sock_hash_update(context, &weft_clients, &cookie, BPF_ANY) &&
	    http->flags & WEFT_HTTP_OFFERED && tcp && !tcp->inet_conn.icsk_inet.mc_index)
		weft_offer(context, http);
}

/* The same as weft_see_segment, of any packet. */
static __noinline int weft_find_segment(struct __sk_buff *skb, struct weft_segment *segment)
{
	__u32 offset = weft_tcp_offset(skb), sequence;
	__u8 tail[2]; /* length of the header in words, flags */

	if (!segment || !offset || bpf_skb_load_bytes(skb, offset + 4, &sequence, 4) ||
	    bpf_skb_load_bytes(skb, offset + 12, tail, sizeof(tail)))
		return 0;
	segment->sequence = bpf_ntohl(sequence);
	segment->payload = offset + (tail[0] >> 4) * 4;
	segment->flags = tail[1];
	return 1;
}

static __always_inline int weft_is_beyond(struct __sk_buff *skb, const struct weft_http *http,
					  const struct weft_segment *segment)
{
	__u32 payload = skb->len - segment->payload;

	/* The server's stream lacks an urgent byte: what it reads is not what was judged. */
	if (segment->flags & WEFT_TCP_URGENT)
		return 1;
	if (!payload)
		return 0;
	if (!(http->flags & WEFT_HTTP_ESTABLISHED))
		return 1;
	return (__s32)(segment->sequence + payload - http->judged_seq) > 0;
}

/* cgroup_skb/egress: does the packet carry bytes that were never let go? */
static __always_inline int weft_is_unjudged(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;
	struct weft_segment segment;
	struct weft_http *http;

	if (!socket)
		return 0;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http || !(http->flags & WEFT_HTTP_ON))
		return 0;
	if (!weft_see_segment(skb, &segment) && !weft_find_segment(skb, &segment))
		return 1;
	return weft_is_beyond(skb, http, &segment);
}

#endif
