/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is known of a client's connection before its first request: found out once, by connect or, in
 * a later generation, by the next request, and kept in the socket's storage.
 */
#ifndef WEFT_REQUEST_BIND_H
#define WEFT_REQUEST_BIND_H

#include "decide.h"
#include "request/node.h"
#include "request/tcp.h"

#define EOPNOTSUPP 95

static __always_inline void weft_keep(struct weft_http *http,
				      const struct weft_judgement *judgement)
{
	http->routes = judgement->routes;
	http->result = judgement->result;
	http->connection = judgement->connection;
	http->generation = weft_generation;
}

/*
 * connect: from here on the socket's requests are judged, or, where it connects to something else,
 * not any more. 0: there was no memory to note it, or the socket was connected before and has held
 * bytes back, which would go first, unjudged: connect(AF_UNSPEC) takes nothing off psock->cork.
 */
static __always_inline int weft_bind(struct bpf_sock_addr *context,
				     const struct weft_judgement *judgement, __u64 cookie,
				     const struct weft_name *name, const struct weft_name *endpoint)
{
	int on = judgement->result.flags & WEFT_SERVICE_HTTP;
	struct weft_http *http;

	http = bpf_sk_storage_get(&weft_http, context->sk, 0, on ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!http)
		return !on;
	if (http->flags & WEFT_HTTP_CORKED) {
		bpf_set_retval(-EOPNOTSUPP);
		return 0;
	}
	__builtin_memset(http, 0, sizeof(*http));
	if (!on) {
		http->mode = WEFT_HTTP_TUNNEL; /* the sk_msg program stays with the socket */
		return 1;
	}
	http->cookie = cookie;
	http->cgroup = judgement->input.cgroup;
	http->name = *name;
	http->endpoint = *endpoint;
	http->flags = WEFT_HTTP_ON | (weft_short_circuit ? WEFT_HTTP_OFFERED : 0);
	if (weft_is_here(judgement->result.destination))
		http->flags |= WEFT_HTTP_PROVES;
	weft_keep(http, judgement);
	return 1;
}

/* Asks the connection's questions again, in this generation, of the endpoint that it is bound to. */
static __always_inline int weft_bind_again(struct weft_http *http,
					   struct weft_judgement *judgement)
{
	struct weft_input *input = &judgement->input;

	__builtin_memset(input, 0, sizeof(*input));
	input->destination = http->name.address;
	input->port = http->name.port;
	input->cgroup = http->cgroup;
	input->now = bpf_ktime_get_ns() + weft_clock_offset;
	input->workload = WEFT_NONE;
	input->random = bpf_get_prandom_u32();
	input->protocol = IPPROTO_TCP;
	input->flags = WEFT_INPUT_BOUND;
	judgement->bound = http->endpoint;
	weft_connect_decide(judgement);
	weft_keep(http, judgement);
	return 0;
}

#endif
