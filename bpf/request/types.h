/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the request path keeps of a client's socket, and the maps of a generation that judges
 * requests; lease.h and door.h have the rest. Twin:
 * runtime/agent/request-layout.ts, compared by test/unit/layout as types.h is.
 */
#ifndef WEFT_REQUEST_TYPES_H
#define WEFT_REQUEST_TYPES_H

#include "http/reply.h"

#define WEFT_CLIENTS 262144   /* sockets whose requests are judged */
#define WEFT_REQUESTS_CPU 2   /* requests being judged, a CPU */
#define WEFT_REQUESTS_MORE 256 /* and on the node, where a CPU has preempted more */
#define WEFT_REPLY_MAX 1088   /* bytes of a reply that the kernel writes */

/* ---- node ---- */

/* What comes next of a client, once all that was let go is sent. */
enum weft_http_mode {
	WEFT_HTTP_HEAD = 0,   /* a request's head, or `left` bytes of the body before it */
	WEFT_HTTP_CHUNK = 1,  /* a chunk's header, or the rest of one */
	WEFT_HTTP_TUNNEL = 2, /* what is not looked at: it is no HTTP, and is let pass */
	WEFT_HTTP_UNSEEN = 3, /* what a generation without request policies let pass: anything */
	WEFT_HTTP_SINK = 4,   /* `left` bytes of a refused body */
	WEFT_HTTP_SINK_CHUNK = 5, /* `left` bytes of a refused body's chunk, then the next */
	WEFT_HTTP_OVER = 6,   /* nothing: the last reply said so. It is swallowed */
	WEFT_HTTP_DEAD = 7,   /* nothing: the sender gets an error */
};

/* May what comes next go to the bound server, if nobody looks at requests any more? */
static __attribute__((always_inline)) inline int weft_is_passing(__u32 mode)
{
	return mode <= WEFT_HTTP_UNSEEN;
}

enum weft_http_flag {
	WEFT_HTTP_ON = 1,	   /* its requests are judged */
	WEFT_HTTP_ESTABLISHED = 2, /* judged_seq is set */
	/*
	 * The socket has a message that was held back once. Of such a message the kernel frees
	 * without a word what follows a part that is redirected (tcp_bpf_send_verdict).
	 */
	WEFT_HTTP_CORKED = 4,
	WEFT_HTTP_OFFERED = 8, /* its server may be met: see short.h */
	WEFT_HTTP_SHORT = 16,  /* the request that is under way goes past TCP */
	/*
	 * What comes next stands in a message of which the beginning was redirected. The kernel takes
	 * a redirection never off a message, and loses what is held back of such a one: it can only be
	 * redirected once more.
	 */
	WEFT_HTTP_TAIL = 32,
	WEFT_HTTP_PROVES = 64, /* its server is of this node, and wants proof (proof.h) */
	WEFT_HTTP_LOOKED = 128, /* in this run: its server takes what goes past TCP */
	/* Its replies may come past TCP, unless one has come by TCP since (granted_seq). */
	WEFT_HTTP_GRANTED = 256,
};

/* The other end of a connection, where it is enrolled on this node too; addresses in the kernel. */
struct weft_peer {
	__u64 cookie; /* 0: not known */
	__u64 socket;
	__u64 record;	/* a server's: struct weft_served_state; a client's: struct weft_native */
	__u64 pressure; /* not 0 there: TCP is short of memory */
	__u32 read_seq; /* it had read all that came by TCP before this number */
	__u32 turns;	/* redirects until it is looked at again */
};

enum weft_native_flag {
	WEFT_NATIVE_LOST = 1, /* it cannot be followed: its replies are never known to be complete */
};

/*
 * The replies on a client's own connection (request/native.h). First what is written where requests are
 * sent, in a line of its own; then what is written where segments arrive, by who has `busy`: that one
 * takes it without waiting for the other CPU's line.
 */
struct weft_native {
	__u64 socket; /* the client's, its address in the kernel */
	struct weft_asked asked;
	__u32 grant;	    /* odd: replies may go past TCP (request/served.h), */
	__u32 granted_done; /* after so many that were complete then, */
	__u64 server;	    /* from the socket with this cookie, */
	__u64 record;	    /* whose struct weft_served_state is there */
	__u64 apart[2];
	struct weft_reply reply;
	__u32 expected; /* TCP's number of the next byte */
	__u32 busy;
	__u32 flags; /* enum weft_native_flag */
	/* Numbers of bytes that came before those at `expected`, and of the byte behind them; equal: none. */
	__u32 early;
	__u32 early_end;
	__u32 zero;
};

/* What the short circuit keeps of replies, in the server's socket; request/served.h writes it. */
struct weft_served_state {
	__u64 cookie; /* the server's */
	__u32 grant;  /* the client's, for which the rest holds */
	__u32 done;   /* replies that ended */
	struct weft_reply reply;
};

/*
 * Value of weft_http, storage of a client's socket. Made by connect; written by sk_msg, which holds
 * the socket's lock. Replies arrive on another CPU than requests are sent on: what is written for
 * each request and what for each reply are in cache lines of their own, but for a count. The kernel
 * puts a pointer before the first field, in one line (struct bpf_local_storage_data).
 */
struct weft_http {
	/* What seldom changes, and both sides read. */
	__u64 cookie; /* 0: its requests are not judged */
	__u64 cgroup; /* whose workload asks */
	struct weft_policy_set routes; /* policies that are asked for a route */
	__u32 generation; /* that says so; 0: none yet */
	__u32 lease;	  /* upstream + 1 of the last request that went elsewhere */
	__u32 door;	  /* door + 1 that was taken last */
	__u32 lending;	  /* and its number */
	__u64 room;

	struct weft_native native;

	/* CPUs fetch lines in pairs: what is written for replies is not one with what follows. */
	__u64 apart[13];

	/* What sk_msg writes for each request, and egress reads. */
	__u32 flags; /* enum weft_http_flag */
	__u32 mode;  /* enum weft_http_mode */
	__u32 judged_seq; /* TCP sequence number behind the last byte that was let pass */
	__u32 syntax_seq; /* behind the head or chunk header that was let pass last */
	__u32 unsent_seq; /* of the first byte that weft_unsent has of it */
	__u32 asked;	  /* native.asked.count, which sk_msg writes but does not read */
	__u64 left;	  /* see mode */
	__u64 lent_bytes; /* of the request that the lease is for */
	__u32 kinds;	  /* native.asked.kinds is not 0 */
	__u32 tries;	  /* to find the server's socket */

	/* What sk_msg reads for each request. */
	struct weft_name name;	   /* where it connected to */
	struct weft_name endpoint; /* where it really went: it is bound to this one */
	struct weft_result result; /* of the connection */
	struct weft_connection connection; /* policies: those of the bound endpoint */

	/* What only the short circuit looks at. */
	struct weft_peer peer; /* the server's socket */
	__u32 granted_seq; /* of the next byte by TCP, when replies were granted */
	__u32 zero;

	struct weft_chunk chunk;
};

_Static_assert(__builtin_offsetof(struct weft_http, native) == 56, "a cache line");
_Static_assert(__builtin_offsetof(struct weft_http, native.reply) == 56 + 64, "a cache line");
_Static_assert(__builtin_offsetof(struct weft_http, native.expected) == 56 + 2 * 64, "a cache line");
_Static_assert(__builtin_offsetof(struct weft_http, flags) == 56 + 4 * 64, "a pair of them");

#define WEFT_EVENT_METHOD 16
#define WEFT_EVENT_PATH 64

/* Record of weft_events of a request; longer texts are cut. */
struct weft_request_event {
	struct weft_event event;
	__u32 method_length; /* with other bits above 16 */
	__u32 path_length;
	__u32 status; /* of the reply, where it was answered here */
	__u32 zero;
	__u64 method[WEFT_EVENT_METHOD / 8];
	__u64 path[WEFT_EVENT_PATH / 8];
};

/* ---- generation ---- */

enum weft_route_kind {
	WEFT_ROUTE_CLUSTER = 0, /* value: a cluster, or WEFT_NONE */
	WEFT_ROUTE_REPLY = 1,	/* value: index of weft_replies */
	WEFT_ROUTE_AGENT = 2,	/* value: a cluster, or WEFT_NONE; the agent does the rest */
};

/* Value of weft_routes. */
struct weft_route {
	__u32 kind; /* enum weft_route_kind */
	__u32 value;
};

/* First index of weft_replies: the bundle's refusals, in the order of the manifest. */
enum weft_refusal {
	WEFT_REFUSAL_DENY = 0,
	WEFT_REFUSAL_NO_ROUTE = 1,
	WEFT_REFUSAL_NO_ENDPOINT = 2,
	WEFT_REFUSAL_UNAVAILABLE = 3,
	WEFT_REFUSAL_PARSE = 4,
	WEFT_REFUSAL_TOO_LARGE = 5,
	WEFT_REFUSAL_NOT_IMPLEMENTED = 6,
	WEFT_REFUSAL_VERSION = 7,
};

/* Value of weft_replies. */
struct weft_reply_bytes {
	__u16 length;
	__u16 head_length; /* what answers a HEAD */
	__u32 closes;	   /* it says that the connection ends */
	__u8 bytes[WEFT_REPLY_MAX];
};

/* Key of weft_members: an endpoint belongs to a cluster. */
struct weft_member {
	__u32 cluster;
	struct weft_name endpoint;
};

#endif
