/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Replies on a client's own connection, watched as they arrive: how many requests are answered, and
 * whether HTTP goes on. What comes by another way may be put into the client's queue only between
 * replies, and while it is under way the bound server's words wait: its FIN most of all, which would
 * cut the other reply short. What waits is dropped here; TCP repeats it.
 */
#ifndef WEFT_REQUEST_NATIVE_H
#define WEFT_REQUEST_NATIVE_H

#include "request/door.h"
#include "request/guard.h"
#include "request/known.h"
#include "request/window.h"

/* Windows of one segment; one that needs more is not followed. */
#define WEFT_NATIVE_WINDOWS 256
/* Two CPUs may have segments of one connection at the same time. */
#define WEFT_NATIVE_WAIT 4096

/* A window of the segment that this CPU has: segments arrive with softirqs off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_window);
} weft_native_window SEC(".maps");

/* Replies that this CPU knows; nobody else of it has them, for the same reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEFT_KNOWN);
	__type(key, __u32);
	__type(value, struct weft_known);
} weft_known_replies SEC(".maps");

/* What is known of replies of a length, where the next one may be that. */
static __always_inline struct weft_known *weft_known_reply(const struct weft_native *native,
							   __u32 length)
{
	__u32 index = length % WEFT_KNOWN;

	if (!weft_may_be_known(&native->reply, &native->asked))
		return 0;
	return bpf_map_lookup_elem(&weft_known_replies, &index);
}

/* Is this the reply that is known? */
static __always_inline int weft_is_known(struct __sk_buff *skb, __u32 at, __u32 payload,
					 struct weft_window *window, const struct weft_known *known)
{
	if (known->length != payload || !known->head.length)
		return 0;
	return !bpf_skb_load_bytes(skb, at, window->bytes,
				   weft_length(known->head.length, WEFT_KNOWN_HEAD)) &&
	       weft_is_same_head(window, &known->head);
}

struct weft_native_walk {
	struct __sk_buff *skb;
	struct weft_native *native;
	struct weft_window *window;
	__u32 at; /* in the packet */
	__u32 left; /* of the segment */
};

static long weft_native_step(__u32 index, struct weft_native_walk *walk)
{
	struct weft_reply *reply = &walk->native->reply;
	__u32 stream = walk->left, have = 0;
	int event;

	if (!stream)
		return 1;
	if (reply->left < stream) {
		have = weft_window_of(stream);
		if (bpf_skb_load_bytes(walk->skb, walk->at, walk->window->bytes, have))
			return 1;
	}
	event = weft_frame_reply(walk->window->bytes, have, stream, &walk->native->asked, reply);
	if (reply->lines.at > stream)
		return 1;
	walk->at += reply->lines.at;
	walk->left -= reply->lines.at;
	return event > WEFT_FRAME_DONE; /* a tunnel, a reply to the end, or broken: for ever */
}

/*
 * Bytes came before others that stand in front of them, and in those a reply may end: may they pass all
 * the same? Of the only reply that is asked for they are the body, if nobody has seen its head yet; they
 * are skipped when the head has come. Where several are asked for they may be another one's head, so they
 * come again, in their order. Chunks that begin in them are never known.
 */
static __noinline int weft_native_early(struct weft_native *native, __u32 sequence, __u32 payload)
{
	__u32 end = sequence + payload;

	if (!native)
		return 1;
	if (native->asked.count - native->reply.done > 1)
		return 0;
	if (native->reply.lines.phase != WEFT_FRAME_START &&
	    native->reply.lines.flags & WEFT_REPLY_HEAD) {
		native->flags |= WEFT_NATIVE_LOST;
		return 1;
	}
	if (native->early == native->early_end) {
		native->early = sequence;
		native->early_end = end;
		return 1;
	}
	if ((__s32)(sequence - native->early_end) > 0 || (__s32)(native->early - end) > 0)
		return 0; /* a second hole */
	if ((__s32)(native->early - sequence) > 0)
		native->early = sequence;
	if ((__s32)(end - native->early_end) > 0)
		native->early_end = end;
	return 1;
}

/* The bytes that came early follow now, if the hole before them is filled: they are body, or nobody knows. */
static __noinline int weft_native_catch_up(struct weft_native *native, struct weft_native_walk *walk)
{
	__s32 rest;

	if (!native || !walk || (__s32)(native->early - native->expected) > 0)
		return 0;
	rest = native->early_end - native->expected;
	native->early = native->early_end;
	if (rest <= 0)
		return 0;
	if (native->reply.left < rest) {
		native->flags |= WEFT_NATIVE_LOST;
		return 0;
	}
	walk->left = rest;
	bpf_loop(1, weft_native_step, walk, 0);
	native->expected += rest;
	return 0;
}

/*
 * Frames `payload` bytes at `at`; what cannot be followed is told by the count that stays open. 0: they
 * are to come again.
 */
static __noinline int weft_native_follow(struct __sk_buff *skb, struct weft_native *native, __u32 at,
					 __u32 sequence, __u32 payload)
{
	__s32 ahead = sequence - native->expected;
	struct weft_native_walk walk;
	__u32 zero = 0, done = native ? native->reply.done : 0;
	struct weft_known *known;

	if (!native || native->flags & WEFT_NATIVE_LOST)
		return 1;
	if (ahead < 0) { /* repeated, in whole or in part */
		if (payload + ahead > payload)
			return 1;
		at -= ahead;
		payload += ahead;
	} else if (ahead) {
		/* A hole in a body is no riddle; the rest of it comes later. */
		if (native->reply.left < ahead)
			return weft_native_early(native, sequence, payload);
		native->reply.left -= ahead;
		native->expected += ahead;
	}
	walk.window = bpf_map_lookup_elem(&weft_native_window, &zero);
	if (!walk.window)
		return 1;
	known = weft_known_reply(native, payload);
	if (known && weft_is_known(skb, at, payload, walk.window, known)) {
		weft_follow_known(&native->reply, known);
		native->expected += payload;
		return 1;
	}
	walk.skb = skb;
	walk.native = native;
	walk.at = at;
	walk.left = payload;
	bpf_loop(WEFT_NATIVE_WINDOWS, weft_native_step, &walk, 0);
	native->expected += payload;
	if (walk.left && native->reply.lines.phase != WEFT_FRAME_TUNNEL &&
	    native->reply.lines.phase != WEFT_FRAME_UNTIL_CLOSE)
		native->flags |= WEFT_NATIVE_LOST;
	/* All was taken at once: it was one reply, and the window has its beginning. */
	if (known && native->reply.lines.at == payload && native->reply.done == done + 1)
		weft_learn(known, walk.window, &native->reply, payload);
	if (native->early != native->early_end)
		weft_native_catch_up(native, &walk);
	return 1;
}

/* A reply goes on by TCP: who has `busy` of the client's native takes over what was framed. */
static __noinline int weft_take_replies(struct weft_http *http)
{
	struct weft_served_state state;
	__u32 grant;

	if (!http)
		return 0;
	grant = http->native.grant;
	if (bpf_probe_read_kernel(&state, sizeof(state), (void *)http->native.record) ||
	    state.cookie != http->native.server)
		http->native.flags |= WEFT_NATIVE_LOST;
	else if (state.grant == grant)
		http->native.reply = state.reply;
	__sync_val_compare_and_swap(&http->native.grant, grant, grant + 1);
	return 0;
}

struct weft_native_turn {
	struct weft_native *native;
	__u64 taken;
};

static long weft_native_try(__u32 index, struct weft_native_turn *turn)
{
	turn->taken = __sync_val_compare_and_swap(&turn->native->busy, 0, 1) == 0;
	return turn->taken;
}

/* Another CPU has it just now; 0: for too long. */
static __noinline int weft_native_await(struct weft_native *native)
{
	struct weft_native_turn turn = { .native = native };

	if (!native)
		return 0;
	bpf_loop(WEFT_NATIVE_WAIT, weft_native_try, &turn, 0);
	return turn.taken;
}

/* Must what comes by the client's own connection wait for another exchange? */
static __always_inline int weft_native_waits(const struct weft_http *http)
{
	if (weft_lease_is_open(http->lease, http->cookie))
		return 1;
	/* Until the agent's turn comes, what was asked before is answered here. */
	return weft_door_is_held(http->door, http->lending) &&
	       http->native.asked.count == http->native.reply.done;
}

static __noinline int weft_native_segment(struct __sk_buff *skb, struct weft_http *http,
					  const struct weft_segment *segment)
{
	struct weft_native *native = &http->native;
	__u32 payload = skb->len - segment->payload;
	int taken;

	if (payload > skb->len || segment->flags & WEFT_TCP_SYN ||
	    (!payload && !(segment->flags & WEFT_TCP_FIN)))
		return 1;
	if (weft_native_waits(http))
		return 0;
	if (segment->flags & WEFT_TCP_FIN && weft_redirects_wait((void *)native->socket))
		return 0;
	if (!payload)
		return 1;
	if (__sync_val_compare_and_swap(&native->busy, 0, 1) && !weft_native_await(native))
		return 0; /* TCP repeats it */
	if (native->grant & 1)
		weft_take_replies(http);
	taken = weft_native_follow(skb, native, segment->payload, segment->sequence, payload);
	__sync_lock_test_and_set(&native->busy, 0);
	weft_tell_door(http);
	return taken;
}

/* cgroup_skb/ingress, of a connection that is open: 0 where it is to come again later. */
static __always_inline int weft_native_arrives(struct __sk_buff *skb,
					       const struct weft_segment *segment)
{
	struct bpf_sock *socket = skb->sk;
	struct weft_http *http;

	if (!socket)
		return 1;
	socket = bpf_sk_fullsock(socket);
	if (!socket)
		return 1;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http || !http->cookie)
		return weft_is_let_in(socket);
	return weft_native_segment(skb, http, segment);
}

#endif
