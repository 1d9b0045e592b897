/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A ready reply in the place of a request: the message is rewritten into it and redirected into the
 * sender's own receive queue. No agent takes part.
 */
#ifndef WEFT_REQUEST_REFUSE_H
#define WEFT_REQUEST_REFUSE_H

#include "request/tcp.h"
#include "request/work.h"

#define WEFT_REPLY_BLOCK 64
/* Each reply stands in weft_replies twice; the second says that the connection ends. */
#define WEFT_REPLY_CLOSING 1
/*
 * Bytes of replies that a client may leave unread: the kernel sets no limit to what is redirected to
 * it, and each reply costs a page, which nobody charges.
 */
#define WEFT_UNREAD_MAX 0x40000

/* The first `length` bytes of the message become those of the reply, `used` bytes behind go. */
static __noinline int weft_write_reply(struct sk_msg_md *message,
				       const struct weft_reply_bytes *reply, __u32 length, __u32 used)
{
	__u32 room = (length + WEFT_REPLY_BLOCK - 1) & ~(WEFT_REPLY_BLOCK - 1);
	__u8 *data, *end;

	if (bpf_msg_push_data(message, 0, room, 0) || bpf_msg_pull_data(message, 0, room, 0))
		return 0;
	data = message->data;
	end = message->data_end;
	for (__u32 i = 0; i < WEFT_REPLY_MAX / WEFT_REPLY_BLOCK; i++) {
		if (i * WEFT_REPLY_BLOCK >= room)
			break;
		if (data + (i + 1) * WEFT_REPLY_BLOCK > end)
			return 0;
		__builtin_memcpy(data + i * WEFT_REPLY_BLOCK, reply->bytes + i * WEFT_REPLY_BLOCK,
				 WEFT_REPLY_BLOCK);
	}
	return !bpf_msg_pop_data(message, length, room - length + used, 0);
}

/* HEAD, whose reply has no body. */
static __always_inline int weft_is_head(const struct weft_request *request)
{
	return (request->head.method & 0xffff) == 4 &&
	       *(const __u32 *)request->bytes == 0x44414548;
}

/*
 * Swallows all of a message: it is emptied and held back, so that the sender is told that all was
 * sent. The next send comes with nothing of it.
 */
static __always_inline int weft_swallow(struct sk_msg_md *message, struct weft_http *http)
{
	if (bpf_msg_pop_data(message, 0, message->size, 0))
		return SK_DROP;
	bpf_msg_cork_bytes(message, 1);
	http->flags |= WEFT_HTTP_CORKED;
	return SK_PASS;
}

static __always_inline int weft_leaves_unread(struct sk_msg_md *message)
{
	struct tcp_sock *socket = message->sk ? bpf_skc_to_tcp_sock(message->sk) : 0;

	return !socket || socket->inet_conn.icsk_inet.sk.sk_backlog.rmem_alloc.counter > WEFT_UNREAD_MAX;
}

/*
 * Answers the request that the message begins with, `total` bytes with its body, as far as it came.
 * What follows in the message would be redirected too, or be lost, since a redirection is never taken
 * off a message (sk_msg.sk_redir, sk_psock_msg_verdict); and whether a body follows that the client
 * announced with Expect nobody knows (RFC 9110 10.1.1): there the connection is over for the client,
 * who repeats elsewhere what got no answer.
 */
static __always_inline int weft_reply(struct sk_msg_md *message, struct weft_http *http,
				      const struct weft_request *request, __u32 number, __u64 total)
{
	__u32 index = number * 2, length, used, size = message->size;
	struct weft_reply_bytes *reply;
	__u64 cookie = http->cookie;

	if (size > total ||
	    ((request->head.flags & WEFT_HEAD_EXPECT) && size < total) ||
	    !(request->head.flags & WEFT_HEAD_KEEP_ALIVE))
		index |= WEFT_REPLY_CLOSING;
	reply = bpf_map_lookup_elem(&weft_replies, &index);
	if (!reply)
		return SK_DROP;
	length = weft_is_head(request) ? reply->head_length : reply->length;
	if (reply->closes) {
		total = size;
		http->mode = WEFT_HTTP_OVER;
		weft_note_ending(http->cookie, http->native.socket, http->cgroup);
	} else if (total > size && request->head.flags & WEFT_HEAD_CHUNKED) {
		http->mode = WEFT_HTTP_SINK_CHUNK;
	} else if (total > size) {
		http->mode = WEFT_HTTP_SINK;
		http->left = total - size;
	}
	used = total < size ? total : size;
	if (weft_leaves_unread(message) || !weft_write_reply(message, reply, length, used)) {
		http->mode = WEFT_HTTP_DEAD;
		return SK_DROP;
	}
	bpf_msg_apply_bytes(message, length);
	http->flags &= ~WEFT_HTTP_CORKED;
	return bpf_msg_redirect_hash(message, &weft_clients, &cookie, BPF_F_INGRESS);
}

#endif
