/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counts a verdict and reports it. A record that finds no room is counted in weft_losses. */
#ifndef WEFT_EVENT_H
#define WEFT_EVENT_H

#include "generation.h"

/* A function of its own also so that BTF describes struct weft_event. */
static __noinline int weft_report(struct weft_event *event)
{
	const struct weft_decision *decision = &event->result.decision;

	weft_count(&weft_sites, decision->site);
	weft_count_reason(decision->reason, decision->verdict);
	/* Reading the clock again would cost as much as a look-up. */
	event->time = event->input.now - weft_clock_offset;
	event->generation = weft_generation;
	/* No wake-up: it would cost each connection an interrupt, and the reader looks by the clock. */
	if (bpf_ringbuf_output(&weft_events, event, sizeof(*event), BPF_RB_NO_WAKEUP))
		weft_count(&weft_losses, 0);
	return 0;
}

#endif
