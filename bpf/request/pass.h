/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Letting bytes go to the bound server, exactly so many and exactly those that were read. The
 * kernel's own count (apply_bytes) is not exact: of a piece of which TCP took a part only, it lets
 * the whole length go once more without asking, whatever then comes (tcp_bpf_send_verdict). So only
 * what TCP surely takes at once is passed. The rest goes by a redirect of the socket to itself, after
 * which each message is asked about; the place in the stream is TCP's write_seq. Where memory is so
 * short that TCP takes less all the same, what was let go too much does not leave (guard.h).
 *
 * A head or chunk header of which a part is sent later is compared then with what was judged.
 */
#ifndef WEFT_REQUEST_PASS_H
#define WEFT_REQUEST_PASS_H

#include "request/guard.h"
#include "request/short.h"
#include "request/tcp.h"

/* Bytes that were let go and not sent yet; negative: more was sent. */
static __always_inline __s32 weft_granted(const struct weft_http *http, struct tcp_sock *socket)
{
	return http->judged_seq - socket->write_seq;
}

/* Of them, bytes of a head or chunk header. */
static __always_inline __u32 weft_unsent_syntax(const struct weft_http *http,
						struct tcp_sock *socket)
{
	__s32 rest = http->syntax_seq - socket->write_seq;

	return rest > 0 ? rest : 0;
}

/* A message has no more pieces (MAX_MSG_FRAGS), of which each may begin a packet of its own. */
#define WEFT_PIECES_MEMORY (17 * WEFT_PACKET_MEMORY)

/*
 * Bytes, at most `step`, that TCP takes at once of a message. It is given the message piece by piece
 * (tcp_bpf_push), and sends each before it takes the next: so it is of one piece, but where there is
 * plenty of room.
 */
static __always_inline __u32 weft_sure(struct sk_msg_md *message, struct tcp_sock *socket,
				       __u32 step)
{
	__u32 takes = weft_takes(socket), piece = message->data_end - message->data;

	if (step > piece && takes < step + WEFT_PIECES_MEMORY)
		step = piece;
	return step < takes ? step : takes;
}

/*
 * Lets `step` bytes go, exact however much of them TCP takes. Not for a message that was held back, of
 * which the kernel frees what is not sent: of that one byte, of which there is no part.
 */
static __always_inline int weft_step_exact(struct sk_msg_md *message, struct weft_http *http,
					   __u32 step)
{
	__u64 cookie = http->cookie;

	if (http->flags & WEFT_HTTP_CORKED) {
		bpf_msg_apply_bytes(message, 1);
		return SK_PASS;
	}
	bpf_msg_apply_bytes(message, step);
	return bpf_msg_redirect_hash(message, &weft_clients, &cookie, 0);
}

/* One step of what is granted, all of it body. */
static __always_inline int weft_step(struct sk_msg_md *message, struct weft_http *http,
				     struct tcp_sock *socket)
{
	__u32 step = weft_granted(http, socket), size = message->size, sure;

	if (step > size)
		step = size;
	sure = weft_sure(message, socket, step);
	if (!sure)
		return weft_step_exact(message, http, step);
	bpf_msg_apply_bytes(message, sure);
	return SK_PASS;
}

/* Puts what a message has of the next `total` bytes into the server's own socket; 0: TCP is to go. */
static __always_inline int weft_go_short(struct sk_msg_md *message, struct weft_http *http,
					 struct tcp_sock *socket, __u64 total)
{
	__u32 redirected;

	if (!(http->flags & WEFT_HTTP_SHORT))
		return 0;
	redirected = weft_redirect_short(message, http, socket, total);
	if (!redirected) {
		http->flags &= ~WEFT_HTTP_SHORT;
		return 0;
	}
	http->left = total - redirected;
	http->judged_seq = socket->write_seq;
	http->syntax_seq = socket->write_seq;
	return 1;
}

/* Whatever comes: message by message, since another generation may say otherwise. */
static __always_inline int weft_grant_all(struct sk_msg_md *message, struct weft_http *http,
					  struct tcp_sock *socket)
{
	http->left = 0;
	http->judged_seq = socket->write_seq + message->size;
	http->syntax_seq = socket->write_seq;
	return weft_step(message, http, socket);
}

#endif
