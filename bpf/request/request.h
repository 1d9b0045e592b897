/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sk_msg program: takes a client's stream apart into requests. A run starts where a request, or
 * the rest of a body, starts; its answer holds for as many bytes as it says (apply_bytes), so that
 * mostly a request is one run.
 */
#ifndef WEFT_REQUEST_REQUEST_H
#define WEFT_REQUEST_REQUEST_H

#include "request/guard.h"
#include "request/judge.h"
#include "request/read.h"
#include "request/refuse.h"

/* Lets `total` bytes from here go to the bound server; what is more, in further runs. */
static __always_inline int weft_let_pass(struct sk_msg_md *message, struct weft_http *http,
					 __u64 total)
{
	__u32 now = total < WEFT_PASS_MAX ? total : WEFT_PASS_MAX;

	http->left = total - now;
	http->mode = http->left ? WEFT_HTTP_BODY : WEFT_HTTP_HEAD;
	http->judged_seq += now;
	bpf_msg_apply_bytes(message, now);
	return SK_PASS;
}

/* The rest of a refused body; what follows in the same message is the next run's. */
static __always_inline int weft_sink(struct sk_msg_md *message, struct weft_http *http)
{
	__u32 size = message->size;

	if (http->left > size) {
		http->left -= size;
		return weft_swallow(message, http);
	}
	size = http->left;
	http->left = 0;
	http->mode = WEFT_HTTP_HEAD;
	if (size == message->size)
		return weft_swallow(message, http);
	if (bpf_msg_pop_data(message, 0, size, 0))
		return SK_DROP;
	return -1;
}

static __always_inline int weft_handle(struct sk_msg_md *message, struct weft_http *http,
				       struct weft_request_work *work)
{
	const struct weft_head *head = &work->request.head;
	int status = weft_read(message, work);
	struct weft_answer answer = {};
	__u64 total;

	if (status == WEFT_HEAD_INCOMPLETE) {
		bpf_msg_cork_bytes(message, message->size + 1);
		http->flags |= WEFT_HTTP_CORKED;
		return SK_PASS;
	}
	if (status != WEFT_HEAD_OK) {
		weft_count_reason(WEFT_REASON_PARSE, WEFT_DENY);
		return weft_reply(message, http, &work->request, weft_refusal_of_head(status),
				  message->size);
	}
	total = head->length + head->content_length;
	weft_judge(work, http, &answer);
	weft_count(&weft_sites, work->judgement.result.decision.site);
	weft_count_reason(work->judgement.result.decision.reason,
			  work->judgement.result.decision.verdict);
	if (answer.outcome == WEFT_PASS) {
		if (!(head->flags & (WEFT_HEAD_CHUNKED | WEFT_HEAD_UPGRADE)))
			return weft_let_pass(message, http, total);
		answer.value = WEFT_REFUSAL_NOT_IMPLEMENTED;
	}
	if (answer.outcome == WEFT_ELSEWHERE)
		answer.value = WEFT_REFUSAL_UNAVAILABLE;
	return weft_reply(message, http, &work->request, answer.value, total);
}

SEC("sk_msg") int weft_request(struct sk_msg_md *message)
{
	struct bpf_sock *socket = message->sk;
	struct weft_request_work *work;
	struct weft_http *http;
	int verdict;

	if (!socket)
		return SK_DROP;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http)
		return SK_DROP;
	/* A socket that held a message back once keeps both for its next messages. */
	bpf_msg_cork_bytes(message, 0);
	bpf_msg_apply_bytes(message, 0);
	if (http->mode == WEFT_HTTP_BODY)
		return weft_let_pass(message, http, http->left);
	if (http->mode == WEFT_HTTP_OVER)
		return weft_swallow(message, http);
	if (http->mode == WEFT_HTTP_SINK) {
		verdict = weft_sink(message, http);
		if (verdict >= 0)
			return verdict;
	}
	if (http->mode != WEFT_HTTP_HEAD)
		return SK_DROP;
	work = weft_take_request();
	if (!work) {
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return SK_DROP;
	}
	verdict = weft_handle(message, http, work);
	weft_release_request(work);
	return verdict;
}

#endif
