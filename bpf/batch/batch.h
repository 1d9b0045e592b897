/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Recorded traffic decided by the million: what the simulator does with one record after the other
 * (runtime/simulate/flow-steps.ts), for whatever is usual, without a call of JavaScript or an object for
 * any of it. Policies are the bundle's own WASM; what they ask is answered here out of the same structs.
 *
 * Whatever is not usual stops with a trap: a policy that stops early, a view behind its head, an answer
 * that is none. The caller decides that record once more in the plain way, which has the last word.
 * test/differential/batch compares the two over generated policies and records.
 */
#ifndef WEFT_BATCH_H
#define WEFT_BATCH_H

#include "../http/head.h"
#include "../abi.h"

typedef int __s32;

#define WEFT_EXPORT(name) __attribute__((export_name(name)))
#define WEFT_IMPORT(name) __attribute__((import_module("batch"), import_name(name)))
#define WEFT_NONE (-1)

/* Numbers of HOOK in compiler/abi/imports.ts. */
enum weft_hook {
	WEFT_ROUTE_CONNECTION,
	WEFT_AUTHORIZE_CONNECTION,
	WEFT_ROUTE_REQUEST,
	WEFT_AUTHORIZE_REQUEST,
	WEFT_HOOKS,
};

/* A literal of a policy: what it means is found once. */
struct weft_text {
	__u32 address; /* in the policy's memory; 0 where the slot is free */
	__u32 length;
	const __u8 *bytes; /* and 8 more that can be read */
	const __u8 *pattern; /* as steps; 0 where it is not known yet */
	__s32 symbol;
	__s32 labels[2]; /* slot of the label of that name, by side */
	__s32 header; /* slot of the header of that name */
};

#define WEFT_TEXTS_MAX 512 /* with more literals a policy's records are decided in the plain way */
#define WEFT_TEXTS 1024 /* a power of two, above WEFT_TEXTS_MAX */
#define WEFT_POLICIES (64 * WEFT_POLICY_WORDS)
#define WEFT_PREDICATES 4096 /* a power of two */

struct weft_policy {
	__u32 question[WEFT_HOOKS]; /* of the table of functions; 0: not exported */
	__u32 fill; /* functions that fill its fuel and tell what is left; 0 where it has none */
	__u32 left;
	__u32 is_enforced;
	__u32 can_allow[WEFT_HOOKS];
	__u32 first_route;
	__u32 routes;
	__u32 texts_known;
	struct weft_text texts[WEFT_TEXTS];
};

/* What a text predicate says of a symbol; kept, since both are few. */
struct weft_predicate {
	__u32 symbol;
	__u32 text; /* address; 0 where the slot is free */
	__u32 policy_and_kind;
	__u32 holds;
};

struct weft_endpoint {
	struct weft_address address;
	__u16 port;
	__u16 is_http; /* requests are judged there, one by one */
	__s32 workload;
};

struct weft_cluster {
	__u32 first[2]; /* of the endpoints of IPv4 and of IPv6 */
	__u32 count[2];
};

struct weft_workload {
	struct weft_party party; /* as a destination, without its address */
	struct weft_policy_set policies;
};

/* Where connections come from and go to: what holds of every record that names the same ends. */
struct weft_ends {
	struct weft_party source;
	struct weft_address to;
	struct weft_address bound;
	struct weft_policy_set policies; /* those of the service */
	__s32 source_workload; /* WEFT_NONE: a stranger */
	__s32 service;
	__s32 cluster; /* where no route says another */
	__s32 request_cluster;
	__s32 destination; /* workload of the address; WEFT_NONE where a service is asked for */
	__u32 port;
	__u32 bound_port;
	__u8 is_known;
	__u8 is_bound; /* the record says to which address and port its connection went */
	__u8 protocol;
	__u8 family;
	__u8 is_http; /* requests to the address asked for are judged one by one */
	/* The bytes by which it is found. */
	__u32 key_length;
	__u8 key[256 + 8];
};

#define WEFT_ENDS 16384
#define WEFT_ENDS_SLOTS (2 * WEFT_ENDS) /* a power of two */

/* A record as it was read; the request has as many bytes as its head. */
struct weft_record {
	__u32 ends;
	__u32 random;
	__u32 pick;
	__u32 have; /* bytes of the head; 0 where the connection itself is asked about */
	__u32 is_refused;
	__u32 unused;
	__u64 now;
	struct weft_request request;
};

/* Bytes of a record before those of its head. */
#define WEFT_RECORD_BYTES __builtin_offsetof(struct weft_record, request.bytes)

/* A line of a block: its record, 0 where it is to be read in the plain way. */
struct weft_line {
	struct weft_record *record;
	__u32 start;
};

static struct weft_policy weft_policies[WEFT_POLICIES];
static struct weft_predicate weft_predicates[WEFT_PREDICATES];
static __s32 weft_kinds[2][16]; /* slots of attributes, by side and kind */
static __u32 weft_fuel;

static struct weft_policy *weft_asked; /* the policy that runs */
static struct weft_record *weft_current;

/* Eight bytes wherever they lie. */
static __always_inline __u64 weft_eight(const __u8 *at)
{
	__u64 word;

	__builtin_memcpy(&word, at, 8);
	return word;
}

/* Whether bytes are the same; 7 more of each can be read. */
static __always_inline int weft_same(const __u8 *a, const __u8 *b, __u32 length)
{
	for (; length >= 8; length -= 8, a += 8, b += 8)
		if (weft_eight(a) != weft_eight(b))
			return 0;
	return !length || !((weft_eight(a) ^ weft_eight(b)) << (64 - 8 * length));
}

#endif
