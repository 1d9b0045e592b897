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

#define WEFT_NODE_MAP(name, kind, entries, key_type, value_type)                                   \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

/* Of a socket that connects to where requests are judged. */
WEFT_STORAGE(weft_http, struct weft_http);
/* Index: 0. 1 while somebody reads events. */
WEFT_NODE_MAP(weft_wanted, BPF_MAP_TYPE_ARRAY, 1, __u32, __u32);
/* By cookie; stub_request runs for what they send. */
WEFT_NODE_MAP(weft_clients, BPF_MAP_TYPE_SOCKHASH, WEFT_CLIENTS, __u64, __u64);

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
