/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counts and reports a verdict on a request. What was refused, answered or marked is always reported;
 * what merely passed only while somebody reads events: it would cost each request a record.
 */
#ifndef WEFT_REQUEST_REPORT_H
#define WEFT_REQUEST_REPORT_H

#include "request/work.h"

/*
 * What the policies were asked about, up to the end of the head, as a record of its own: it is longer
 * than any event. The event before it has the same time and draw.
 */
static __noinline int weft_report_head(struct weft_request *request)
{
	__u32 length = request->head.length;

	asm volatile("" : "+r"(length));
	if (length > WEFT_HEAD_MAX)
		return 0;
	if (bpf_ringbuf_output(&weft_events, request,
			       __builtin_offsetof(struct weft_request, bytes) + length,
			       BPF_RB_NO_WAKEUP))
		weft_count(&weft_losses, 0);
	return 0;
}

/* The status of a ready reply; 0 of none. */
static __always_inline __u32 weft_status_of(__u32 reply)
{
	__u32 index = reply * 2;
	struct weft_reply_bytes *bytes;

	if (reply == WEFT_NONE)
		return 0;
	bytes = bpf_map_lookup_elem(&weft_replies, &index);
	return bytes ? (bytes->bytes[9] - '0') * 100 + (bytes->bytes[10] - '0') * 10 +
			       (bytes->bytes[11] - '0') :
		       0;
}

static __noinline int weft_report_text(struct weft_request_event *event, const __u8 *bytes,
				       __u32 method, __u32 path)
{
	if (!event || !bytes)
		return 0;
	event->method_length = method;
	event->path_length = path;
	for (__u32 i = 0; i < WEFT_EVENT_METHOD / 8; i++)
		event->method[i] = weft_word(bytes, (method >> 16) + 8 * i);
	for (__u32 i = 0; i < WEFT_EVENT_PATH / 8; i++)
		event->path[i] = weft_word(bytes, (path >> 16) + 8 * i);
	return 0;
}

static __noinline int weft_report_record(const struct weft_http *http,
					 struct weft_request_work *work, __u32 reply, int text)
{
	struct weft_event *event = &work->judgement.event;
	struct weft_request_event *record;

	event->input.source = http->connection.source.address;
	event->input.destination = http->name.address;
	event->input.port = http->name.port;
	event->input.cgroup = http->cgroup;
	event->input.now = work->request.connection.now;
	event->input.random = work->request.connection.random;
	event->input.workload = http->result.source;
	event->input.protocol = IPPROTO_TCP;
	event->time = event->input.now - weft_clock_offset;
	event->cookie = http->cookie;
	event->generation = weft_generation;
	event->source_port = 0;
	event->family = http->connection.family;
	event->hook = WEFT_HOOK_REQUEST;
	record = bpf_ringbuf_reserve(&weft_events, sizeof(*record), 0);
	if (!record) {
		weft_count(&weft_losses, 0);
		return 0;
	}
	record->event = *event;
	record->status = weft_status_of(reply);
	record->zero = 0;
	weft_report_text(record, work->request.bytes, text ? work->request.head.method : 0,
			 text ? work->request.head.path : 0);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void weft_report_request(const struct weft_http *http,
						struct weft_request_work *work, __u32 reply)
{
	const struct weft_decision *decision = &work->judgement.result.decision;
	__u32 wanted = weft_is_followed();

	weft_count(&weft_sites, decision->site);
	weft_count_reason(decision->reason, decision->verdict);
	if (reply != WEFT_NONE || weft_any(&decision->audited) ||
	    weft_any(&decision->shadow_allow) || weft_any(&decision->shadow_deny) || wanted)
		weft_report_record(http, work, reply, 1);
	if (wanted == WEFT_WANTED_HEADS)
		weft_report_head(&work->request);
}

/* A head that cannot be read has no method and no path. */
static __always_inline void weft_report_strange(const struct weft_http *http,
						struct weft_request_work *work, __u32 reply)
{
	struct weft_result *result = &work->judgement.result;

	*result = http->result;
	result->decision = (struct weft_decision){ .policy = WEFT_NO_POLICY };
	weft_end(result, WEFT_REASON_PARSE, weft_on_parse);
	work->request.connection.now = bpf_ktime_get_coarse_ns() + weft_clock_offset;
	work->request.connection.random = 0;
	weft_count_reason(WEFT_REASON_PARSE, result->decision.verdict);
	weft_report_record(http, work,
			   result->decision.verdict == WEFT_ALLOW ? WEFT_NONE : reply, 0);
}

#endif
