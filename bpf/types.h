/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Keys, values and records that the kernel and the agent share. The twin is
 * runtime/agent/struct-layout.ts; test/unit/layout compares the two through this object's BTF.
 *
 * No struct has hidden padding: hash keys are compared as bytes, so each hole is a named field
 * that stays zero. Ports are in host order, addresses are struct weft_address (network order).
 */
#ifndef WEFT_TYPES_H
#define WEFT_TYPES_H

#include "abi.h"

#define WEFT_NONE 0xffffffff /* no workload, no cluster, no service */
#define WEFT_SLOTS 8	     /* generations that stay loaded, and the next one */
#define WEFT_SCRATCH 1024    /* decisions in flight on the node, WEFT_SCRATCH_CPU a CPU */
#define WEFT_SCRATCH_CPU 8

enum weft_hook {
	WEFT_HOOK_CONNECT4 = 0,
	WEFT_HOOK_CONNECT6 = 1,
	WEFT_HOOK_SENDMSG4 = 2,
	WEFT_HOOK_SENDMSG6 = 3,
	WEFT_HOOK_RECVMSG4 = 4,
	WEFT_HOOK_RECVMSG6 = 5,
	WEFT_HOOK_GETPEERNAME4 = 6,
	WEFT_HOOK_GETPEERNAME6 = 7,
	WEFT_HOOK_REQUEST = 8,
	WEFT_HOOK_INGRESS = 9,
	WEFT_HOOK_SERVER = 10,
	WEFT_HOOK_ACCEPT = 11,
};

/* ---- node maps: made once, shared by all generations ---- */

/* Value of weft_active. Written and read as one aligned 8-byte word. */
struct weft_active {
	__u32 slot;	  /* of every weft_slots_<hook> */
	__u32 generation; /* 0: nothing was ever activated */
};

/* Value of weft_enrolled: which cgroup was enrolled. 0 until the agent has written it. */
struct weft_enrolment {
	__u64 cgroup; /* cgroup2 inode number */
	/*
	 * What the programs found in weft_cgroups: generation << 32 | workload. Written and read as
	 * one word; another generation's says nothing. The agent writes 0.
	 */
	__u64 workload;
};

enum weft_flow_kind {
	WEFT_FLOW_SENT = 1,	/* (socket, where the application sends) -> endpoint chosen */
	WEFT_FLOW_NAME = 2,	/* (socket, endpoint) -> the name the application used */
	WEFT_FLOW_ADMITTED = 3, /* (socket, remote) was allowed at ingress */
};

struct weft_flow_key {
	__u64 cookie;
	struct weft_address remote;
	__u16 port;
	__u16 kind; /* enum weft_flow_kind */
	/*
	 * The enrolled cgroup that it was judged for: a socket may be below several. Of the id, the
	 * half that no two live cgroups share.
	 */
	__u32 cgroup;
};

struct weft_flow {
	struct weft_address peer; /* endpoint (SENT), name (NAME), local address (ADMITTED) */
	__u16 port;
	__u16 zero;
	__u32 generation; /* that judged it */
};

/* An address and a port. */
struct weft_name {
	struct weft_address address;
	__u16 port;
	__u16 zero;
};

/* Value of weft_sockets: the names of a socket that was sent elsewhere than it asked for. */
struct weft_socket {
	struct weft_address name;     /* where the application connected to */
	struct weft_address endpoint; /* where it really went */
	__u16 name_port;
	__u16 endpoint_port;
	__u32 zero;
};

/* ---- generation maps: fresh with each generation, filled before it is activated ---- */

struct weft_service_key {
	struct weft_address address;
	__u16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 zero;
};

enum weft_service_flag {
	WEFT_SERVICE_HTTP = 1,	 /* requests on its connections are judged one by one */
	WEFT_SERVICE_DIRECT = 2, /* an endpoint's own address: no service, never routed */
};

struct weft_service {
	__u32 service;
	__u32 cluster;	/* where no policy has an opinion */
	struct weft_policy_set policies; /* asked for a route */
	__u32 flags;	/* enum weft_service_flag */
	__u32 zero;
};

enum weft_balance { WEFT_ROUND_ROBIN = 0, WEFT_RANDOM = 1 };

/* Value of weft_clusters, index cluster * 2 + (family == 6): a range of weft_endpoints. */
struct weft_cluster {
	__u32 first;
	__u32 count; /* 0: no endpoint of this family */
	__u32 balance;
	__u32 zero;
};

/* Value of weft_endpoints. Weights and order are baked in: pick is first + draw % count. */
struct weft_endpoint {
	struct weft_address address;
	__u16 port;
	__u16 zero;
	__u32 workload; /* WEFT_NONE: not a workload that we know */
};

/* One side's view of an identity: struct weft_party without the address. */
struct weft_view {
	__u64 predicates;
	__u32 attributes[WEFT_ATTRIBUTE_SLOTS];
};

/* Value of weft_identities, index workload. */
struct weft_identity {
	struct weft_view source;
	struct weft_view destination;
	struct weft_policy_set policies; /* attached to it */
	struct weft_address address4; /* zero: has none */
	struct weft_address address6;
	__u32 here; /* it is of this node, or of none that judges what it sends */
	__u32 zero;
};

/* ---- the decide input and result (decide.h; packet of the harness) ---- */

#define WEFT_INPUT_PICK 1  /* pick is given; else the cluster's balance decides */
#define WEFT_INPUT_BOUND 2 /* of the endpoints that may be chosen, this one: judgement->bound */
#define WEFT_INPUT_OPEN 4  /* of an event: the connection was open, and is judged again (open.h) */

struct weft_input {
	struct weft_address source; /* ingress only: the remote address */
	struct weft_address destination;
	__u64 cgroup; /* enrolled cgroup whose workload asks (ingress: is asked for) */
	__u64 now;
	__u32 workload; /* used instead of cgroup unless WEFT_NONE */
	__u32 random;
	__u32 pick;
	__u16 port; /* destination port */
	__u8 protocol;
	__u8 flags; /* WEFT_INPUT_* */
};

struct weft_result {
	struct weft_decision decision; /* verdict: WEFT_ALLOW or WEFT_DENY, nothing else */
	__u32 route; /* route number, 0 none, or WEFT_ROUTE_TRAP, WEFT_ROUTE_FUEL */
	__u32 route_site;
	__u32 service;
	__u32 cluster;
	struct weft_address endpoint; /* the destination itself where it is no service */
	__u16 endpoint_port;
	__u16 flags; /* enum weft_service_flag */
	__u32 pick;
	__u32 source; /* workloads */
	__u32 destination;
};

/* Record of weft_events: one verdict. */
struct weft_event {
	struct weft_input input; /* source: also of what leaves, as the policy saw it */
	struct weft_result result;
	__u64 time;   /* CLOCK_MONOTONIC, ns; input.now is what the policy saw as the time */
	__u64 cookie; /* of the socket (on a SYN: the listener's) */
	__u32 generation;
	__u16 source_port; /* 0 where it is not bound yet */
	__u8 family;
	__u8 hook; /* enum weft_hook */
};

/* What weft_open says of one connection: where sock_diag finds it, and what was decided. */
struct weft_open {
	__u64 cookie;
	struct weft_address local;
	struct weft_address remote;
	__u16 local_port;
	__u16 remote_port;
	__u32 verdict; /* 0: there was no room to decide, ask again */
};

/*
 * All memory of one decision. It is not on the stack, of which the policy may want most, and not
 * per-CPU, because hooks run preemptibly: it is a slot of weft_scratch, owned through `busy`.
 * Input and result lie where the event has them, which is then reported as it is.
 */
struct weft_judgement {
	__u64 busy;
	union {
		struct weft_event event;
		struct {
			struct weft_input input;
			struct weft_result result;
		};
	};
	struct weft_connection connection;
	struct weft_policy_set routes; /* policies that are asked for a route */
	struct weft_name bound; /* where WEFT_INPUT_BOUND says so */
	__u32 zero;
};

#include "request/types.h"

#endif
