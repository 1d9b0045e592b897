/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The receiving side in a generation without request policies: what comes on connections of an older
 * one is let in. Where in its stream such a connection then stands nobody knows: a later generation
 * that judges requests ends it.
 */
#ifndef WEFT_REQUEST_SERVER_PASS_H
#define WEFT_REQUEST_SERVER_PASS_H

#include "request/server-node.h"

SEC("sk_skb/stream_verdict") int weft_server_pass(struct __sk_buff *skb)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct weft_server *server = bpf_map_lookup_elem(&weft_server_states, &cookie);

	if (!skb->len || !server)
		return SK_PASS;
	if (server->mode > WEFT_SERVER_UNSEEN)
		return SK_DROP;
	server->mode = WEFT_SERVER_UNSEEN;
	return weft_join(skb, server) ? SK_PASS : SK_DROP;
}

#endif
