/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Node maps: made once, pinned, reused by name in every object that is loaded later.
 * They hold what must outlive a generation: which one is active, flows, sockets, events, counters.
 */
#ifndef WEFT_MAPS_H
#define WEFT_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#define WEFT_MAP(name, kind, key_type, value_type, entries)                                        \
	struct {                                                                                   \
		__uint(type, kind);                                                                \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weft_active);
} weft_active SEC(".maps");

/*
 * Which enrolled cgroup a hook runs for: the storage belongs to the cgroup that the stub is
 * attached to, also for sockets of its descendants and in softirq. The attribute that says
 * "shared by all attach types" is the plain u64 key.
 */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct weft_enrolment);
} weft_enrolled SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct weft_flow_key);
	__type(value, struct weft_flow);
} weft_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct weft_socket);
} weft_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} weft_events SEC(".maps");

/* [0]: verdicts whose event found no room in weft_events. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} weft_losses SEC(".maps");

/* Index: reason * 2 + (verdict == WEFT_DENY). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, __u64);
} weft_reasons SEC(".maps");

/* Adds one; a lost race with another task on the same CPU would lose a count, hence atomic. */
static __always_inline void weft_count(void *map, __u32 index)
{
	__u64 *counter = bpf_map_lookup_elem(map, &index);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

static __always_inline void weft_count_reason(__u32 reason, __u32 verdict)
{
	weft_count(&weft_reasons, reason * 2 + (verdict != WEFT_ALLOW));
}

static __always_inline __u64 weft_enrolled_cgroup(void)
{
	struct weft_enrolment *enrolment = bpf_get_local_storage(&weft_enrolled, 0);

	return enrolment->cgroup;
}

static __always_inline void weft_flow_key(struct weft_flow_key *key, __u64 cookie,
					  const struct weft_address *remote, __u16 port, __u16 kind)
{
	key->cookie = cookie;
	key->remote = *remote;
	key->port = port;
	key->kind = kind;
	key->cgroup = weft_enrolled_cgroup();
}

#endif
