/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What hooks and policy functions share; the twin of compiler/abi/layout.ts and verdict.ts
 * (test/unit/abi-layout compares the two through this object's BTF).
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. Ports are in host order.
 */
#ifndef WEFT_ABI_H
#define WEFT_ABI_H

#if defined(__linux__) || defined(__bpf__)
#include <linux/types.h>
#else
#include "http/word.h"
#endif

#define WEFT_ATTRIBUTE_SLOTS 16

struct weft_address {
	__u32 word[4];
};

/* One side of a connection as a policy sees it. */
struct weft_party {
	struct weft_address address;
	__u64 predicates;			  /* bit per text predicate of the bundle */
	__u32 attributes[WEFT_ATTRIBUTE_SLOTS]; /* symbols; 0 absent */
};

#define WEFT_POLICY_WORDS 2

/* A bit per policy of the bundle. */
struct weft_policy_set {
	__u64 word[WEFT_POLICY_WORDS];
};

_Static_assert(WEFT_POLICY_WORDS == 2, "what follows goes through each word");

static __attribute__((always_inline)) inline int weft_any(const struct weft_policy_set *set)
{
	return (set->word[0] | set->word[1]) != 0;
}

/* Is any policy in both? One test for all words: each branch doubles the ways that a verifier walks. */
static __attribute__((always_inline)) inline int
weft_overlap(const struct weft_policy_set *a, const volatile struct weft_policy_set *b)
{
	return ((a->word[0] & b->word[0]) | (a->word[1] & b->word[1])) != 0;
}

struct weft_connection {
	struct weft_party source;
	struct weft_party destination;
	struct weft_policy_set policies; /* that are attached to the target */
	__u64 now;	 /* ns since 1970-01-01 UTC */
	__u64 zero;	 /* always 0, which the verifier does not know: see docs, laundering */
	__u32 random;
	__u16 destination_port;
	__u8 protocol;
	__u8 family; /* 4 or 6 */
};

#ifndef WEFT_HEAD_MAX
#define WEFT_HEAD_MAX 8192
#define WEFT_HEAD_SLACK 8 /* eight bytes can be read at any offset of a head */
#endif
#ifndef WEFT_HEADER_SLOTS
#define WEFT_HEADER_SLOTS 16
#endif

/*
 * What the parser found in the head of a request. A view is offset << 16 | length into the bytes of
 * the head, 0 where absent; the path's is that of the normalised path.
 */
#ifndef WEFT_HEAD_DEFINED
#define WEFT_HEAD_DEFINED
struct weft_head {
	__u16 length; /* of the whole head, with the empty line */
	__u16 status;
	__u8 minor;
	__u8 flags;
	__u16 reason;
	__u32 method;
	__u32 target;
	__u32 path;
	__u32 query;
	__u32 host;
	__u32 headers[WEFT_HEADER_SLOTS]; /* those that the bundle looks at */
	__u16 repeated; /* bit per header of which there is more than the one that the view is of */
	__u16 offset;
	__u64 content_length;
};
#endif

/* A request as a policy sees it; begins as its connection does. */
struct weft_request {
	struct weft_connection connection;
	struct weft_head head;
	__u32 zero;
	__u8 bytes[WEFT_HEAD_MAX + WEFT_HEAD_SLACK];
};

enum weft_verdict { WEFT_ALLOW = 1, WEFT_DENY = 2 };

enum weft_reason {
	WEFT_REASON_POLICY = 0,
	WEFT_REASON_DEFAULT = 1,
	WEFT_REASON_NO_ALLOW = 2,
	WEFT_REASON_TRAP = 3,
	WEFT_REASON_FUEL = 4,
	WEFT_REASON_UNKNOWN_IDENTITY = 5,
	WEFT_REASON_NO_ENDPOINT = 6,
	WEFT_REASON_NO_ROUTE = 7,
	WEFT_REASON_NO_GENERATION = 8,
	WEFT_REASON_PARSE = 9,
	WEFT_REASON_BUSY = 10, /* no memory for one more decision on this CPU: denied */
	WEFT_REASON_REQUESTS = 11, /* a connection whose requests are judged one by one */
	WEFT_REASON_CONNECTION = 12, /* a request of which no policy is asked: as its connection */
	WEFT_REASON_FAULT = 13, /* an exchange ended since the agent failed in it, or was not there */
};

#define WEFT_NO_POLICY 0xffffffff
/* low 16 bits of a route that stopped early */
#define WEFT_ROUTE_TRAP 0xfff0
#define WEFT_ROUTE_FUEL 0xfff1

struct weft_decision {
	__u32 verdict;
	__u32 site;
	__u32 policy;
	__u32 reason;
	struct weft_policy_set audited;	     /* policies that answered Audit */
	struct weft_policy_set shadow_allow; /* shadow policies and what they said */
	struct weft_policy_set shadow_deny;
};

/*
 * The joined policy of a bundle, made by the compiler, joined by libbpf's linker.
 * weft_route_connection: site << 16 | bundle-wide route number (0: no opinion).
 * weft_authorize_connection fills all of *decision and returns decision->verdict.
 * Both are global functions: the verifier checks them once, with unknown arguments.
 */
extern int weft_route_connection(const struct weft_connection *connection);
extern int weft_authorize_connection(const struct weft_connection *connection,
				     struct weft_decision *decision);

/* The same for requests; defined where the bundle has request policies. */
extern int weft_route_request(const struct weft_request *request);
extern int weft_authorize_request(const struct weft_request *request,
				  struct weft_decision *decision);

#endif
