/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A record on its way through both ends, what the manifest and the plan say of all of them, and how a policy is
 * asked.
 */
#ifndef WEFT_BATCH_FLOW_H
#define WEFT_BATCH_FLOW_H

#include "batch.h"

#define WEFT_TCP 6 /* IPPROTO_TCP */

/* Asks a policy that cannot be asked from here; burns its fuel itself. */
WEFT_IMPORT("ask") __u32 weft_ask_elsewhere(__u32 policy, __u32 hook);

/* Kinds of routes, as ROUTE_KINDS in runtime/record/columns.ts. */
enum weft_route_kind { WEFT_TO_CLUSTER, WEFT_TO_REPLY, WEFT_TO_REDIRECT, WEFT_TO_WAYPOINT };

/* COLUMN of runtime/record/columns.ts. */
enum weft_column {
	WEFT_COLUMN_VERDICT,
	WEFT_COLUMN_REASON,
	WEFT_COLUMN_SITE,
	WEFT_COLUMN_POLICY,
	WEFT_COLUMN_ROUTE_SITE,
	WEFT_COLUMN_ROUTE_KIND,
	WEFT_COLUMN_SERVICE,
	WEFT_COLUMN_CLUSTER,
	WEFT_COLUMN_DESTINATION,
	WEFT_COLUMN_PORT,
	WEFT_COLUMN_SIDE,
	WEFT_COLUMN_AUDIT,
	WEFT_COLUMN_SHADOW_ALLOW,
	WEFT_COLUMN_SHADOW_DENY = WEFT_COLUMN_SHADOW_ALLOW + 2 * WEFT_POLICY_WORDS,
	WEFT_COLUMN_UNSEEN = WEFT_COLUMN_SHADOW_DENY + 2 * WEFT_POLICY_WORDS,
	WEFT_COLUMN_FUEL,
	WEFT_COLUMNS,
};

/* The manifest and the plan, as far as decisions depend on them; set once. */
static struct weft_policy_set weft_has[WEFT_HOOKS]; /* policies that have the export */
static __u32 weft_default; /* WEFT_ALLOW or WEFT_DENY */
static struct weft_endpoint *weft_endpoints;
static struct weft_cluster *weft_clusters;
static struct weft_workload *weft_workloads;
static __s32 *weft_routes; /* cluster by route - 1 */
static __u8 *weft_route_kinds;
static __u32 weft_route_count;
static struct weft_ends weft_ends[WEFT_ENDS];
static __u32 weft_burned; /* fuel of the question under way */

struct weft_flow {
	const struct weft_ends *ends;
	struct weft_record *record;
	struct weft_decision said;
	__s32 cluster;
	__s32 destination;
	__s32 route_kind;
	__u32 route_site;
	__u32 port;
	__u32 is_http; /* of where it arrives */
	__u32 fuel;
	__u32 verdict; /* 0 while nothing has ended it */
	__u32 reason;
	__u32 is_server;
	__u32 has_said;
	struct weft_policy_set policies;
};

static __u32 weft_ask(__u32 number, enum weft_hook hook)
{
	struct weft_policy *policy = &weft_policies[number];
	__u32 answer;

	weft_asked = policy;
	if (!policy->question[hook])
		return weft_ask_elsewhere(number, hook);
	if (policy->fill)
		((void (*)(__u32))policy->fill)(weft_fuel);
	answer = ((__u32(*)(__u32))policy->question[hook])(0);
	if (policy->left)
		weft_burned += weft_fuel - ((__u32(*)(void))policy->left)();
	return answer;
}

/* Takes the first policy out of a set; WEFT_POLICIES where it has none. */
static __always_inline __u32 weft_next(struct weft_policy_set *set)
{
	for (__u32 i = 0; i < WEFT_POLICY_WORDS; i++) {
		__u64 word = set->word[i];

		if (!word)
			continue;
		set->word[i] = word & (word - 1);
		return 64 * i + __builtin_ctzll(word);
	}
	return WEFT_POLICIES;
}

/* The policies of a set that a hook has to ask. */
static __always_inline struct weft_policy_set weft_to_ask(const struct weft_policy_set *set,
							  enum weft_hook hook)
{
	struct weft_policy_set both;

	for (__u32 i = 0; i < WEFT_POLICY_WORDS; i++)
		both.word[i] = set->word[i] & weft_has[hook].word[i];
	return both;
}

#endif
