/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Letting bytes go to the bound server, exactly so many. The kernel's own count (apply_bytes) is not
 * exact: of a piece of which TCP took a part only, it lets the whole length go once more without
 * asking, and again (tcp_bpf_send_verdict). So no more is let go at once than TCP takes at once, or
 * a single byte, and the place in the stream is always TCP's write_seq. Where memory is so short that
 * TCP takes less all the same, what was let go too much does not leave (guard.h).
 */
#ifndef WEFT_REQUEST_PASS_H
#define WEFT_REQUEST_PASS_H

#include "request/guard.h"
#include "request/tcp.h"

/* Bytes that were let go and not sent yet; negative: more was sent. */
static __always_inline __s32 weft_granted(const struct weft_http *http, struct tcp_sock *socket)
{
	return http->judged_seq - socket->write_seq;
}

/* A message has no more pieces (MAX_MSG_FRAGS), of which each may begin a packet of its own. */
#define WEFT_PIECES_MEMORY (17 * WEFT_PACKET_MEMORY)

/*
 * One step of what is granted. TCP is given the message piece by piece (tcp_bpf_push), and sends each
 * before it takes the next: what it takes at once is of one piece, but where there is plenty of room.
 */
static __always_inline int weft_step(struct sk_msg_md *message, struct weft_http *http,
				     struct tcp_sock *socket)
{
	__u32 step = weft_granted(http, socket), size = message->size, takes = weft_takes(socket);
	__u32 piece = message->data_end - message->data;

	if (step > size)
		step = size;
	if (step > piece && takes < step + WEFT_PIECES_MEMORY)
		step = piece ? piece : 1;
	if (step > takes)
		step = takes ? takes : 1;
	bpf_msg_apply_bytes(message, step);
	return SK_PASS;
}

/* Lets the next `total` bytes go; where it is too much for TCP's numbers, `left` is what comes later. */
static __always_inline int weft_grant(struct sk_msg_md *message, struct weft_http *http,
				      struct tcp_sock *socket, __u64 total)
{
	__u32 now = total < WEFT_PASS_MAX ? total : WEFT_PASS_MAX;

	if (http->flags & WEFT_HTTP_SHORT) {
		__u32 redirected = weft_redirect_short(message, http, socket, total);

		if (redirected) {
			http->left = total - redirected;
			http->judged_seq = socket->write_seq;
			return SK_PASS;
		}
		http->flags &= ~WEFT_HTTP_SHORT;
	}
	http->left = total - now;
	http->judged_seq = socket->write_seq + now;
	return weft_step(message, http, socket);
}

/* Whatever comes: message by message, since another generation may say otherwise. */
static __always_inline int weft_grant_all(struct sk_msg_md *message, struct weft_http *http,
					  struct tcp_sock *socket)
{
	return weft_grant(message, http, socket, message->size);
}

#endif
