/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The way of a record through both ends: runtime/simulate/flow-steps.ts and inline-decider.ts, step by step in
 * the same order.
 */
#ifndef WEFT_BATCH_STEPS_H
#define WEFT_BATCH_STEPS_H

#include "verdict.h"

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
		flow->is_http = endpoint->is_http && flow->ends->protocol == WEFT_TCP;
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
	row[WEFT_COLUMN_UNSEEN] = flow->record->have && !flow->ends->is_http ? flow->ends->port : 0;
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
		.is_http = ends->is_http,
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
