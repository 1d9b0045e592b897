/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sk_msg program of a generation without request policies: what goes on connections of an older
 * one passes. Where in its stream such a connection then stands nobody knows: a later generation
 * that judges requests ends it.
 */
#ifndef WEFT_REQUEST_PASS_H
#define WEFT_REQUEST_PASS_H

#include "request/guard.h"

SEC("sk_msg") int weft_pass_on(struct sk_msg_md *message)
{
	struct bpf_sock *socket = message->sk;
	struct weft_http *http;

	if (!socket)
		return SK_DROP;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http || (http->mode != WEFT_HTTP_HEAD && http->mode != WEFT_HTTP_UNSEEN))
		return SK_DROP;
	bpf_msg_cork_bytes(message, 0);
	http->mode = WEFT_HTTP_UNSEEN;
	http->judged_seq += WEFT_PASS_MAX;
	bpf_msg_apply_bytes(message, WEFT_PASS_MAX);
	return SK_PASS;
}

#endif
