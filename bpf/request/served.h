/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The short circuit's way back: what a server sends, into the socket of its client (sk_msg, redirect
 * ingress). Replies that come so are framed here instead of where segments arrive (request/native.h),
 * and count as answered only when they are in the client's queue, since until then something else
 * might still be put before them: see replies.bpf.c.
 *
 * Who frames is told by `grant`. The client's side makes it odd (weft_grant_replies). A segment with
 * data that arrives makes it even, and takes over.
 */
#ifndef WEFT_REQUEST_SERVED_H
#define WEFT_REQUEST_SERVED_H

#include "request/short.h"
#include "request/window.h"

/* Windows of one message; one that needs more goes by TCP. */
#define WEFT_SERVED_WINDOWS 256

/* What is read of the client's: the beginning of struct weft_native, in one cache line. */
struct weft_asker {
	__u64 socket;
	struct weft_asked asked;
	__u32 grant;
	__u32 granted_done;
	__u64 server;
};
#define WEFT_SAME_PLACE(field)                                                                     \
	_Static_assert(__builtin_offsetof(struct weft_asker, field) ==                             \
			       __builtin_offsetof(struct weft_native, field),                      \
		       #field)
WEFT_SAME_PLACE(asked);
WEFT_SAME_PLACE(grant);
WEFT_SAME_PLACE(granted_done);
WEFT_SAME_PLACE(server);

struct weft_served_walk {
	struct sk_msg_md *message;
	struct weft_served *served;
	struct weft_asked asked;
	__u32 size;  /* of the message */
	__u32 at;    /* bytes that are framed */
	__u32 data;  /* the byte that message->data points to */
	__u32 event;
};

/* Copies `have` bytes from `at` on into the window; 0 where that failed. */
static __always_inline int weft_served_load(struct weft_served_walk *walk, __u32 have)
{
	struct sk_msg_md *message = walk->message;
	__u64 from = walk->at - walk->data;

	if (from > 0xffff || message->data + from + have > message->data_end) {
		if (bpf_msg_pull_data(message, walk->at, walk->at + have, 0))
			return 0;
		walk->data = walk->at;
		from = 0;
	}
	return !bpf_probe_read_kernel(walk->served->window.bytes,
				      weft_length(have, WEFT_WINDOW_MAX), message->data + from);
}

static long weft_served_step(__u32 index, struct weft_served_walk *walk)
{
	struct weft_reply *reply = &walk->served->state.reply;
	__u32 stream = walk->size - walk->at, have = 0;

	if (!stream)
		return 1;
	if (reply->left < stream) {
		have = weft_window_of(stream);
		if (!weft_served_load(walk, have)) {
			walk->event = WEFT_FRAME_REFUSED;
			return 1;
		}
	}
	walk->event = weft_frame_reply(walk->served->window.bytes, have, stream, &walk->asked, reply);
	walk->at += reply->lines.at;
	if (walk->at > walk->size)
		walk->event = WEFT_FRAME_REFUSED;
	return walk->event == WEFT_FRAME_TUNNELS || walk->event == WEFT_FRAME_REFUSED;
}

/* Is the message the reply that came before on this connection, once more? */
static __always_inline int weft_served_again(struct weft_served_walk *walk)
{
	const struct weft_known *known = &walk->served->known;

	if (known->length != walk->size ||
	    !weft_may_be_known(&walk->served->state.reply, &walk->asked) ||
	    !weft_served_load(walk, known->head.length))
		return 0;
	return weft_is_same_head(&walk->served->window, &known->head);
}

/* Is all of the message of replies that the client waits for? Then they are counted. */
static __noinline int weft_served_frame(struct sk_msg_md *message, struct weft_served *served,
					const struct weft_asker *asker)
{
	struct weft_served_walk walk = { .message = message };
	int alone;

	if (!served || !asker)
		return 0;
	walk.served = served;
	walk.asked = asker->asked;
	walk.size = message->size;
	if (served->state.grant != asker->grant) {
		__builtin_memset(&served->state.reply, 0, sizeof(served->state.reply));
		served->state.reply.done = asker->granted_done;
		served->state.grant = asker->grant;
	}
	served->before = served->state.reply;
	if (weft_served_again(&walk)) {
		weft_follow_known(&served->state.reply, &served->known);
		return 1;
	}
	alone = weft_may_be_known(&served->before, &walk.asked);
	bpf_loop(WEFT_SERVED_WINDOWS, weft_served_step, &walk, 0);
	if (walk.at == walk.size && walk.event != WEFT_FRAME_TUNNELS &&
	    walk.event != WEFT_FRAME_REFUSED) {
		/* All was taken at once: it was one reply, and the window has its beginning. */
		if (alone && served->state.reply.lines.at == walk.size &&
		    served->state.reply.done == served->before.done + 1)
			weft_learn(&served->known, &served->window, &served->state.reply, walk.size);
		return 1;
	}
	served->state.reply = served->before;
	return 0;
}

/* sk_msg of an accepted socket. What is not redirected is TCP's. */
static __always_inline int weft_reply_short(struct sk_msg_md *message)
{
	struct bpf_sock *socket = message->sk;
	struct weft_served *served;
	struct weft_asker asker;
	struct tcp_sock *tcp;
	__u64 cookie;

	if (!socket)
		return SK_PASS;
	served = bpf_sk_storage_get(&weft_served, socket, 0, 0);
	tcp = bpf_skc_to_tcp_sock(socket);
	if (!served || !tcp || !weft_sends_past(socket, tcp) ||
	    !weft_takes_redirects(&served->client, tcp->write_seq, message->size))
		return SK_PASS;
	/* As long as the socket is the client's, its record is where it was. */
	if (bpf_probe_read_kernel(&asker, sizeof(asker), (void *)served->client.record) ||
	    !(asker.grant & 1) || asker.socket != served->client.socket ||
	    asker.server != served->state.cookie ||
	    !weft_served_frame(message, served, &asker))
		return SK_PASS;
	cookie = served->client.cookie;
	if (bpf_msg_redirect_hash(message, &weft_clients, &cookie, BPF_F_INGRESS) == SK_PASS)
		served->state.done = served->state.reply.done;
	else
		served->state.reply = served->before;
	return SK_PASS;
}

#endif
