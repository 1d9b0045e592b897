/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The decision itself, without access to a hook's context: what the hooks run is what the harness
 * tests. Both functions read judgement->input and write judgement->result completely; connection is
 * their working memory.
 *
 * Which policies are asked: for a route, those of the service; for a verdict, those attached to
 * the destination workload (the same on both sides); none where it is no workload that we know:
 * then the bundle's default decides.
 *
 * Everything that leads to a policy is inlined into the hook: of the kernel's eight call frames
 * and 512 bytes of stack, the hook takes one frame and at most half, the policy the rest.
 */
#ifndef WEFT_DECIDE_H
#define WEFT_DECIDE_H

#include "generation.h"

static __always_inline int weft_is_v4(const struct weft_address *address)
{
	return !address->word[0] && !address->word[1] && address->word[2] == bpf_htonl(0xffff);
}

#define WEFT_SLOTS_A_STEP 4

/* Only the slots that the bundle has: the verifier removes the steps of the others. */
static __always_inline void weft_see(struct weft_party *party, const struct weft_view *view)
{
	__u32 slots = weft_attribute_slots;

	party->predicates = view->predicates;
#pragma unroll
	for (int i = 0; i < WEFT_ATTRIBUTE_SLOTS; i += WEFT_SLOTS_A_STEP)
		if (i < slots)
			__builtin_memcpy(party->attributes + i, view->attributes + i,
					 WEFT_SLOTS_A_STEP * sizeof(__u32));
}

/* A party that we do not know has no attributes; the slot has those of an earlier decision. */
static __always_inline void weft_see_nobody(struct weft_party *party)
{
	party->predicates = 0;
	__builtin_memset(party->attributes, 0, sizeof(party->attributes));
}

static __always_inline struct weft_identity *weft_identify(__u32 workload)
{
	if (workload == WEFT_NONE)
		return 0;
	return bpf_map_lookup_elem(&weft_identities, &workload);
}

/* Is this workload of this node? */
static __always_inline int weft_is_here(__u32 workload)
{
	struct weft_identity *identity = weft_identify(workload);

	return identity && identity->here;
}

static __always_inline __u32 weft_workload_at(const struct weft_address *address)
{
	struct weft_address key = *address;
	__u32 *workload = bpf_map_lookup_elem(&weft_workloads, &key);

	return workload ? *workload : WEFT_NONE;
}

/* The workload for which the hook runs. */
static __always_inline __u32 weft_own_workload(const struct weft_input *input)
{
	__u64 cgroup = input->cgroup;
	__u32 *workload;

	if (input->workload != WEFT_NONE)
		return input->workload;
	workload = bpf_map_lookup_elem(&weft_cgroups, &cgroup);
	return workload ? *workload : WEFT_NONE;
}

/*
 * Sets all but what each decision finds out by itself: who the parties are, and the policies that
 * are asked. Field by field: the compiler would clear first and then set.
 */
static __always_inline void weft_start(struct weft_judgement *judgement)
{
	const struct weft_input *input = &judgement->input;
	struct weft_connection *connection = &judgement->connection;
	struct weft_result *result = &judgement->result;

	connection->now = input->now;
	connection->policies = (struct weft_policy_set){};
	connection->zero = 0;
	connection->random = input->random;
	connection->protocol = input->protocol;
	connection->family = weft_is_v4(&input->destination) ? 4 : 6;
	connection->destination.address = input->destination;
	connection->destination_port = input->port;

	result->decision = (struct weft_decision){ .verdict = WEFT_DENY,
						   .policy = WEFT_NO_POLICY };
	result->route = 0;
	result->route_site = 0;
	result->service = WEFT_NONE;
	result->cluster = WEFT_NONE;
	result->source = WEFT_NONE;
	result->destination = WEFT_NONE;
	result->endpoint = input->destination;
	result->endpoint_port = input->port;
	result->flags = 0;
	result->pick = 0;
}

static __always_inline void weft_end(struct weft_result *result, __u32 reason, __u32 verdict)
{
	result->decision.reason = reason;
	result->decision.verdict = verdict == WEFT_ALLOW ? WEFT_ALLOW : WEFT_DENY;
}

/*
 * The source side of connection. source.address is the workload's registered address of that
 * family: zero where it has none, so that the answer is the same at both ends.
 */
static __always_inline void weft_set_source(struct weft_connection *connection,
					    const struct weft_identity *identity)
{
	weft_see(&connection->source, &identity->source);
	connection->source.address =
		connection->family == 4 ? identity->address4 : identity->address6;
}

/* Asks the policies. An answer that is no verdict counts as a trap. */
static __always_inline int weft_ask(struct weft_judgement *judgement)
{
	struct weft_result *result = &judgement->result;
	struct weft_decision *decision = &result->decision;
	__u32 verdict;

	verdict = weft_authorize_connection(&judgement->connection, decision);
	if (verdict == WEFT_ALLOW || verdict == WEFT_DENY)
		decision->verdict = verdict;
	else
		weft_end(result, WEFT_REASON_TRAP, weft_on_trap);
	return 0;
}

/* The next draw of a cluster: a cursor, or a random number. */
static __always_inline __u32 weft_draw(const struct weft_input *input, __u32 index, __u32 balance)
{
	__u64 *cursor;

	if (input->flags & WEFT_INPUT_PICK)
		return input->pick;
	if (balance == WEFT_RANDOM)
		return bpf_get_prandom_u32();
	cursor = bpf_map_lookup_elem(&weft_cursors, &index);
	return cursor ? (__u32)__sync_fetch_and_add(cursor, 1) : 0;
}

/* Is an endpoint one of a cluster's? */
static __always_inline int weft_is_member(__u32 cluster, const struct weft_name *endpoint)
{
	struct weft_member key = { .cluster = cluster, .endpoint = *endpoint };

	return bpf_map_lookup_elem(&weft_members, &key) != 0;
}

/* Chooses an endpoint of result->cluster; 0 if it has none of that family. */
static __noinline int weft_choose(struct weft_judgement *judgement)
{
	struct weft_result *result = &judgement->result;
	__u32 index = result->cluster * 2 + (judgement->connection.family == 6);
	struct weft_cluster *cluster = bpf_map_lookup_elem(&weft_clusters, &index);
	struct weft_endpoint *endpoint;

	if ((judgement->input.flags & WEFT_INPUT_BOUND) &&
	    weft_is_member(result->cluster, &judgement->bound)) {
		result->endpoint = judgement->bound.address;
		result->endpoint_port = judgement->bound.port;
		result->destination = weft_workload_at(&judgement->bound.address);
		return 1;
	}
	if (!cluster || !cluster->count)
		return 0;
	result->pick = weft_draw(&judgement->input, index, cluster->balance);
	index = cluster->first + result->pick % cluster->count;
	endpoint = bpf_map_lookup_elem(&weft_endpoints, &index);
	if (!endpoint)
		return 0;
	result->endpoint = endpoint->address;
	result->endpoint_port = endpoint->port;
	result->destination = endpoint->workload;
	return 1;
}

/*
 * Asks the service's policies for a route and sets result->cluster.
 * 0: the decision has ended (route stopped, or names no cluster).
 */
static __always_inline int weft_route(struct weft_judgement *judgement)
{
	struct weft_result *result = &judgement->result;
	struct weft_route *route;
	__u32 answer;

	weft_see_nobody(&judgement->connection.destination); /* chosen only by the route */
	judgement->connection.policies = judgement->routes;
	answer = weft_route_connection(&judgement->connection);
	result->route = answer & 0xffff;
	result->route_site = answer >> 16;
	if (!result->route)
		return 1;
	if (result->route == WEFT_ROUTE_TRAP || result->route == WEFT_ROUTE_FUEL) {
		__u32 fuel = result->route == WEFT_ROUTE_FUEL;
		__u32 outcome = fuel ? weft_on_fuel : weft_on_trap;

		weft_end(result, fuel ? WEFT_REASON_FUEL : WEFT_REASON_TRAP, outcome);
		return outcome == WEFT_ALLOW; /* then the default cluster, and a verdict on it */
	}
	answer = result->route;
	route = bpf_map_lookup_elem(&weft_routes, &answer);
	if (!route || route->kind == WEFT_ROUTE_REPLY || route->value == WEFT_NONE) {
		weft_end(result, WEFT_REASON_NO_ROUTE, WEFT_DENY);
		return 0;
	}
	result->cluster = route->value;
	return 1;
}

/*
 * Whether a connection is a question of its own: not where its requests are asked about and no
 * policy of its destination speaks of connections.
 */
static __always_inline int weft_is_asked(__u32 flags, const struct weft_policy_set *policies)
{
	return !(flags & WEFT_SERVICE_HTTP) || weft_overlap(policies, &weft_connection_mask) ||
	       !weft_overlap(policies, &weft_request_mask);
}

/* What the policies say of the connection, where they are asked. */
static __always_inline int weft_verdict(struct weft_judgement *judgement)
{
	struct weft_result *result = &judgement->result;

	if (weft_is_asked(result->flags, &judgement->connection.policies))
		return weft_ask(judgement);
	weft_end(result, WEFT_REASON_REQUESTS, WEFT_ALLOW);
	return 0;
}

/* Client side: who asks? 0: nobody that we know. */
static __always_inline int weft_start_connect(struct weft_judgement *judgement)
{
	struct weft_connection *connection = &judgement->connection;
	struct weft_identity *identity;

	weft_start(judgement);
	judgement->result.source = weft_own_workload(&judgement->input);
	identity = weft_identify(judgement->result.source);
	if (identity) {
		weft_set_source(connection, identity);
		return 1;
	}
	connection->source.address = (struct weft_address){};
	weft_see_nobody(&connection->source);
	return 0;
}

/* Client side: the verdict on result->destination, whoever chose it. */
static __always_inline int weft_end_connect(struct weft_judgement *judgement)
{
	struct weft_connection *connection = &judgement->connection;
	struct weft_identity *identity = weft_identify(judgement->result.destination);

	if (identity) {
		weft_see(&connection->destination, &identity->destination);
		connection->policies = identity->policies;
	} else {
		weft_see_nobody(&connection->destination);
		connection->policies = (struct weft_policy_set){};
	}
	return weft_verdict(judgement);
}

/* The service whose address and port are where the flow goes; NULL: none. */
static __always_inline struct weft_service *weft_service_at(const struct weft_input *input)
{
	struct weft_service_key key = {};

	key.address = input->destination;
	key.port = input->port;
	key.protocol = input->protocol;
	return bpf_map_lookup_elem(&weft_services, &key);
}

/* Client side: service -> route -> cluster -> endpoint -> verdict. */
static __always_inline int weft_connect_decide(struct weft_judgement *judgement)
{
	struct weft_input *input = &judgement->input;
	struct weft_connection *connection = &judgement->connection;
	struct weft_result *result = &judgement->result;
	struct weft_service *service;
	int known;

	known = weft_start_connect(judgement);
	if (!known && weft_on_unknown_identity != WEFT_ALLOW) {
		weft_end(result, WEFT_REASON_UNKNOWN_IDENTITY, WEFT_DENY);
		return 0;
	}

	service = weft_service_at(input);
	judgement->routes = (struct weft_policy_set){};
	if (service)
		result->flags = service->flags;
	if (service && !(service->flags & WEFT_SERVICE_DIRECT)) {
		judgement->routes = service->policies;
		result->service = service->service;
		result->cluster = service->cluster;
		if (known && weft_any(&judgement->routes) && !weft_route(judgement))
			return 0;
		if (!weft_choose(judgement)) {
			weft_end(result, WEFT_REASON_NO_ENDPOINT, WEFT_DENY);
			return 0;
		}
		connection->destination.address = result->endpoint;
		connection->destination_port = result->endpoint_port;
	} else
		result->destination = weft_workload_at(&input->destination);

	if (!known) {
		weft_see_nobody(&connection->destination);
		weft_end(result, WEFT_REASON_UNKNOWN_IDENTITY, WEFT_ALLOW);
		return 0;
	}
	return weft_end_connect(judgement);
}

/* Server side: the same question, where the flow arrives. */
static __always_inline int weft_ingress_decide(struct weft_judgement *judgement)
{
	struct weft_input *input = &judgement->input;
	struct weft_connection *connection = &judgement->connection;
	struct weft_result *result = &judgement->result;
	struct weft_identity *identity;
	struct weft_service *service;

	weft_start(judgement);
	result->source = weft_workload_at(&input->source);
	identity = weft_identify(result->source);
	if (identity)
		weft_set_source(connection, identity);
	else {
		connection->source.address = input->source;
		weft_see_nobody(&connection->source);
	}

	result->destination = weft_own_workload(input);
	identity = weft_identify(result->destination);
	if (!identity) {
		weft_end(result, WEFT_REASON_UNKNOWN_IDENTITY, weft_on_unknown_identity);
		return 0;
	}
	weft_see(&connection->destination, &identity->destination);
	connection->policies = identity->policies;
	if (weft_overlap(&connection->policies, &weft_request_mask)) {
		service = weft_service_at(input);
		if (service)
			result->flags = service->flags;
	}
	return weft_verdict(judgement);
}

#endif
