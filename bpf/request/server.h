/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sk_skb program: requests of clients whose own node judges none. Takes what such a client sent
 * apart, packet by packet, before the server can read it. A run lets in bytes up to the end of what
 * is known, then runs again for what follows in the same packet.
 *
 * A packet cannot wait. A head of which a part has come is copied and the packet cut; TCP then takes
 * the part for unread, until it stands before the packet in which the head ends.
 */
#ifndef WEFT_REQUEST_SERVER_H
#define WEFT_REQUEST_SERVER_H

#include "event.h"
#include "request/server-refuse.h"
#include "request/meet.h"

#define WEFT_CHUNK_WINDOWS 4096 /* chunks of a packet */

/*
 * Are the requests of this client judged where they are sent? Another node is trusted with its own
 * workloads; one of this node may not be enrolled, or its socket older than that.
 */
static __always_inline int weft_is_judged(struct bpf_sock_ops *context,
					  const struct weft_address *client)
{
	__u32 workload = weft_workload_at(client);

	return workload != WEFT_NONE && (!weft_is_here(workload) || weft_is_proven(context));
}

/* sockops: is this a connection to where requests are judged, from one whose own are not? */
SEC("sockops") int weft_accept(struct bpf_sock_ops *context)
{
	__u32 mark = WEFT_MARK_BLOCKED;
	struct weft_service_key key = { .protocol = IPPROTO_TCP };
	struct weft_service *service;
	struct weft_server server = {};
	__u64 cookie;

	weft_ends(context, &server.local, &server.remote);
	key.address = server.local.address;
	key.port = server.local.port;
	service = bpf_map_lookup_elem(&weft_services, &key);
	if (!service || !(service->flags & WEFT_SERVICE_HTTP) ||
	    weft_is_judged(context, &server.remote.address))
		return 1;
	server.cgroup = weft_enrolled_cgroup();
	cookie = server.cookie = bpf_get_socket_cookie(context);
	if (!bpf_map_update_elem(&weft_server_states, &cookie, &server, BPF_NOEXIST) &&
	    !bpf_sock_hash_update(context, &weft_strangers, &cookie, BPF_ANY))
		return 1;
	weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
	bpf_setsockopt(context, 1 /* SOL_SOCKET */, 36 /* SO_MARK */, &mark, sizeof(mark));
	return 1;
}

/* The question of its arrival, and then of the request; reported as one event. */
static __always_inline int weft_server_judge(struct weft_request_work *work,
					     const struct weft_server *server)
{
	struct weft_judgement *judgement = &work->judgement;
	struct weft_input *input = &judgement->input;

	__builtin_memset(input, 0, sizeof(*input));
	input->source = server->remote.address;
	input->destination = server->local.address;
	input->port = server->local.port;
	input->cgroup = server->cgroup;
	input->now = bpf_ktime_get_ns() + weft_clock_offset;
	input->workload = WEFT_NONE;
	input->random = bpf_get_prandom_u32();
	input->protocol = IPPROTO_TCP;
	weft_ingress_decide(judgement);
	if (judgement->result.decision.verdict == WEFT_ALLOW) {
		work->request.connection = judgement->connection;
		weft_authorize(work);
	}
	judgement->event.cookie = server->cookie;
	judgement->event.hook = WEFT_HOOK_SERVER;
	judgement->event.source_port = server->remote.port;
	judgement->event.family = judgement->connection.family;
	weft_report(&judgement->event);
	if (weft_is_followed() == WEFT_WANTED_HEADS) {
		/* The policies of the connection may have said no before the request was asked about. */
		work->request.connection = judgement->connection;
		weft_report_head(&work->request);
	}
	return judgement->result.decision.verdict == WEFT_ALLOW;
}

/* Copies up to `limit` bytes of what the head at server->at has, what was held included. */
static __noinline __u32 weft_server_load(struct __sk_buff *skb, struct weft_server *server,
					 struct weft_request_work *work, __u32 limit)
{
	__u64 cookie = server->cookie;
	__u32 before = server->held, size = skb->len - server->at;
	struct weft_held *held;

	if (size > limit)
		size = limit;
	if (size - 1 > WEFT_HEAD_MAX - 1)
		return 0;
	size = weft_length(size, WEFT_HEAD_MAX);
	if (!before)
		return bpf_skb_load_bytes(skb, server->at, work->request.bytes, size) ? 0 : size;
	held = bpf_map_lookup_elem(&weft_held, &cookie);
	asm volatile("" : "+r"(before));
	if (!held || before > WEFT_HEAD_MAX ||
	    bpf_skb_load_bytes(skb, 0, held->bytes + before, size))
		return 0;
	size += before;
	if (size > WEFT_HEAD_MAX)
		size = WEFT_HEAD_MAX;
	asm volatile("" : "+r"(size));
	if (size > WEFT_HEAD_MAX || bpf_probe_read_kernel(work->request.bytes, size, held->bytes))
		return 0;
	return size;
}

/* The status of the head at server->at. */
static __noinline int weft_server_parse(struct __sk_buff *skb, struct weft_server *server,
					struct weft_request_work *work, __u32 limit)
{
	__u32 size = weft_server_load(skb, server, work, limit), zero = 0;
	struct weft_names *names = bpf_map_lookup_elem(&weft_names, &zero);

	if (!names || !size)
		return 400;
	work->cursor.phase = WEFT_SCAN_START;
	return weft_parse_head(work->request.bytes, size, names, &work->request.head,
			       &work->cursor);
}

/* Keeps the part of a head that the packet ends with, and cuts it off. */
static __always_inline int weft_hold(struct __sk_buff *skb, struct weft_server *server,
				     struct weft_request_work *work)
{
	__u32 size = skb->len - server->at;
	__u64 cookie = server->cookie;

	if ((!server->held && weft_keep_held(cookie, work->request.bytes)) ||
	    bpf_skb_change_tail(skb, server->at, 0)) {
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return weft_server_reply(skb, server, &work->request, WEFT_REFUSAL_UNAVAILABLE,
					 size);
	}
	server->held += size;
	return server->at ? SK_PASS : SK_DROP;
}

struct weft_chunk_walk {
	struct __sk_buff *skb;
	struct weft_server *server;
	struct weft_request_work *work;
	__u32 event;
};

static long weft_chunk_window(__u32 index, struct weft_chunk_walk *walk)
{
	struct weft_server *server = walk->server;
	__u32 rest = walk->skb->len - server->at, have = rest;

	if (server->at >= walk->skb->len)
		return 1;
	if (server->left >= rest) {
		server->left -= rest;
		server->at += rest;
		return 1;
	}
	server->at += server->left;
	have -= server->left;
	server->left = 0;
	have = weft_window_of(have);
	walk->event = WEFT_FRAME_REFUSED;
	if (bpf_skb_load_bytes(walk->skb, server->at, walk->work->request.bytes, have))
		return 1;
	walk->event = weft_walk_chunk(walk->work->request.bytes, have, &server->chunk);
	if (walk->event == WEFT_FRAME_REFUSED)
		return 1;
	server->at += server->chunk.lines.at;
	if (walk->event == WEFT_FRAME_CHUNK)
		server->left = server->chunk.data;
	return walk->event == WEFT_FRAME_LAST;
}

/* Lets chunks in, and of a chunk's header whatever has come; -1: a head follows. */
static __always_inline int weft_server_chunks(struct __sk_buff *skb, struct weft_server *server,
					      struct weft_request_work *work)
{
	struct weft_chunk_walk walk = { .skb = skb, .server = server, .work = work };

	bpf_loop(WEFT_CHUNK_WINDOWS, weft_chunk_window, &walk, 0);
	if (walk.event == WEFT_FRAME_LAST) {
		server->mode = WEFT_SERVER_HEAD;
		return server->at < skb->len ? -1 : SK_PASS;
	}
	if (walk.event != WEFT_FRAME_REFUSED && server->at >= skb->len)
		return SK_PASS;
	weft_count_reason(WEFT_REASON_PARSE, WEFT_DENY);
	return weft_spoil(skb, server, server->at);
}

/* The head at server->at, and what of its body is there; -1: more follows. */
static __always_inline int weft_server_head(struct __sk_buff *skb, struct weft_server *server,
					    struct weft_request_work *work)
{
	const struct weft_head *head = &work->request.head;
	int status = weft_server_parse(skb, server, work, WEFT_FIRST_LOOK);
	struct tcp_sock *tcp;
	__u64 total;

	if (status == WEFT_HEAD_INCOMPLETE && skb->len - server->at > WEFT_FIRST_LOOK)
		status = weft_server_parse(skb, server, work, WEFT_HEAD_MAX);
	if (status == WEFT_HEAD_INCOMPLETE)
		return weft_hold(skb, server, work);
	if (status != WEFT_HEAD_OK) {
		weft_count_reason(WEFT_REASON_PARSE, weft_on_parse);
		if (weft_on_parse == WEFT_ALLOW) {
			server->mode = WEFT_SERVER_TUNNEL;
			return weft_join(skb, server) ? SK_PASS :
							weft_spoil(skb, server, server->at);
		}
		return weft_server_reply(skb, server, &work->request,
					 weft_refusal_of_head(status), skb->len);
	}
	total = head->length + head->content_length;
	if (!weft_server_judge(work, server))
		return weft_server_reply(
			skb, server, &work->request,
			weft_refusal_of(work->judgement.result.decision.reason), total);
	if (head->flags & WEFT_HEAD_UPGRADE)
		return weft_server_reply(skb, server, &work->request, WEFT_REFUSAL_NOT_IMPLEMENTED,
					 total);
	if (!weft_join(skb, server))
		return weft_spoil(skb, server, server->at);
	tcp = skb->sk ? bpf_skc_to_tcp_sock(skb->sk) : 0;
	server->asked = 1;
	server->written = tcp ? tcp->write_seq : 0;
	server->at += head->length;
	server->left = head->content_length;
	if (head->flags & WEFT_HEAD_CHUNKED) {
		server->mode = WEFT_SERVER_CHUNK;
		server->chunk.lines.phase = WEFT_FRAME_START;
	}
	return server->at < skb->len ? -1 : SK_PASS;
}

/* The next step in a packet; -1: more of it follows, from server->at on. */
static __always_inline int weft_server_step(struct __sk_buff *skb, struct weft_server *server)
{
	struct weft_request_work *work;
	__u32 rest = skb->len - server->at;
	int verdict;

	switch (server->mode) {
	case WEFT_SERVER_TUNNEL:
		return SK_PASS;
	case WEFT_SERVER_OVER:
		return SK_DROP;
	case WEFT_SERVER_UNSEEN:
		return weft_spoil(skb, server, 0);
	case WEFT_SERVER_SINK:
		if (server->left < rest) /* its end cannot be cut off from the packet's beginning */
			return weft_spoil(skb, server, 0);
		server->left -= rest;
		if (!server->left)
			server->mode = WEFT_SERVER_HEAD;
		return SK_DROP;
	}
	if (server->left >= rest) {
		server->left -= rest;
		return SK_PASS;
	}
	if (server->mode == WEFT_SERVER_HEAD) {
		server->at += server->left;
		server->left = 0;
	}
	work = weft_take_request();
	if (!work) {
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return weft_spoil(skb, server, server->at);
	}
	verdict = server->mode == WEFT_SERVER_CHUNK ?
			  weft_server_chunks(skb, server, work) :
			  weft_server_head(skb, server, work);
	weft_release_request(work);
	return verdict;
}

SEC("sk_skb/stream_verdict") int weft_server(struct __sk_buff *skb)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct weft_server *server = bpf_map_lookup_elem(&weft_server_states, &cookie);
	int verdict;

	if (!skb->len)
		return SK_PASS; /* the client's end */
	if (!server) {
		struct weft_server unknown = {};

		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return weft_spoil(skb, &unknown, 0);
	}
	verdict = weft_server_step(skb, server);
	if (verdict < 0) {
		bpf_tail_call(skb, &weft_slots_server, weft_generation % WEFT_SLOTS);
		/* The kernel has had enough of them. */
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		verdict = weft_spoil(skb, server, server->at);
	}
	server->at = 0;
	return verdict;
}

#endif
