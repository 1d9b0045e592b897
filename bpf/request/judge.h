/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict on one request: route, endpoint, authorization; the twin of runtime/simulate. Reads
 * what is known of the connection, the parsed head, and asks the policies.
 */
#ifndef WEFT_REQUEST_JUDGE_H
#define WEFT_REQUEST_JUDGE_H

#include "request/bind.h"
#include "request/work.h"

/* What becomes of a request. */
enum weft_outcome {
	WEFT_PASS = 0,	    /* allowed, and its endpoint is the bound one */
	WEFT_ELSEWHERE = 1, /* allowed, to result.endpoint */
	WEFT_ANSWER = 2,    /* answered with a ready reply */
	WEFT_BY_AGENT = 3,  /* allowed; its route says more than a cluster */
};

struct weft_answer {
	__u32 outcome; /* enum weft_outcome */
	__u32 reply;   /* its number */
};

/* The refusal of a verdict that is no allow; compiler/abi/refusal.ts has the same. */
static __always_inline __u32 weft_refusal_of(__u32 reason)
{
	switch (reason) {
	case WEFT_REASON_NO_ROUTE:
		return WEFT_REFUSAL_NO_ROUTE;
	case WEFT_REASON_NO_ENDPOINT:
		return WEFT_REFUSAL_NO_ENDPOINT;
	case WEFT_REASON_NO_GENERATION:
	case WEFT_REASON_BUSY:
		return WEFT_REFUSAL_UNAVAILABLE;
	default:
		return WEFT_REFUSAL_DENY;
	}
}

static __always_inline __u32 weft_refusal_of_head(__u32 status)
{
	return status == 431 ? WEFT_REFUSAL_TOO_LARGE :
	       status == 501 ? WEFT_REFUSAL_NOT_IMPLEMENTED :
	       status == 505 ? WEFT_REFUSAL_VERSION :
			       WEFT_REFUSAL_PARSE;
}

/* Asks for a route; the service is the destination, since no endpoint is chosen yet. */
static __always_inline __u32 weft_ask_route(struct weft_request_work *work,
					    const struct weft_http *http)
{
	struct weft_connection *connection = &work->request.connection;
	__u32 answer;

	__builtin_memset(&connection->destination, 0, sizeof(connection->destination));
	connection->destination.address = http->name.address;
	connection->destination_port = http->name.port;
	connection->policies = http->routes;
	answer = weft_route_request(&work->request);
	connection->destination = http->connection.destination;
	connection->destination_port = http->connection.destination_port;
	return answer;
}

/*
 * Where the request goes: result->cluster, and in *to what more its route says. Also what is answered
 * here is judged, as if it went where its connection goes. 0: it ended.
 */
static __always_inline int weft_route_of(struct weft_request_work *work,
					 const struct weft_http *http, struct weft_answer *to)
{
	struct weft_result *result = &work->judgement.result;
	__u32 answer = weft_ask_route(work, http), number = answer & 0xffff;
	struct weft_route *route;

	if (!number)
		return 1;
	result->route = number;
	result->route_site = answer >> 16;
	if (number == WEFT_ROUTE_TRAP || number == WEFT_ROUTE_FUEL) {
		__u32 fuel = number == WEFT_ROUTE_FUEL;
		__u32 outcome = fuel ? weft_on_fuel : weft_on_trap;

		weft_end(result, fuel ? WEFT_REASON_FUEL : WEFT_REASON_TRAP, outcome);
		return outcome == WEFT_ALLOW; /* then where its connection goes, and a verdict on it */
	}
	route = bpf_map_lookup_elem(&weft_routes, &number);
	if (route && route->kind == WEFT_ROUTE_REPLY) {
		to->outcome = WEFT_ANSWER;
		to->reply = route->value;
		return 1;
	}
	if (route && route->kind == WEFT_ROUTE_AGENT) {
		to->outcome = WEFT_BY_AGENT;
		if (route->value != WEFT_NONE)
			result->cluster = route->value;
		return 1;
	}
	if (!route || route->value == WEFT_NONE) {
		weft_end(result, WEFT_REASON_NO_ROUTE, WEFT_DENY);
		return 0;
	}
	result->cluster = route->value;
	return 1;
}

/* Chooses an endpoint of another cluster, and asks what was asked of the bound one at connect. */
static __always_inline int weft_go_elsewhere(struct weft_request_work *work)
{
	struct weft_judgement *judgement = &work->judgement;
	struct weft_connection *connection = &judgement->connection;
	struct weft_result *result = &judgement->result;
	struct weft_identity *identity;

	judgement->input.flags = 0;
	if (!weft_choose(judgement)) {
		weft_end(result, WEFT_REASON_NO_ENDPOINT, WEFT_DENY);
		return 0;
	}
	__builtin_memset(&connection->destination, 0, sizeof(connection->destination));
	connection->destination.address = result->endpoint;
	connection->destination_port = result->endpoint_port;
	connection->policies = (struct weft_policy_set){};
	identity = weft_identify(result->destination);
	if (identity) {
		weft_see(&connection->destination, &identity->destination);
		connection->policies = identity->policies;
	}
	weft_verdict(judgement);
	work->request.connection = *connection;
	return result->decision.verdict == WEFT_ALLOW;
}

/* Asks the policies of the destination; of none of them is the answer that of its connection. */
static __always_inline int weft_authorize(struct weft_request_work *work)
{
	struct weft_result *result = &work->judgement.result;
	struct weft_decision *decision = &result->decision;
	__u32 verdict;

	if (!weft_overlap(&work->request.connection.policies, &weft_request_mask)) {
		weft_end(result, WEFT_REASON_CONNECTION, WEFT_ALLOW);
		return 1;
	}
	verdict = weft_authorize_request(&work->request, decision);
	if (verdict == WEFT_ALLOW || verdict == WEFT_DENY)
		decision->verdict = verdict;
	else
		weft_end(result, WEFT_REASON_TRAP, weft_on_trap);
	return decision->verdict == WEFT_ALLOW;
}

static __always_inline int weft_judge(struct weft_request_work *work, struct weft_http *http,
				      struct weft_answer *to)
{
	struct weft_judgement *judgement = &work->judgement;
	struct weft_connection *connection = &work->request.connection;
	struct weft_result *result = &judgement->result;

	to->outcome = WEFT_PASS;
	if (http->generation != weft_generation)
		weft_bind_again(http, judgement);
	*result = http->result;
	*connection = http->connection;
	/* The clock of the last tick: reading the real one costs as much as a policy. */
	connection->now = bpf_ktime_get_coarse_ns() + weft_clock_offset;
	connection->random = bpf_get_prandom_u32();
	result->pick = 0;
	result->route = result->route_site = 0;
	if (result->decision.verdict != WEFT_ALLOW)
		goto refused;
	if (weft_overlap(&http->routes, &weft_route_mask) && !weft_route_of(work, http, to))
		goto refused;
	if (result->cluster == http->result.cluster || weft_is_member(result->cluster, &http->endpoint)) {
		connection->policies = http->connection.policies;
	} else {
		if (to->outcome == WEFT_PASS)
			to->outcome = WEFT_ELSEWHERE;
		judgement->connection = *connection;
		if (!weft_go_elsewhere(work))
			goto refused;
	}
	if (weft_authorize(work))
		return 0;
refused:
	to->outcome = WEFT_ANSWER;
	to->reply = weft_refusal_of(result->decision.reason);
	return 0;
}

#endif
