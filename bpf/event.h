/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counts a verdict and reports it. A record that finds no room is counted in weft_losses. */
#ifndef WEFT_EVENT_H
#define WEFT_EVENT_H

#include "generation.h"

/* What only the hook knows. */
struct weft_origin {
	__u64 cookie;
	__u16 source_port;
	__u8 hook;
	__u8 zero[5];
};

/* A function of its own also so that BTF describes struct weft_event. */
static __noinline int weft_fill(struct weft_event *event, const struct weft_judgement *judgement,
				const struct weft_origin *origin)
{
	const struct weft_input *input = &judgement->input;
	const struct weft_result *result = &judgement->result;

	event->time = input->now - weft_clock_offset; /* reading the clock again would cost as much as a look-up */
	event->now = input->now;
	event->cookie = origin->cookie;
	event->cgroup = input->cgroup;
	event->audited = result->audited;
	event->shadow_allow = result->shadow_allow;
	event->shadow_deny = result->shadow_deny;
	event->source = input->source;
	event->destination = input->destination;
	event->endpoint = result->endpoint;
	event->generation = weft_generation;
	event->verdict = result->verdict;
	event->reason = result->reason;
	event->site = result->site;
	event->policy = result->policy;
	event->route = result->route;
	event->route_site = result->route_site;
	event->service = result->service;
	event->cluster = result->cluster;
	event->source_workload = result->source;
	event->destination_workload = result->destination;
	event->random = input->random;
	event->pick = result->pick;
	event->source_port = origin->source_port;
	event->destination_port = input->port;
	event->endpoint_port = result->endpoint_port;
	event->protocol = input->protocol;
	event->family = judgement->connection.family;
	event->hook = origin->hook;
	event->zero[0] = 0;
	event->zero[1] = 0;
	event->zero[2] = 0;
	return 0;
}

static __noinline int weft_report(const struct weft_judgement *judgement,
				  const struct weft_origin *origin)
{
	struct weft_event *event;

	weft_count(&weft_sites, judgement->result.site);
	weft_count_reason(judgement->result.reason, judgement->result.verdict);
	event = bpf_ringbuf_reserve(&weft_events, sizeof(*event), 0);
	if (!event) {
		weft_count(&weft_losses, 0);
		return 0;
	}
	weft_fill(event, judgement, origin);
	/* No wake-up: it would cost each connection an interrupt, and the reader looks by the clock. */
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
