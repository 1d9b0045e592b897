/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sk_msg program: takes a client's stream apart into requests. A run starts where a request, or
 * the rest of a body, starts; its answer holds for as many bytes as it says (apply_bytes), so that
 * mostly a request is one run.
 */
#ifndef WEFT_REQUEST_REQUEST_H
#define WEFT_REQUEST_REQUEST_H

#include "request/body.h"
#include "request/elsewhere.h"
#include "request/judge.h"
#include "request/read.h"
#include "request/refuse.h"
#include "request/report.h"
#include "request/sink.h"

/* Nothing more can come of it: an exchange that is under way will not end, or nobody may answer. */
static __always_inline int weft_give_up(struct weft_http *http)
{
	http->mode = WEFT_HTTP_DEAD;
	return SK_DROP;
}

/* A head that cannot be read: an end, or, by weft.json `failure.parse`, no HTTP and let pass. */
static __always_inline int weft_strange(struct sk_msg_md *message, struct weft_http *http,
					struct tcp_sock *socket, struct weft_request_work *work,
					int status)
{
	weft_report_strange(http, work, weft_refusal_of_head(status));
	if (weft_on_parse == WEFT_ALLOW) {
		http->mode = WEFT_HTTP_TUNNEL;
		return weft_grant_all(message, http, socket);
	}
	if (weft_is_turn(http, socket))
		return weft_reply(message, http, &work->request, weft_refusal_of_head(status),
				  message->size);
	/* The agent reads it again, and answers once it is its turn. */
	if (!(http->native.flags & WEFT_NATIVE_LOST) &&
	    weft_hand_over(message, http, work, WEFT_HANDOVER_ORDER, WEFT_FIRST_JUDGED))
		return SK_PASS;
	return weft_give_up(http);
}

static __always_inline int weft_pass_request(struct sk_msg_md *message, struct weft_http *http,
					     struct tcp_sock *socket,
					     struct weft_request_work *work)
{
	const struct weft_head *head = &work->request.head;

	http->flags &= ~(WEFT_HTTP_SHORT | WEFT_HTTP_LOOKED);
	if (weft_short_circuit) {
		if (weft_is_short(message, http, socket))
			http->flags |= WEFT_HTTP_SHORT | WEFT_HTTP_LOOKED;
		weft_grant_replies(http, socket);
	} else if (http->flags & WEFT_HTTP_GRANTED &&
		   http->asked - 1 == http->native.reply.done) {
		weft_revoke_replies(http);
	}
	/* Last, since whoever reads the rest of that line waits for it then. */
	*(volatile __u32 *)&http->native.asked.count = http->asked;
	if (head->flags & WEFT_HEAD_CHUNKED) {
		http->mode = WEFT_HTTP_CHUNK;
		http->chunk.lines.phase = WEFT_FRAME_START;
	}
	return weft_grant(message, http, socket, work, head->length,
			  head->length + head->content_length);
}

/* Can it follow those before it on the client's own connection? Then it is counted. */
static __always_inline int weft_may_pass(struct weft_http *http,
					 const struct weft_request *request)
{
	struct weft_native *native = &http->native;
	__u64 kinds = weft_kinds_of(request);

	if (request->head.flags & WEFT_HEAD_UPGRADE || http->flags & WEFT_HTTP_TAIL ||
	    weft_lease_is_open(http->lease, http->cookie) ||
	    (http->lease && !weft_is_delivered((void *)native->socket, http->lease)))
		return 0;
	/* Where all are of the plain kind there is nothing to keep of each, and no limit. */
	if (!kinds && !http->kinds) {
		http->asked++;
		return 1;
	}
	if (native->flags & WEFT_NATIVE_LOST)
		return 1;
	if (weft_ask_reply(&native->asked, *(volatile __u32 *)&native->reply.done, kinds))
		return 0;
	http->asked = native->asked.count;
	http->kinds = native->asked.kinds != 0;
	return 1;
}

/* What does not go to the bound server, or not yet. */
static __always_inline int weft_divert(struct sk_msg_md *message, struct weft_http *http,
				       struct tcp_sock *socket, struct weft_request_work *work,
				       const struct weft_answer *answer)
{
	const struct weft_head *head = &work->request.head;
	__u64 total = head->length + head->content_length;
	int turn = !(http->flags & WEFT_HTTP_TAIL) && weft_is_turn(http, socket);
	int answered = answer->outcome == WEFT_ANSWER;
	int plain = answer->outcome == WEFT_PASS || answer->outcome == WEFT_ELSEWHERE;

	if (answered && turn && head->flags & WEFT_HEAD_CHUNKED)
		total = weft_length_in_chunks(message, http, work);
	if (answered && turn && message->size <= total)
		return weft_reply(message, http, &work->request, answer->reply, total);
	/* Of replies that cannot be followed the agent cannot wait for the end either. */
	if (!(http->native.flags & WEFT_NATIVE_LOST) &&
	    weft_send_elsewhere(message, http, work, total, plain, turn))
		return SK_PASS;
	/* Let in, and nobody is there to take it further: what is refused now is counted besides. */
	if (!answered || !turn)
		weft_count_reason(WEFT_REASON_FAULT, WEFT_DENY);
	if (!turn)
		return weft_give_up(http);
	if (!answered && head->flags & WEFT_HEAD_CHUNKED)
		total = weft_length_in_chunks(message, http, work);
	return weft_reply(message, http, &work->request,
			  answered ? answer->reply : WEFT_REFUSAL_UNAVAILABLE, total);
}

static __always_inline int weft_handle(struct sk_msg_md *message, struct weft_http *http,
				       struct tcp_sock *socket, struct weft_request_work *work)
{
	struct weft_answer answer = {};
	int status;

	if (weft_granted(http, socket))
		return weft_resume(message, http, socket, work);
	if (http->mode == WEFT_HTTP_CHUNK)
		return weft_pass_chunk(message, http, socket, work);
	if (http->mode == WEFT_HTTP_SINK_CHUNK) {
		status = weft_sink_chunks(message, http, work);
		if (status >= 0)
			return status;
	}
	status = weft_read(message, work);
	if (status == WEFT_HEAD_INCOMPLETE && http->flags & WEFT_HTTP_TAIL)
		return weft_hand_over(message, http, work, WEFT_HANDOVER_MESSAGE,
				      WEFT_FIRST_UNREAD) ? SK_PASS : weft_give_up(http);
	if (status == WEFT_HEAD_INCOMPLETE) {
		bpf_msg_cork_bytes(message, message->size + 1);
		http->flags |= WEFT_HTTP_CORKED;
		return SK_PASS;
	}
	if (status == WEFT_READ_FAILED ||
	    (status != WEFT_HEAD_OK && http->flags & WEFT_HTTP_TAIL))
		return weft_give_up(http);
	if (status != WEFT_HEAD_OK)
		return weft_strange(message, http, socket, work, status);
	weft_judge(work, http, &answer);
	weft_report_request(http, work, answer.outcome == WEFT_ANSWER ? answer.reply : WEFT_NONE);
	if (answer.outcome == WEFT_PASS && weft_may_pass(http, &work->request))
		return weft_pass_request(message, http, socket, work);
	return weft_divert(message, http, socket, work, &answer);
}

/* What needs no look at the message's bytes; -1: it does. */
static __always_inline int weft_continue(struct sk_msg_md *message, struct weft_http *http,
				      struct tcp_sock *socket)
{
	__s32 granted = weft_granted(http, socket);

	if (http->mode == WEFT_HTTP_TUNNEL)
		return weft_grant_all(message, http, socket);
	if (http->mode >= WEFT_HTTP_OVER || http->mode == WEFT_HTTP_UNSEEN || granted < 0)
		return http->mode == WEFT_HTTP_OVER ? weft_swallow(message, http) : SK_DROP;
	if (granted)
		return weft_unsent_syntax(http, socket) ? -1 : weft_step(message, http, socket);
	if (http->mode == WEFT_HTTP_SINK)
		return weft_sink(message, http);
	if (http->mode == WEFT_HTTP_SINK_CHUNK)
		return -1;
	return http->left ? weft_grant_body(message, http, socket) : -1;
}

SEC("sk_msg") int weft_request(struct sk_msg_md *message)
{
	struct bpf_sock *socket = message->sk;
	struct weft_request_work *work;
	struct weft_http *http;
	struct tcp_sock *tcp;
	int verdict;

	if (!socket)
		return SK_DROP;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	tcp = bpf_skc_to_tcp_sock(socket);
	if (!http || !tcp)
		return SK_DROP;
	/* A socket that held a message back once keeps both for its next messages. */
	if (http->flags & WEFT_HTTP_CORKED)
		bpf_msg_cork_bytes(message, 0);
	bpf_msg_apply_bytes(message, 0);
	verdict = weft_follow(message, http);
	if (verdict < 0)
		verdict = weft_continue(message, http, tcp);
	if (verdict >= 0)
		return verdict;
	work = weft_take_request();
	if (!work) {
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return SK_DROP;
	}
	verdict = weft_handle(message, http, tcp, work);
	http->flags &= ~WEFT_HTTP_TAIL;
	weft_release_request(work);
	if (verdict == SK_DROP)
		http->mode = WEFT_HTTP_DEAD;
	return verdict;
}

#endif
