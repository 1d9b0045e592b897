/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Replies of pooled upstreams, on their way into the client's socket. What the kernel redirects is
 * framed first, so a lease ends with its reply. Redirected bytes are not held back by a client that
 * does not read; after WEFT_REPLY_KERNEL_MAX of them the rest is the agent's, as is a reply that only
 * the connection's end ends.
 *
 * Keeps: bytes are redirected up to the end of a reply and never beyond; what is not framed stays.
 */
#ifndef WEFT_REQUEST_REPLIES_H
#define WEFT_REQUEST_REPLIES_H

#include "request/door.h"
#include "request/window.h"

#define WEFT_REPLY_KERNEL_MAX 1048576
/* A packet of smaller chunks than that is the agent's work. */
#define WEFT_REPLY_WINDOWS 256

/* Upstream of a socket, by its cookie: sk_skb has no socket storage. */
WEFT_MAP(weft_upstream_index, BPF_MAP_TYPE_HASH, __u64, __u32, WEFT_UPSTREAMS * 2);

/* Beside its lease what an upstream's socket reads through: only one CPU at a time runs for it. */
struct weft_reply_work {
	struct weft_reply before;
	__u8 window[WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK];
};
WEFT_MAP(weft_reply_works, BPF_MAP_TYPE_ARRAY, __u32, struct weft_reply_work, WEFT_UPSTREAMS);

/* An agent's socket that speaks to clients; while one takes over from another there are two. */
struct weft_voice {
	__u32 local_port;
	__u32 remote_port;
};
/* The client that its next bytes are for. */
WEFT_MAP(weft_agent_client, BPF_MAP_TYPE_HASH, struct weft_voice, __u64, 16);
/* These sockets; stub_agent runs for what they send. */
WEFT_MAP(weft_agents, BPF_MAP_TYPE_SOCKHASH, __u32, __u64, 2);

struct weft_reply_walk {
	struct __sk_buff *skb;
	struct weft_lease *lease;
	struct weft_reply_work *work;
	__u32 at;
	__u32 event;
};

/* Frames the next window of the packet; its position is told by the framer. */
static long weft_reply_window(__u32 index, struct weft_reply_walk *walk)
{
	struct weft_lease *lease = walk->lease;
	struct weft_reply *reply = &lease->reply;
	__u32 stream = walk->skb->len - walk->at, have = 0;

	if (stream > walk->skb->len || !stream)
		return 1;
	if (reply->left < stream) { /* else all of it is body: not looked at */
		have = weft_window_of(stream);
		if (bpf_skb_load_bytes(walk->skb, walk->at, walk->work->window, have)) {
			walk->event = WEFT_FRAME_REFUSED;
			return 1;
		}
	}
	walk->event = weft_frame_reply(walk->work->window, have, stream, &lease->asked, reply);
	walk->at += reply->lines.at;
	return walk->event != WEFT_FRAME_MORE;
}

/*
 * Takes all of a packet for the reply: 1 where that was right, and the packet can be redirected. Of a
 * head that has not ended yet nobody knows whether it can be read: the agent waits for it, and has
 * sent nothing on where it has to answer in its place.
 */
static __always_inline int weft_reply_take(struct __sk_buff *skb, struct weft_lease *lease,
					   struct weft_reply_work *work)
{
	struct weft_reply_walk walk = { .skb = skb, .lease = lease, .work = work };

	if (lease->forwarded > WEFT_REPLY_KERNEL_MAX)
		return 0;
	work->before = lease->reply;
	bpf_loop(WEFT_REPLY_WINDOWS, weft_reply_window, &walk, 0);
	if (walk.at == skb->len && walk.event <= WEFT_FRAME_DONE &&
	    (lease->reply.done || (lease->reply.lines.flags & WEFT_REPLY_HEAD)))
		return 1;
	lease->reply = work->before;
	return 0;
}

/*
 * What a pooled connection receives. Of an idle one these are its end or bytes that nobody asked
 * for: then nobody takes it any more, and the agent, which reads them, replaces it. A packet of
 * length 0 is the end; redirected it would fail the client's next read with EFAULT.
 */
static __always_inline int weft_reply_verdict(struct __sk_buff *skb)
{
	__u64 cookie = bpf_get_socket_cookie(skb), client;
	__u32 *index = bpf_map_lookup_elem(&weft_upstream_index, &cookie);
	struct weft_reply_work *work;
	struct weft_lease *lease;
	struct weft_pool *pool;
	int verdict;

	if (!index)
		return SK_PASS;
	lease = bpf_map_lookup_elem(&weft_leases, index);
	work = bpf_map_lookup_elem(&weft_reply_works, index);
	if (!lease || !work || lease->cookie != cookie)
		return SK_PASS;
	if (lease->state != WEFT_LEASE_KERNEL) {
		pool = bpf_map_lookup_elem(&weft_pools, &lease->pool);
		if (pool && lease->state == WEFT_LEASE_FREE)
			weft_slot_take(pool, lease->slot);
		if (weft_lease_turn(lease, WEFT_LEASE_ANSWERED, WEFT_LEASE_FREE))
			lease->taken = weft_lease_position(lease);
		return SK_PASS;
	}
	if (!skb->len) {
		lease->taken = weft_lease_position(lease);
		return SK_PASS;
	}
	if (!weft_reply_take(skb, lease, work)) {
		weft_lease_turn(lease, WEFT_LEASE_KERNEL, WEFT_LEASE_AGENT);
		return SK_PASS;
	}
	lease->forwarded += skb->len;
	client = lease->client;
	/* A client that is gone has no socket in the map: its bytes are dropped, and counted. */
	verdict = bpf_sk_redirect_hash(skb, &weft_clients, &client, BPF_F_INGRESS);
	if (lease->reply.done)
		weft_lease_end(lease, WEFT_LEASE_KERNEL,
			       !(lease->reply.lines.flags & WEFT_REPLY_CLOSE));
	return verdict;
}

/*
 * What the agent sends is for one client. Where that one is gone nothing is redirected, and the bytes
 * come to the agent's other end, which reads and forgets them.
 */
static __always_inline int weft_agent_verdict(struct sk_msg_md *message)
{
	struct weft_voice voice = {
		.local_port = message->local_port,
		.remote_port = bpf_ntohl(message->remote_port),
	};
	__u64 *client = bpf_map_lookup_elem(&weft_agent_client, &voice);

	if (client)
		bpf_msg_redirect_hash(message, &weft_clients, client, BPF_F_INGRESS);
	return SK_PASS;
}

#endif
