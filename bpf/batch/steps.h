/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The way of a record through both ends: runtime/simulate/flow-steps.ts and inline-decider.ts, and
 * compiler/bundle/combine.ts for what several policies say, step by step in the same order.
 */
#ifndef WEFT_BATCH_STEPS_H
#define WEFT_BATCH_STEPS_H

#include "batch.h"

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
	WEFT_COLUMN_FUEL = WEFT_COLUMN_SHADOW_DENY + 2 * WEFT_POLICY_WORDS,
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

static __always_inline void weft_add(struct weft_policy_set *to, const struct weft_policy_set *more)
{
	for (__u32 i = 0; i < WEFT_POLICY_WORDS; i++)
		to->word[i] |= more->word[i];
}

static __always_inline void weft_mark(struct weft_policy_set *set, __u32 policy)
{
	set->word[policy / 64] |= 1ull << policy % 64;
}

/* All that a decision says beside its verdict. */
static __always_inline void weft_add_marks(struct weft_decision *to, const struct weft_decision *more)
{
	weft_add(&to->audited, &more->audited);
	weft_add(&to->shadow_allow, &more->shadow_allow);
	weft_add(&to->shadow_deny, &more->shadow_deny);
}

/* combineRoutes: the first opinion of an enforcing policy. */
static __u32 weft_route(struct weft_flow *flow, enum weft_hook hook)
{
	struct weft_policy_set left = weft_to_ask(&flow->policies, hook);
	__u32 number;

	while ((number = weft_next(&left)) != WEFT_POLICIES) {
		struct weft_policy *policy = &weft_policies[number];
		__u32 answer;

		if (!policy->is_enforced)
			continue;
		answer = weft_ask(number, hook);
		if (!(answer & 0xffff))
			continue;
		if ((answer & 0xffff) > policy->routes)
			__builtin_trap();
		return answer + policy->first_route;
	}
	return 0;
}

/* takeRoute */
static void weft_take_route(struct weft_flow *flow, enum weft_hook hook, __u32 answer)
{
	__u32 route = answer & 0xffff;
	int is_request = hook == WEFT_ROUTE_REQUEST;
	__s32 cluster;

	if (!route)
		return;
	if (route > weft_route_count)
		__builtin_trap();
	flow->route_site = answer >> 16;
	if (is_request) {
		flow->route_kind = weft_route_kinds[route - 1];
		if (flow->route_kind != WEFT_TO_CLUSTER)
			return;
	}
	cluster = weft_routes[route - 1];
	if (cluster < 0) {
		flow->verdict = WEFT_DENY;
		flow->reason = WEFT_REASON_NO_ROUTE;
	} else {
		flow->cluster = cluster;
	}
}

/* combine */
static void weft_combine(struct weft_flow *flow, enum weft_hook hook, struct weft_decision *said)
{
	__u32 deny = 0, allow = 0, denier = 0, allower = 0, is_denied = 0, is_allowed = 0;
	__u32 can_allow = 0, number;
	struct weft_policy_set left = weft_to_ask(&flow->policies, hook);

	__builtin_memset(said, 0, sizeof(*said));
	while ((number = weft_next(&left)) != WEFT_POLICIES) {
		struct weft_policy *policy = &weft_policies[number];
		__u32 answer = weft_ask(number, hook);
		__u32 code = answer & 0xff;

		if (code < 1 || code > 4)
			__builtin_trap();
		if (code == 4)
			weft_mark(&said->audited, number);
		if (!policy->is_enforced) {
			if (code == WEFT_ALLOW)
				weft_mark(&said->shadow_allow, number);
			if (code == WEFT_DENY)
				weft_mark(&said->shadow_deny, number);
			continue;
		}
		can_allow |= policy->can_allow[hook];
		if (code == WEFT_DENY && !is_denied) {
			is_denied = 1;
			deny = answer >> 8;
			denier = number;
		}
		if (code == WEFT_ALLOW && !is_allowed) {
			is_allowed = 1;
			allow = answer >> 8;
			allower = number;
		}
	}
	if (is_denied || is_allowed) {
		said->verdict = is_denied ? WEFT_DENY : WEFT_ALLOW;
		said->site = is_denied ? deny : allow;
		said->policy = is_denied ? denier : allower;
		said->reason = WEFT_REASON_POLICY;
		return;
	}
	said->verdict = can_allow ? WEFT_DENY : weft_default;
	said->policy = WEFT_NO_POLICY;
	said->reason = can_allow ? WEFT_REASON_NO_ALLOW : WEFT_REASON_DEFAULT;
}

/* takeVerdict */
static void weft_take_verdict(struct weft_flow *flow, const struct weft_decision *said,
			      __u32 is_server, int replaces)
{
	struct weft_decision before = flow->said;

	if (flow->has_said && said->verdict == WEFT_ALLOW && !replaces) {
		weft_add_marks(&flow->said, said);
		return;
	}
	flow->said = *said;
	flow->verdict = said->verdict;
	flow->reason = said->reason;
	flow->is_server = is_server;
	if (flow->has_said)
		weft_add_marks(&flow->said, &before);
	flow->has_said = 1;
}

/* isAsked, and who is: what both ends say is the same, so that it is asked for once. */
static void weft_authorize(struct weft_flow *flow, enum weft_hook hook)
{
	int is_request = hook == WEFT_AUTHORIZE_REQUEST;
	int is_client = flow->ends->source_workload != WEFT_NONE;
	int is_server = flow->destination != WEFT_NONE;
	struct weft_decision said;

	if (flow->verdict == WEFT_DENY)
		return;
	if (flow->record->have) {
		int has_request = weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_REQUEST]);
		int has_connection = weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_CONNECTION]);

		if (is_request ? !has_request : !has_connection && has_request)
			return;
	} else if (is_request) {
		return;
	}
	if (is_request && flow->route_kind != WEFT_NONE && flow->route_kind != WEFT_TO_CLUSTER &&
	    flow->route_kind != WEFT_TO_WAYPOINT)
		is_server = 0;
	if (!is_client && !is_server)
		return;
	weft_burned = 0;
	weft_combine(flow, hook, &said);
	if (is_client) {
		flow->fuel += weft_burned;
		weft_take_verdict(flow, &said, 0, is_request);
	}
	if (is_server && flow->verdict != WEFT_DENY) {
		flow->fuel += weft_burned;
		weft_take_verdict(flow, &said, 1, is_request && !is_client);
	}
}

static __always_inline int weft_same_address(const struct weft_address *a,
					     const struct weft_address *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

/* chooseEndpoint; 0 where the cluster has none. */
static const struct weft_endpoint *weft_choose(const struct weft_flow *flow)
{
	const struct weft_ends *ends = flow->ends;
	int family = ends->family == 6;
	const struct weft_cluster *cluster;
	const struct weft_endpoint *first;

	if (flow->cluster < 0)
		return 0;
	cluster = &weft_clusters[flow->cluster];
	first = weft_endpoints + cluster->first[family];
	if (!cluster->count[family])
		return 0;
	if (ends->is_bound)
		for (__u32 i = 0; i < cluster->count[family]; i++)
			if (first[i].port == ends->bound_port &&
			    weft_same_address(&first[i].address, &ends->bound))
				return &first[i];
	return first + flow->record->pick % cluster->count[family];
}

/* The struct as it is before an endpoint is chosen. */
static void weft_write(const struct weft_flow *flow)
{
	const struct weft_ends *ends = flow->ends;
	struct weft_connection *to = &flow->record->request.connection;

	to->source = ends->source;
	__builtin_memset(&to->destination, 0, sizeof(to->destination));
	to->destination.address = ends->to;
	to->policies = flow->policies;
	to->now = flow->record->now;
	to->zero = 0;
	to->random = flow->record->random;
	to->destination_port = flow->port;
	to->protocol = ends->protocol;
	to->family = ends->family;
}

static void weft_ask_routes(struct weft_flow *flow)
{
	const struct weft_ends *ends = flow->ends;

	if (ends->service == WEFT_NONE || !weft_any(&flow->policies) || flow->verdict)
		return;
	if (weft_any(&weft_has[WEFT_ROUTE_CONNECTION]) && !(flow->record->have && ends->is_bound)) {
		weft_burned = 0;
		weft_take_route(flow, WEFT_ROUTE_CONNECTION, weft_route(flow, WEFT_ROUTE_CONNECTION));
		flow->fuel += weft_burned;
	}
	if (weft_any(&weft_has[WEFT_ROUTE_REQUEST]) && flow->record->have && !flow->verdict) {
		weft_burned = 0;
		weft_take_route(flow, WEFT_ROUTE_REQUEST, weft_route(flow, WEFT_ROUTE_REQUEST));
		flow->fuel += weft_burned;
	}
}

/* Goes to an endpoint where a service was asked for, and takes the policies of where it went. */
static void weft_arrive(struct weft_flow *flow)
{
	struct weft_connection *to = &flow->record->request.connection;

	if (flow->verdict)
		return;
	if (flow->ends->service != WEFT_NONE) {
		const struct weft_endpoint *endpoint = weft_choose(flow);

		if (!endpoint) {
			flow->verdict = WEFT_DENY;
			flow->reason = WEFT_REASON_NO_ENDPOINT;
			return;
		}
		to->destination.address = endpoint->address;
		flow->port = endpoint->port;
		flow->destination = endpoint->workload;
	}
	flow->policies = (struct weft_policy_set){};
	if (flow->destination != WEFT_NONE) {
		const struct weft_workload *workload = &weft_workloads[flow->destination];

		to->destination.predicates = workload->party.predicates;
		__builtin_memcpy(to->destination.attributes, workload->party.attributes,
				 sizeof(to->destination.attributes));
		flow->policies = workload->policies;
	}
	to->policies = flow->policies;
	to->destination_port = flow->port;
}

static void weft_write_row(const struct weft_flow *flow, __s32 *row)
{
	const struct weft_decision *said = &flow->said;

	row[WEFT_COLUMN_VERDICT] = flow->verdict;
	row[WEFT_COLUMN_REASON] = flow->reason;
	row[WEFT_COLUMN_SITE] = flow->has_said && said->site ? (__s32)said->site : WEFT_NONE;
	row[WEFT_COLUMN_POLICY] = flow->has_said ? (__s32)said->policy : WEFT_NONE;
	row[WEFT_COLUMN_ROUTE_SITE] = flow->route_site ? (__s32)flow->route_site : WEFT_NONE;
	row[WEFT_COLUMN_ROUTE_KIND] = flow->route_kind;
	row[WEFT_COLUMN_SERVICE] = flow->ends->service;
	row[WEFT_COLUMN_CLUSTER] = flow->cluster;
	row[WEFT_COLUMN_DESTINATION] = flow->destination;
	row[WEFT_COLUMN_PORT] = flow->port;
	row[WEFT_COLUMN_SIDE] = flow->is_server;
	row[WEFT_COLUMN_FUEL] = flow->fuel;
	if (!flow->has_said)
		return;
	row[WEFT_COLUMN_AUDIT] = weft_any(&said->audited);
	/* Words as they lie, the low half first. */
	__builtin_memcpy(row + WEFT_COLUMN_SHADOW_ALLOW, &said->shadow_allow, sizeof(said->shadow_allow));
	__builtin_memcpy(row + WEFT_COLUMN_SHADOW_DENY, &said->shadow_deny, sizeof(said->shadow_deny));
}

/* Decides a record into a row of zeros, which stays so where nothing is decided. */
static void weft_decide(struct weft_record *record, __s32 *row)
{
	const struct weft_ends *ends = &weft_ends[record->ends];
	struct weft_flow flow = {
		.ends = ends,
		.record = record,
		.cluster = record->have ? ends->request_cluster : ends->cluster,
		.destination = ends->destination,
		.route_kind = WEFT_NONE,
		.port = ends->port,
		.is_server = ends->source_workload == WEFT_NONE,
		.policies = ends->policies,
	};

	if (!ends->is_known)
		return;
	if (record->is_refused) {
		flow.verdict = WEFT_DENY;
		flow.reason = WEFT_REASON_PARSE;
	} else {
		weft_current = record;
		weft_write(&flow);
		weft_ask_routes(&flow);
		weft_arrive(&flow);
		weft_authorize(&flow, WEFT_AUTHORIZE_CONNECTION);
		weft_authorize(&flow, WEFT_AUTHORIZE_REQUEST);
	}
	if (flow.verdict)
		weft_write_row(&flow, row);
}

#endif
