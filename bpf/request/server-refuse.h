/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a refused request becomes at the receiving side: the packet is rewritten into the reply and
 * sent out of the server's socket. TCP counts as read what the packet is long when the program ends
 * (tcp_eat_skb), so a reply is as long as what it answers, by blanks at the end of its last field
 * (RFC 9112 5.1). Where it cannot be, it says that the connection ends.
 */
#ifndef WEFT_REQUEST_SERVER_REFUSE_H
#define WEFT_REQUEST_SERVER_REFUSE_H

#include "request/judge.h"
#include "request/refuse.h"
#include "request/server-node.h"
#include "request/tcp.h"

#define WEFT_FILL 64
#define WEFT_FILL_BLOCKS 1024 /* a packet has 64 KiB */
#define WEFT_BLANKS_MAX 1024  /* clients limit the size of a head */
/* The empty line behind the last field, and what ends that field's line. */
#define WEFT_HEAD_END 4

struct weft_fill {
	struct __sk_buff *skb;
	__u32 at;
	__u32 end;
	__u8 bytes[WEFT_FILL];
};

static long weft_fill_step(__u32 index, struct weft_fill *fill)
{
	__u32 size = fill->end - fill->at;

	if (fill->at >= fill->end)
		return 1;
	size = weft_length(size > WEFT_FILL ? WEFT_FILL : size, WEFT_FILL);
	if (bpf_skb_store_bytes(fill->skb, fill->at, fill->bytes, size, 0))
		return 1;
	fill->at += size;
	return 0;
}

/* 0: not all bytes from `at` to `end` could be overwritten. */
static __noinline int weft_fill(struct __sk_buff *skb, __u32 at, __u32 end, __u8 byte)
{
	struct weft_fill fill = { .skb = skb, .at = at, .end = end };

	__builtin_memset(fill.bytes, byte, sizeof(fill.bytes));
	bpf_loop(WEFT_FILL_BLOCKS, weft_fill_step, &fill, 0);
	return fill.at == end;
}

/*
 * Ends the connection where no reply can be put into its place: earlier ones are still to come from
 * the server, or it is in the middle of a body. What is refused is overwritten, from the server's next
 * byte on, with what no server takes for HTTP: it answers 400 in its turn, and closes.
 */
static __always_inline int weft_spoil(struct __sk_buff *skb, struct weft_server *server, __u32 at)
{
	__u8 line[5] = { 0, '\r', '\n', '\r', '\n' };
	__u32 end = skb->len;

	server->mode = WEFT_SERVER_OVER;
	server->held = 0;
	if (!weft_fill(skb, at, end, 0))
		return SK_DROP;
	if (end - at >= sizeof(line))
		bpf_skb_store_bytes(skb, at, line, sizeof(line), 0);
	return SK_PASS;
}

/*
 * Is the next byte that leaves the server the first of a reply to the request at `at`? The server
 * wrote after the last request that was let in, and all that it wrote was acknowledged: clients that
 * wait for a reply before they ask again acknowledge it with their question at the latest.
 */
static __always_inline int weft_is_next(struct __sk_buff *skb, const struct weft_server *server)
{
	struct tcp_sock *tcp;

	if (server->at)
		return 0;
	if (!server->asked)
		return 1;
	tcp = skb->sk ? bpf_skc_to_tcp_sock(skb->sk) : 0;
	return tcp && tcp->write_seq != server->written && tcp->snd_una == tcp->write_seq;
}

/* Writes a reply over a packet of `size` bytes, with blanks: 0 where that failed. */
static __always_inline int weft_server_write(struct __sk_buff *skb,
					     const struct weft_reply_bytes *reply, __u32 length,
					     __u32 blanks)
{
	__u32 first = reply->head_length - WEFT_HEAD_END;

	if (skb->len != length + blanks && bpf_skb_change_tail(skb, length + blanks, 0))
		return 0;
	asm volatile("" : "+r"(first), "+r"(length));
	if (length > WEFT_REPLY_MAX || first > WEFT_REPLY_MAX)
		return 0;
	/* No reply is so short. Apart, and not compared with 0: see weft_length. */
	asm volatile("" : "+r"(first), "+r"(length));
	if (length < 2 || first < 2)
		return 0;
	asm volatile("" : "+r"(first), "+r"(length));
	if (bpf_skb_store_bytes(skb, blanks, reply->bytes, length, 0))
		return 0;
	return !blanks || (!bpf_skb_store_bytes(skb, 0, reply->bytes, first, 0) &&
			   weft_fill(skb, first, first + blanks, ' '));
}

/* Answers the request that the packet begins with; `total`: its bytes with its body. */
static __always_inline int weft_server_reply(struct __sk_buff *skb, struct weft_server *server,
					     const struct weft_request *request, __u32 number,
					     __u64 total)
{
	__u32 index = number * 2, length, size = skb->len + server->held, blanks = 0;
	struct weft_reply_bytes *reply;
	__u64 cookie = server->cookie;

	if (!weft_is_next(skb, server))
		return weft_spoil(skb, server, server->at);
	reply = bpf_map_lookup_elem(&weft_replies, &index);
	if (!reply)
		return weft_spoil(skb, server, 0);
	length = weft_is_head(request) ? reply->head_length : reply->length;
	if (size > total || size < length || size > length + WEFT_BLANKS_MAX ||
	    ((request->head.flags & WEFT_HEAD_EXPECT) && size < total) ||
	    (request->head.flags & WEFT_HEAD_CHUNKED) ||
	    !(request->head.flags & WEFT_HEAD_KEEP_ALIVE) || reply->closes) {
		index |= WEFT_REPLY_CLOSING;
		reply = bpf_map_lookup_elem(&weft_replies, &index);
		if (!reply)
			return weft_spoil(skb, server, 0);
		length = weft_is_head(request) ? reply->head_length : reply->length;
	}
	if (size > length && size <= length + WEFT_BLANKS_MAX) {
		blanks = size - length;
		if (!weft_join(skb, server))
			return weft_spoil(skb, server, 0);
	}
	server->held = 0;
	server->mode = reply->closes ? WEFT_SERVER_OVER : WEFT_SERVER_HEAD;
	if (reply->closes && skb->sk)
		weft_note_ending(cookie, (__u64)bpf_skc_to_tcp_sock(skb->sk), server->cgroup);
	if (!reply->closes && total > size) {
		server->mode = WEFT_SERVER_SINK;
		server->left = total - size;
	}
	if (!weft_server_write(skb, reply, length, blanks))
		return weft_spoil(skb, server, 0);
	return bpf_sk_redirect_hash(skb, &weft_strangers, &cookie, 0);
}

#endif
