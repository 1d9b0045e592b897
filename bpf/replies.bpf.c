// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The short circuit's way back: attached by the first load that asks for it. Without a generation;
 * uses the node's maps.
 */
#include "request/door.h"
#include "request/served.h"

#include <bpf/bpf_tracing.h>

/* What a server sends whose client is of this node. Attached to weft_servers. */
SEC("sk_msg") int weft_send_reply(struct sk_msg_md *message)
{
	return weft_reply_short(message);
}

/*
 * Tells when replies are in the client's queue: when it is told of what it got (bpf_tcp_ingress,
 * sk_psock_data_ready). sk_msg's verdict comes before that, and while a redirect is under way nothing
 * else shows it. Runs for every socket of the machine.
 */
SEC("tp_btf/sk_data_ready") int BPF_PROG(weft_delivered, struct sock *socket)
{
	struct weft_http *http;
	struct tcp_sock *tcp;
	struct {
		__u64 cookie;
		__u32 grant;
		__u32 done;
	} state; /* of struct weft_served_state */

	/* No program of ours looks at it, or it is a server's: another CPU has what is kept of that. */
	if (!((__u64)socket->sk_user_data & WEFT_USER_DATA_PSOCK))
		return 0;
	tcp = bpf_skc_to_tcp_sock(socket);
	if (!tcp || tcp->inet_conn.icsk_inet.mc_index)
		return 0;
	http = bpf_sk_storage_get(&weft_http, socket, 0, 0);
	if (!http || !(http->native.grant & 1))
		return 0;
	if (bpf_probe_read_kernel(&state, sizeof(state), (void *)http->native.record) ||
	    state.cookie != http->native.server || state.grant != http->native.grant)
		return 0;
	*(volatile __u32 *)&http->native.reply.done = state.done;
	weft_tell_door(http);
	return 0;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
