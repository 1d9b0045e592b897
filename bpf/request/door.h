/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Doors: loopback connections into the agent. What a client sends while it is in the agent's hands
 * is written into the near end of one, so TCP holds the client back; the agent reads the far end.
 *
 * A door is lent by the word `turn`: the number of the lending, and how many bytes went through. The
 * client's socket adds its bytes by a compare-and-swap before it sends them; the agent ends the
 * lending by one that only succeeds where it has seen them all. So neither waits for the other, no
 * byte is in between, and a client that is silent holds no door.
 */
#ifndef WEFT_REQUEST_DOOR_H
#define WEFT_REQUEST_DOOR_H

#include "request/lease.h"

#define WEFT_DOORS 256 /* clients in the agent's hands */
#define WEFT_DOOR_WORDS (WEFT_DOORS / 64)

enum weft_handover_reason {
	WEFT_HANDOVER_POOL = 1,	    /* no pooled connection was idle */
	WEFT_HANDOVER_ORDER = 2,    /* earlier exchanges are not over */
	WEFT_HANDOVER_ROUTE = 3,    /* its route is more than a cluster */
	WEFT_HANDOVER_MESSAGE = 4,  /* the message cannot be split where the request ends */
	WEFT_HANDOVER_PROTOCOL = 5, /* upgrade, CONNECT, Expect, or a body in chunks */
};

/* Value of weft_handovers, index door: who has it, and what is known of the first request. */
struct weft_handover {
	__u64 turn;	/* lending << 32 | bytes handed over, modulo 2^32 */
	__u64 client;	/* cookie */
	__u64 client_socket; /* and address in the kernel: bpf_skc_to_tcp_sock */
	__u64 cgroup;	/* its workload's */
	__u64 near;	/* cookie of the door's near end */
	__u64 socket;	/* its address in the kernel */
	struct weft_name name;	   /* where it connected to */
	struct weft_name endpoint; /* where its own connection goes */
	struct weft_name chosen;   /* where the first request was judged to go; port 0: nowhere yet */
	__u32 reason;	  /* enum weft_handover_reason */
	__u32 generation; /* that judged, or is to */
	__u32 cluster;	  /* of `chosen` */
	__u32 asked;	  /* requests on its own connection so far */
	__u32 answered;	  /* and replies; ingress goes on counting */
	__u32 lease;	  /* upstream + 1 whose reply is still to come before */
	__u32 first;	  /* TCP's number of the lending's first byte */
	__u32 bound;	  /* cluster of its own connection, in `generation` */
	/* What was counted and reported of the first request; the agent decides it with the same draws. */
	__u32 verdict; /* 0: it was not judged */
	__u32 site;
	__u32 random;
	__u32 pick;
	/* TCP's number behind the replies that are counted: they are told of before TCP has them. */
	__u32 expected;
};

WEFT_MAP(weft_handovers, BPF_MAP_TYPE_ARRAY, __u32, struct weft_handover, WEFT_DOORS);
/* The near ends, by door. */
WEFT_MAP(weft_doors, BPF_MAP_TYPE_SOCKHASH, __u32, __u64, WEFT_DOORS);
WEFT_MAP(weft_door_idle, BPF_MAP_TYPE_ARRAY, __u32, __u64, WEFT_DOOR_WORDS);

static __always_inline void weft_door_put(__u32 door)
{
	__u32 word = (door >> 6) % WEFT_DOOR_WORDS;
	__u64 *idle = bpf_map_lookup_elem(&weft_door_idle, &word);

	if (idle)
		__sync_fetch_and_or(idle, 1ull << (door & 63));
}

/* A door that nobody has, as door + 1; 0 where there is none. */
static __noinline __attribute__((unused)) __u32 weft_door_take(void)
{
	for (__u32 i = 0; i < WEFT_DOOR_WORDS * 2; i++) {
		__u32 word = i % WEFT_DOOR_WORDS, slot;
		__u64 *idle = bpf_map_lookup_elem(&weft_door_idle, &word);
		__u64 seen, bit;

		if (!idle)
			return 0;
		seen = *(volatile __u64 *)idle;
		if (!seen)
			continue;
		slot = weft_lowest(seen);
		bit = 1ull << (slot & 63);
		if (__sync_fetch_and_and(idle, ~bit) & bit)
			return word * 64 + slot + 1;
	}
	return 0;
}

/* Takes this very door; 1 where nobody had it. */
static __always_inline int weft_door_claim(__u32 door)
{
	__u32 word = (door >> 6) % WEFT_DOOR_WORDS;
	__u64 *idle = bpf_map_lookup_elem(&weft_door_idle, &word), bit = 1ull << (door & 63);

	return idle && !!(__sync_fetch_and_and(idle, ~bit) & bit);
}

/* The number of the lending that the taker of a door has; it begins here. */
static __always_inline __u32 weft_door_begin(struct weft_handover *handover)
{
	int known;

	handover->first = weft_write_seq(handover->socket, handover->near, &known);
	return *(volatile __u64 *)&handover->turn >> 32;
}

/*
 * Announces bytes that go through the door next; 0 where the agent has given the client back
 * meanwhile, so that they go their own way. What was announced before and found no room is not
 * counted (weft_lease_position).
 */
static __always_inline int weft_door_enter(struct weft_handover *handover, __u32 lending, __u32 bytes)
{
	__u64 seen = *(volatile __u64 *)&handover->turn, next;
	int known;
	__u32 sent = weft_write_seq(handover->socket, handover->near, &known) - handover->first;

	next = (__u64)lending << 32 | (sent + bytes);
	/* Only the client's own socket, which is locked, adds: what differs is a new lending. */
	return seen >> 32 == lending &&
	       __sync_val_compare_and_swap(&handover->turn, seen, next) == seen;
}

/* How many bytes went in since the lending began, modulo 2^32. */
static __always_inline __u32 weft_door_sent(__u32 door)
{
	struct weft_handover *handover = bpf_map_lookup_elem(&weft_handovers, &door);
	int known;

	return handover ? weft_write_seq(handover->socket, handover->near, &known) - handover->first :
			  0;
}

/* Has a client still the door (door + 1) that it had? */
static __always_inline int weft_door_is_held(__u32 door, __u32 lending)
{
	struct weft_handover *handover;
	__u32 index = door - 1;

	if (!door)
		return 0;
	handover = bpf_map_lookup_elem(&weft_handovers, &index);
	return handover && *(volatile __u64 *)&handover->turn >> 32 == lending;
}

/* The agent gives a client back of whom it has seen `bytes`; 0 where more has come. */
static __always_inline int weft_door_return(__u32 door, __u32 lending, __u32 bytes)
{
	__u64 seen = (__u64)lending << 32 | bytes, next = (__u64)(lending + 1) << 32;
	struct weft_handover *handover = bpf_map_lookup_elem(&weft_handovers, &door);

	if (!handover || __sync_val_compare_and_swap(&handover->turn, seen, next) != seen)
		return 0;
	weft_door_put(door);
	return 1;
}

/* Tells the agent how many are answered: it waits for that. */
static __always_inline void weft_tell_door(const struct weft_http *http)
{
	__u32 index = http->door - 1;
	struct weft_handover *handover;

	if (!http->door)
		return;
	handover = bpf_map_lookup_elem(&weft_handovers, &index);
	if (!handover || handover->client != http->cookie)
		return;
	*(volatile __u32 *)&handover->expected = http->native.expected;
	*(volatile __u32 *)&handover->answered = http->native.reply.done;
}

#endif
