/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sk_msg program of a generation without request policies: what goes on connections of an older
 * one passes. Where in its stream such a connection then stands nobody knows: a later generation
 * that judges requests ends it.
 */
#ifndef WEFT_REQUEST_UNSEEN_H
#define WEFT_REQUEST_UNSEEN_H

#include "request/pass.h"

SEC("sk_msg") int weft_pass_on(struct sk_msg_md *message)
{
	struct bpf_sock *socket = message->sk;
	struct tcp_sock *tcp;
	struct weft_http *http;

	if (!socket)
		return SK_DROP;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	tcp = bpf_skc_to_tcp_sock(socket);
	if (!http || !tcp || !weft_is_passing(http->mode))
		return SK_DROP;
	bpf_msg_cork_bytes(message, 0);
	if (http->mode != WEFT_HTTP_TUNNEL)
		http->mode = WEFT_HTTP_UNSEEN;
	return weft_grant_all(message, http, tcp);
}

#endif
