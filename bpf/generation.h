/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Generation maps and constants: fresh with every load, sized by the agent before it
 * (max_entries here are only placeholders), filled before activation and then never written,
 * but for cursors and counters.
 */
#ifndef WEFT_GENERATION_H
#define WEFT_GENERATION_H

#include "sites.h"

const volatile __u32 weft_generation = 0;
/* Verdicts (enum weft_verdict) where no policy could answer: weft.json `failure`. */
const volatile __u32 weft_on_trap = WEFT_DENY;
const volatile __u32 weft_on_fuel = WEFT_DENY;
const volatile __u32 weft_on_unknown_identity = WEFT_DENY;
const volatile __u32 weft_on_parse = WEFT_DENY;
/* Policies of the bundle that authorize connections, route requests, authorize requests. */
const volatile struct weft_policy_set weft_connection_mask = { { ~0ull, ~0ull } };
const volatile struct weft_policy_set weft_route_mask = {};
const volatile struct weft_policy_set weft_request_mask = {};
/* Slots of struct weft_party that the bundle looks at; the others are never set. */
const volatile __u32 weft_attribute_slots = WEFT_ATTRIBUTE_SLOTS;
/* Requests between workloads of this node may go past TCP (request/short.h). */
const volatile __u32 weft_short_circuit = 0;
/* CLOCK_REALTIME - CLOCK_MONOTONIC when the generation was loaded, ns. */
const volatile __u64 weft_clock_offset = 0;

WEFT_MAP(weft_services, BPF_MAP_TYPE_HASH, struct weft_service_key, struct weft_service, 16);
/* Index: cluster * 2 + (family == 6), in both. */
WEFT_MAP(weft_clusters, BPF_MAP_TYPE_ARRAY, __u32, struct weft_cluster, 16);
WEFT_MAP(weft_cursors, BPF_MAP_TYPE_ARRAY, __u32, __u64, 16);
WEFT_MAP(weft_endpoints, BPF_MAP_TYPE_ARRAY, __u32, struct weft_endpoint, 16);
/* Index: bundle-wide route number (0 is no route). */
WEFT_MAP(weft_routes, BPF_MAP_TYPE_ARRAY, __u32, struct weft_route, 16);
/* Only asked about a connection that is already bound to an endpoint. */
WEFT_MAP(weft_members, BPF_MAP_TYPE_HASH, struct weft_member, __u32, 16);
WEFT_MAP(weft_workloads, BPF_MAP_TYPE_HASH, struct weft_address, __u32, 16);
WEFT_MAP(weft_cgroups, BPF_MAP_TYPE_HASH, __u64, __u32, 16);
WEFT_MAP(weft_identities, BPF_MAP_TYPE_ARRAY, __u32, struct weft_identity, 16);
WEFT_MAP(weft_scratch, BPF_MAP_TYPE_ARRAY, __u32, struct weft_judgement, WEFT_SCRATCH);

/* A private judgement, or null if this CPU's slots are all taken by preempted decisions. */
static __noinline struct weft_judgement *weft_take(void)
{
	__u32 first = bpf_get_smp_processor_id() * WEFT_SCRATCH_CPU;

	for (__u32 i = 0; i < WEFT_SCRATCH_CPU; i++) {
		__u32 slot = (first + i) % WEFT_SCRATCH;
		struct weft_judgement *judgement = bpf_map_lookup_elem(&weft_scratch, &slot);

		if (!judgement)
			return 0;
		if (__sync_val_compare_and_swap(&judgement->busy, 0, 1) == 0)
			return judgement;
	}
	return 0;
}

static __always_inline void weft_release(struct weft_judgement *judgement)
{
	__sync_lock_test_and_set(&judgement->busy, 0);
}

#endif
