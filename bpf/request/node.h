/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Node maps of the request path: as in maps.h, but not part of the test harness. */
#ifndef WEFT_REQUEST_NODE_H
#define WEFT_REQUEST_NODE_H

#include "maps.h"

#define WEFT_STORAGE(name, value_type)                                                             \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_SK_STORAGE);                                             \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__type(key, int);                                                                  \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

/* Of a socket that connects to where requests are judged. */
WEFT_STORAGE(weft_http, struct weft_http);
/* Index: 0. What the reader of events wants of requests that merely pass. */
enum weft_wanted_kind {
	WEFT_WANTED_EVENTS = 1,
	WEFT_WANTED_HEADS = 2, /* and of every request what the policies were asked about */
};
WEFT_MAP(weft_wanted, BPF_MAP_TYPE_ARRAY, __u32, __u32, 1);

/* enum weft_wanted_kind; 0: nobody reads what merely passed. */
static __always_inline __u32 weft_is_followed(void)
{
	__u32 zero = 0;
	__u32 *wanted = bpf_map_lookup_elem(&weft_wanted, &zero);

	return wanted ? *wanted : 0;
}

/* A connection after a refusal that said it ends: only the agent can end it, and does (endings.ts). */
struct weft_ending {
	__u64 socket; /* ours: the client's, or the server's of a client outside; its address in the kernel */
	__u64 cgroup;
};
#define WEFT_ENDINGS 4096
/* By cookie. What is forgotten here its other end has to close. */
WEFT_MAP(weft_endings, BPF_MAP_TYPE_LRU_HASH, __u64, struct weft_ending, WEFT_ENDINGS);

static __noinline __attribute__((unused)) int weft_note_ending(__u64 cookie, __u64 socket,
							      __u64 cgroup)
{
	struct weft_ending ending = { .socket = socket, .cgroup = cgroup };

	return bpf_map_update_elem(&weft_endings, &cookie, &ending, BPF_ANY);
}

/* By cookie; stub_request runs for what they send. */
WEFT_MAP(weft_clients, BPF_MAP_TYPE_SOCKHASH, __u64, __u64, WEFT_CLIENTS);

/* A socket that could not be put under judgement (request/server.h): nothing comes in for it. */
#define WEFT_MARK_BLOCKED 0x57454654

static __always_inline int weft_is_let_in(const struct bpf_sock *socket)
{
	if (socket->mark != WEFT_MARK_BLOCKED)
		return 1;
	weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
	return 0;
}

#endif
