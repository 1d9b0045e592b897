/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the receiving side keeps of a connection whose requests nobody judged where they were sent.
 * sk_skb has no socket storage, so it lies in maps by the socket's cookie; of what an LRU map has
 * forgotten nothing more is let in.
 */
#ifndef WEFT_REQUEST_SERVER_NODE_H
#define WEFT_REQUEST_SERVER_NODE_H

#include "request/node.h"
#include "request/window.h"

#define WEFT_STRANGERS 32768 /* accepted sockets whose requests are judged */
#define WEFT_HELD 256	   /* of these, with a head of which only a part has come */

/* What comes next of such a client. */
enum weft_server_mode {
	WEFT_SERVER_HEAD = 0,	/* `left` bytes of a body, then a head */
	WEFT_SERVER_CHUNK = 1,	/* `left` bytes of a chunk, then a chunk's header */
	WEFT_SERVER_TUNNEL = 2, /* what is not looked at: it is no HTTP, and is let in */
	WEFT_SERVER_UNSEEN = 3, /* what a generation without request policies let in: anything */
	WEFT_SERVER_SINK = 4,	/* `left` bytes of a refused body */
	WEFT_SERVER_OVER = 5,	/* nothing: the client was told so, or the server */
};

/* Value of weft_server_states. Only one CPU at a time runs for a socket. */
struct weft_server {
	__u64 cookie;
	__u64 cgroup; /* whose workload is asked for */
	__u64 left;   /* see mode */
	struct weft_name local;
	struct weft_name remote;
	__u32 mode;    /* enum weft_server_mode */
	__u32 at;      /* bytes of the packet that are let in */
	__u32 held;    /* bytes in weft_held */
	__u32 asked;   /* a request was let in */
	__u32 written; /* TCP's number of what the server sends next, when it was */
	__u32 zero;
	struct weft_chunk chunk;
};

/* The beginning of a head, until the rest comes; and room for one more packet. */
struct weft_held {
	__u8 bytes[2 * WEFT_HEAD_MAX];
};

/* By cookie, as all of them; stub_server runs for what they receive. */
WEFT_MAP(weft_strangers, BPF_MAP_TYPE_SOCKHASH, __u64, __u64, WEFT_STRANGERS);
WEFT_MAP(weft_server_states, BPF_MAP_TYPE_LRU_HASH, __u64, struct weft_server, WEFT_STRANGERS);
WEFT_MAP(weft_held, BPF_MAP_TYPE_LRU_HASH, __u64, struct weft_held, WEFT_HELD);
/* Index: 0. What a new entry of weft_held is made of. */
WEFT_MAP(weft_held_empty, BPF_MAP_TYPE_ARRAY, __u32, struct weft_held, 1);
/* A generation's program goes on in itself. */
WEFT_MAP(weft_slots_server, BPF_MAP_TYPE_PROG_ARRAY, __u32, __u32, WEFT_SLOTS);

/* Not 0: there was no room for the beginning of a head. */
static __always_inline long weft_keep_held(__u64 cookie, const __u8 *bytes)
{
	__u32 zero = 0;
	struct weft_held *empty = bpf_map_lookup_elem(&weft_held_empty, &zero), *held;

	if (!empty || bpf_map_update_elem(&weft_held, &cookie, empty, BPF_ANY))
		return 1;
	held = bpf_map_lookup_elem(&weft_held, &cookie);
	return !held || bpf_probe_read_kernel(held->bytes, WEFT_HEAD_MAX, bytes);
}

/*
 * A packet goes on where a part of a head was held back: that part stands before it again. Nothing
 * was consumed of what is held, so TCP counts it now. 0: it is lost.
 */
static __always_inline int weft_join(struct __sk_buff *skb, struct weft_server *server)
{
	__u32 size = server->held;
	__u64 cookie = server->cookie;
	struct weft_held *held;

	if (!size)
		return 1;
	server->held = 0;
	held = bpf_map_lookup_elem(&weft_held, &cookie);
	if (!held || size > WEFT_HEAD_MAX || bpf_skb_change_head(skb, size, 0) ||
	    bpf_skb_store_bytes(skb, 0, held->bytes, weft_length(size, WEFT_HEAD_MAX), 0))
		return 0;
	bpf_map_delete_elem(&weft_held, &cookie);
	return 1;
}

#endif
