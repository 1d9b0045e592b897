/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict on a record at both of its ends: isAsked, takeLetBe and takeVerdict of
 * runtime/simulate/flow-steps.ts, and compiler/bundle/combine.ts for what several policies say.
 */
#ifndef WEFT_BATCH_VERDICT_H
#define WEFT_BATCH_VERDICT_H

#include "flow.h"

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

/* isAsked */
static int weft_is_asked(const struct weft_flow *flow, int is_request)
{
	int has_request, has_connection;

	if (!flow->record->have)
		return !is_request;
	has_request = weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_REQUEST]);
	has_connection = weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_CONNECTION]);
	return is_request ? has_request : has_connection || !has_request;
}

/* takeLetBe */
static int weft_take_let_be(struct weft_flow *flow, __u32 is_server)
{
	struct weft_decision said = { .verdict = WEFT_ALLOW,
				      .policy = WEFT_NO_POLICY,
				      .reason = WEFT_REASON_REQUESTS };

	if (flow->record->have || !(is_server ? flow->is_http : flow->ends->is_http) ||
	    weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_CONNECTION]) ||
	    !weft_overlap(&flow->policies, &weft_has[WEFT_AUTHORIZE_REQUEST]))
		return 0;
	weft_take_verdict(flow, &said, is_server, 0);
	return 1;
}

/* Both ends: what they say is the same, so that it is asked for once. */
static void weft_authorize(struct weft_flow *flow, enum weft_hook hook)
{
	int is_request = hook == WEFT_AUTHORIZE_REQUEST;
	int is_client = flow->ends->source_workload != WEFT_NONE;
	int is_server = flow->destination != WEFT_NONE;
	int has_asked = 0;
	struct weft_decision said;

	if (flow->verdict == WEFT_DENY || !weft_is_asked(flow, is_request))
		return;
	if (is_request && flow->route_kind != WEFT_NONE && flow->route_kind != WEFT_TO_CLUSTER &&
	    flow->route_kind != WEFT_TO_WAYPOINT)
		is_server = 0;
	for (__u32 end = 0; end < 2; end++) {
		if (!(end ? is_server : is_client) || flow->verdict == WEFT_DENY)
			continue;
		if (weft_take_let_be(flow, end))
			continue;
		if (!has_asked) {
			weft_burned = 0;
			weft_combine(flow, hook, &said);
			has_asked = 1;
		}
		flow->fuel += weft_burned;
		weft_take_verdict(flow, &said, end, is_request && !(end && is_client));
	}
}

#endif
