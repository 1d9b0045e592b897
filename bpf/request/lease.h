/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pooled upstream connections: opened by the agent, each in the name of one workload and to one
 * endpoint, lent to one client at a time. Who has taken the bit of `idle` owns the connection and its
 * lease, until the reply has ended and the bit is set again.
 *
 * Twin: runtime/forward/layout.ts.
 */
#ifndef WEFT_REQUEST_LEASE_H
#define WEFT_REQUEST_LEASE_H

#include "request/socket.h"
#include "http/reply.h"

#define WEFT_UPSTREAMS 4096 /* pooled connections of the node */
#define WEFT_POOL_SLOTS 256 /* of one workload to one endpoint */
#define WEFT_POOL_WORDS (WEFT_POOL_SLOTS / 64)
#define WEFT_POOLS 4096

struct weft_pool_key {
	__u64 cgroup; /* of the workload in whose name they are */
	struct weft_name endpoint;
	__u32 zero;
};

/*
 * Value of weft_pools. Made by the agent and from then on written in place only: an update from user
 * space would undo what is taken meanwhile.
 */
struct weft_pool {
	__u64 idle[WEFT_POOL_WORDS]; /* a bit a slot: nobody uses it */
	__u64 misses;		     /* requests that found none */
	__u16 slots[WEFT_POOL_SLOTS]; /* the upstream of each */
};

enum weft_lease_state {
	WEFT_LEASE_FREE = 0,
	WEFT_LEASE_KERNEL = 1, /* the reply is redirected into the client's socket */
	WEFT_LEASE_AGENT = 2,  /* it stays in the upstream's queue; the agent forwards it */
	WEFT_LEASE_GONE = 3,   /* the agent has given the connection up: none begins any more */
	WEFT_LEASE_ANSWERED = 4, /* the reply is over, and the request still goes on: none begins yet */
};

/* Value of weft_leases, index upstream. */
struct weft_lease {
	struct weft_pool_key pool; /* written by the agent before the slot is idle for the first time */
	__u64 cookie;		   /* of the upstream's socket */
	__u64 socket;		   /* its address in the kernel */
	__u64 client;		   /* cookie */
	__u64 client_socket;	   /* and address in the kernel */
	__u64 request;		   /* bytes that it has */
	__u64 forwarded;	   /* bytes of the reply that were redirected */
	__u32 slot;
	__u32 state; /* enum weft_lease_state */
	__u32 first; /* TCP's number of the request's first byte */
	__u32 taken; /* bytes of it that the upstream took until the exchange was over, modulo 2^32 */
	struct weft_asked asked;
	struct weft_reply reply; /* where the agent goes on */
};

WEFT_MAP(weft_pools, BPF_MAP_TYPE_HASH, struct weft_pool_key, struct weft_pool, WEFT_POOLS);
WEFT_MAP(weft_leases, BPF_MAP_TYPE_ARRAY, __u32, struct weft_lease, WEFT_UPSTREAMS);
/* By upstream; stub_reply runs for what they receive. */
WEFT_MAP(weft_upstreams, BPF_MAP_TYPE_SOCKHASH, __u32, __u64, WEFT_UPSTREAMS);

/* Is an exchange under way, in this state? */
static __always_inline int weft_is_lent(__u32 state)
{
	return state == WEFT_LEASE_KERNEL || state == WEFT_LEASE_AGENT;
}

/* From one state to the other; 0 where it is in neither, since somebody else was first. */
static __always_inline int weft_lease_turn(struct weft_lease *lease, __u32 from, __u32 to)
{
	return __sync_val_compare_and_swap(&lease->state, from, to) == from;
}

static __always_inline int weft_same_pool(const struct weft_pool_key *a,
					  const struct weft_pool_key *b)
{
	return a->cgroup == b->cgroup && a->endpoint.port == b->endpoint.port &&
	       a->endpoint.address.word[0] == b->endpoint.address.word[0] &&
	       a->endpoint.address.word[1] == b->endpoint.address.word[1] &&
	       a->endpoint.address.word[2] == b->endpoint.address.word[2] &&
	       a->endpoint.address.word[3] == b->endpoint.address.word[3];
}

/* Takes this very slot; 1 where it was idle. */
static __always_inline int weft_slot_take(struct weft_pool *pool, __u32 slot)
{
	__u64 bit = 1ull << (slot & 63);

	return !!(__sync_fetch_and_and(&pool->idle[(slot >> 6) % WEFT_POOL_WORDS], ~bit) & bit);
}

static __always_inline void weft_slot_put(struct weft_pool *pool, __u32 slot)
{
	__sync_fetch_and_or(&pool->idle[(slot >> 6) % WEFT_POOL_WORDS], 1ull << (slot & 63));
}

/* Number of the lowest bit of a word that has one: the count of the bits below. No branches. */
static __always_inline __u32 weft_lowest(__u64 word)
{
	__u64 below = (word & -word) - 1;

	below -= below >> 1 & 0x5555555555555555ull;
	below = (below & 0x3333333333333333ull) + (below >> 2 & 0x3333333333333333ull);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return below * 0x0101010101010101ull >> 56 & 63;
}

/*
 * An idle upstream of this pool, as index + 1, from then on the caller's; 0 where there is none. The
 * element may have been given to another pool while it is looked at, so the lease has the last word.
 */
static __noinline __attribute__((unused)) __u32 weft_pool_take(const struct weft_pool_key *key)
{
	struct weft_pool *pool = bpf_map_lookup_elem(&weft_pools, key);
	struct weft_lease *lease;

	if (!pool)
		return 0;
	for (__u32 i = 0; i < WEFT_POOL_WORDS * 2; i++) {
		__u32 word = i % WEFT_POOL_WORDS, slot, index;
		__u64 idle = *(volatile __u64 *)&pool->idle[word];

		if (!idle)
			continue;
		slot = word * 64 + weft_lowest(idle);
		if (!weft_slot_take(pool, slot))
			continue;
		index = pool->slots[slot % WEFT_POOL_SLOTS];
		lease = bpf_map_lookup_elem(&weft_leases, &index);
		if (lease && weft_same_pool(&lease->pool, key))
			return index + 1;
		/* Of a connection that was given up the bit means nothing. */
		if (lease && lease->cookie)
			weft_slot_put(pool, slot);
		break;
	}
	__sync_fetch_and_add(&pool->misses, 1);
	return 0;
}

/*
 * From here on what the upstream sends is this client's. Call it before the request is redirected. 0:
 * the connection has ended, which the agent may not have noticed yet, or the agent has given it up;
 * its slot stays taken. So of a begun lease the agent sees the end, and of no other.
 */
static __always_inline int weft_lease_begin(__u32 index, __u64 client, __u64 client_socket,
					    __u64 kinds, __u64 bytes)
{
	struct weft_lease *lease = bpf_map_lookup_elem(&weft_leases, &index);
	int known;

	if (!lease || weft_tcp_state(lease->socket, lease->cookie) != WEFT_TCP_ESTABLISHED)
		return 0;
	lease->first = weft_write_seq(lease->socket, lease->cookie, &known);
	lease->client = client;
	lease->client_socket = client_socket;
	lease->request = bytes;
	lease->taken = 0;
	lease->forwarded = 0;
	lease->asked.kinds = kinds;
	lease->asked.count = 1;
	__builtin_memset(&lease->reply, 0, sizeof(lease->reply));
	return weft_lease_turn(lease, WEFT_LEASE_FREE, WEFT_LEASE_KERNEL);
}

/*
 * How many bytes of the request the upstream has taken. The kernel does not tell: of a redirected
 * message that found little room it counts all as sent (tcp_bpf_send_verdict), and the sender, told
 * the truth, repeats the rest. Modulo 2^32.
 */
static __always_inline __u32 weft_lease_position(const struct weft_lease *lease)
{
	int known;
	__u32 now = weft_write_seq(lease->socket, lease->cookie, &known);

	return known ? now - lease->first : lease->taken;
}

/* The upstream was not there any more: its slot stays taken, until the agent has replaced it. */
static __always_inline void weft_lease_cancel(__u32 index)
{
	struct weft_lease *lease = bpf_map_lookup_elem(&weft_leases, &index);

	if (lease)
		weft_lease_turn(lease, WEFT_LEASE_KERNEL, WEFT_LEASE_FREE);
}

/* Is this upstream (index + 1) still busy with an exchange of this client? */
static __always_inline int weft_lease_is_open(__u32 upstream, __u64 client)
{
	__u32 index = upstream - 1;
	struct weft_lease *lease;

	if (!upstream)
		return 0;
	lease = bpf_map_lookup_elem(&weft_leases, &index);
	return lease && weft_is_lent(*(volatile __u32 *)&lease->state) &&
	       *(volatile __u64 *)&lease->client == client;
}

/*
 * Has the client's socket all that came by upstreams, the last of them this one (index + 1)? What it
 * has not is read behind what comes by TCP meanwhile: it waits in the kernel's work queue (longest
 * where the client's memory is full), and is queued there only behind the program that redirects it
 * and ends the lease, while the upstream's socket is still locked.
 */
static __always_inline int weft_is_delivered(const struct sock___weft *socket, __u32 upstream)
{
	__u32 index = upstream - 1;
	struct weft_lease *lease = upstream ? bpf_map_lookup_elem(&weft_leases, &index) : 0;
	const struct sock___weft *from = 0;

	if (lease && weft_is_socket((void *)lease->socket, lease->cookie))
		from = (void *)lease->socket;
	return weft_redirects_end(socket, from);
}

/* The lease ends from this state, once, and the connection can have another one. */
static __always_inline void weft_lease_put(struct weft_lease *lease, __u32 state)
{
	struct weft_pool *pool;

	if (!weft_lease_turn(lease, state, WEFT_LEASE_FREE))
		return;
	pool = bpf_map_lookup_elem(&weft_pools, &lease->pool);
	if (pool)
		weft_slot_put(pool, lease->slot);
}

/*
 * The reply is over, to a lease in this state; the connection can have another exchange, or is left to
 * the agent. A server may answer before it was told all: then the client first sends the rest.
 */
static __always_inline void weft_lease_end(struct weft_lease *lease, __u32 state, int reusable)
{
	lease->taken = weft_lease_position(lease);
	if (!reusable)
		weft_lease_turn(lease, state, WEFT_LEASE_FREE);
	else if (lease->taken == (__u32)lease->request)
		weft_lease_put(lease, state);
	else
		weft_lease_turn(lease, state, WEFT_LEASE_ANSWERED);
}

#endif
