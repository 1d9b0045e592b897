/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Requests that do not go to the bound server: into a pooled connection, or through a door to the
 * agent. What comes back that way is read before anything that TCP still carries, so it is asked for
 * only where nothing more is to come on the client's own connection; else the agent keeps the order.
 */
#ifndef WEFT_REQUEST_ELSEWHERE_H
#define WEFT_REQUEST_ELSEWHERE_H

#include "request/door.h"
#include "request/refuse.h"
#include "request/tcp.h"
#include "request/work.h"

/* Is all answered that was asked, and has the client read it? */
static __always_inline int weft_is_turn(const struct weft_http *http, const struct tcp_sock *socket)
{
	const struct weft_native *native = &http->native;
	__u32 received = socket->rcv_nxt;

	return !(native->flags & WEFT_NATIVE_LOST) &&
	       native->asked.count == *(volatile __u32 *)&native->reply.done &&
	       received == *(volatile __u32 *)&native->expected && socket->copied_seq == received &&
	       !weft_lease_is_open(http->lease, http->cookie) &&
	       weft_is_delivered((void *)native->socket, http->lease);
}

/* enum weft_asked_kind of a request. */
static __always_inline __u64 weft_kinds_of(const struct weft_request *request)
{
	const struct weft_head *head = &request->head;

	if (weft_is_head(request))
		return WEFT_ASKED_HEAD;
	if (!(head->flags & WEFT_HEAD_UPGRADE))
		return 0;
	/* CONNECT has no path. */
	return head->path ? WEFT_ASKED_UPGRADE : WEFT_ASKED_CONNECT;
}

enum weft_entered {
	WEFT_ENTERED = 0,    /* the message is on its way */
	WEFT_GIVEN_BACK = 1, /* the door is the client's no more */
	WEFT_NO_AGENT = 2,
};

/* Sends the whole message through the client's door. */
static __always_inline int weft_enter_door(struct sk_msg_md *message, struct weft_http *http)
{
	__u32 index = http->door - 1, size = message->size;
	struct weft_handover *handover = bpf_map_lookup_elem(&weft_handovers, &index);

	if (!handover || !weft_door_enter(handover, http->lending, size))
		return WEFT_GIVEN_BACK;
	if (bpf_msg_redirect_hash(message, &weft_doors, &index, 0) == SK_PASS)
		return WEFT_ENTERED;
	weft_door_return(index, http->lending, *(volatile __u64 *)&handover->turn);
	return WEFT_NO_AGENT;
}

/* What the agent is told of the first request that it gets. */
enum weft_first {
	WEFT_FIRST_UNREAD = 0,
	WEFT_FIRST_JUDGED = 1, /* it was judged and reported; the agent decides it again, alike */
	WEFT_FIRST_PLACED = 2,   /* the same, and it goes where it was judged to go */
};

/* Gives the client into the agent's hands, with this message; 0: there is no agent. */
static __noinline int weft_hand_over(struct sk_msg_md *message, struct weft_http *http,
				     const struct weft_request_work *work, __u32 reason,
				     enum weft_first first)
{
	__u32 door = weft_door_take(), index = door - 1;
	const struct weft_result *result;
	struct weft_handover *handover;

	if (!door || !http || !work)
		return 0;
	result = &work->judgement.result;
	handover = bpf_map_lookup_elem(&weft_handovers, &index);
	if (!handover)
		return 0;
	if ((http->flags & WEFT_HTTP_CORKED) &&
	    !weft_has_room(handover->socket, handover->near, message->size)) {
		weft_door_put(index);
		return 0;
	}
	handover->client = http->cookie;
	handover->client_socket = http->native.socket;
	handover->cgroup = http->cgroup;
	handover->name = http->name;
	handover->endpoint = http->endpoint;
	__builtin_memset(&handover->chosen, 0, sizeof(handover->chosen));
	if (first == WEFT_FIRST_PLACED) {
		handover->chosen.address = result->endpoint;
		handover->chosen.port = result->endpoint_port;
	}
	handover->reason = reason;
	handover->generation = http->generation;
	handover->cluster = result->cluster;
	handover->bound = http->result.cluster;
	handover->verdict = first ? result->decision.verdict : 0;
	handover->site = result->decision.site;
	handover->random = work->request.connection.random;
	handover->pick = result->pick;
	handover->asked = http->native.asked.count;
	handover->lease =
		weft_lease_is_open(http->lease, http->cookie) ? http->lease : 0;
	http->lending = weft_door_begin(handover);
	/*
	 * First the door, then the count: who adds to the count looks for the door then. Twice, since
	 * the first one may have been read before and written after that.
	 */
	__sync_lock_test_and_set(&http->door, door);
	*(volatile __u32 *)&handover->expected = *(volatile __u32 *)&http->native.expected;
	__sync_lock_test_and_set(&handover->answered, *(volatile __u32 *)&http->native.reply.done);
	*(volatile __u32 *)&handover->expected = *(volatile __u32 *)&http->native.expected;
	handover->answered = *(volatile __u32 *)&http->native.reply.done;
	if (weft_enter_door(message, http) == WEFT_ENTERED) {
		http->flags &= ~WEFT_HTTP_CORKED;
		return 1;
	}
	http->door = 0;
	return 0;
}

/* The least that a send buffer holds (net.ipv4.tcp_wmem). */
#define WEFT_TAKEN_WHOLE 4096

/* A pooled connection for this request, and the message on its way there; 0: there is none. */
static __always_inline int weft_lend(struct sk_msg_md *message, struct weft_http *http,
				     const struct weft_request_work *work, __u64 total)
{
	const struct weft_result *result = &work->judgement.result;
	struct weft_pool_key key = { .cgroup = http->cgroup };
	__u32 upstream, index;

	key.endpoint.address = result->endpoint;
	key.endpoint.port = result->endpoint_port;
	upstream = weft_pool_take(&key);
	if (!upstream)
		return 0;
	index = upstream - 1;
	weft_revoke_replies(http); /* what is redirected from its socket may still wait then */
	if (!weft_lease_begin(index, http->cookie, http->native.socket,
			      weft_kinds_of(&work->request), total))
		return 0;
	http->lease = upstream;
	/* An idle connection has all its room: of this it takes no part only. */
	http->lent_bytes = total <= message->size && total <= WEFT_TAKEN_WHOLE ? 0 : total;
	if (bpf_msg_redirect_hash(message, &weft_upstreams, &index, 0) == SK_PASS) {
		http->flags &= ~WEFT_HTTP_CORKED;
		return 1;
	}
	weft_lease_cancel(index);
	http->lease = 0;
	http->lent_bytes = 0;
	return 0;
}

/*
 * The rest of a request that went elsewhere, also once it is answered, message by message, since its
 * upstream may be gone: then nobody wants it. -1: it was complete.
 */
static __always_inline int weft_lend_more(struct sk_msg_md *message, struct weft_http *http)
{
	__u32 index = http->lease - 1;
	struct weft_lease *lease = bpf_map_lookup_elem(&weft_leases, &index);
	__u32 taken, tcp, state;
	__u64 rest;

	/* Another client has it: so it took all of this request, and answered. */
	if (!lease || lease->client != http->cookie) {
		http->lent_bytes = 0;
		return -1;
	}
	tcp = weft_tcp_state(lease->socket, lease->cookie);
	taken = weft_lease_position(lease);
	state = *(volatile __u32 *)&lease->state;
	/* Of an exchange that is over its end is noted; the agent may use the connection since then. */
	if (!weft_is_lent(state) && state != WEFT_LEASE_ANSWERED)
		taken = lease->taken == (__u32)lease->request ? http->lent_bytes : lease->taken;
	/* It was reset, or its agent has died, and nobody knows how far it came. */
	if (!taken || (!tcp && lease->state == WEFT_LEASE_ANSWERED)) {
		http->mode = WEFT_HTTP_DEAD;
		return SK_DROP;
	}
	rest = (__u32)(http->lent_bytes - taken);
	if (!rest) {
		weft_lease_put(lease, WEFT_LEASE_ANSWERED);
		http->lent_bytes = 0;
		return -1;
	}
	if ((weft_is_lent(lease->state) || lease->state == WEFT_LEASE_ANSWERED) &&
	    (tcp == WEFT_TCP_ESTABLISHED || tcp == WEFT_TCP_CLOSE_WAIT) &&
	    bpf_msg_redirect_hash(message, &weft_upstreams, &index, 0) == SK_PASS) {
		http->flags &= ~WEFT_HTTP_TAIL;
		if (rest < message->size) {
			bpf_msg_apply_bytes(message, rest);
			http->flags |= WEFT_HTTP_TAIL;
		}
		return SK_PASS;
	}
	http->lent_bytes = 0;
	http->mode = WEFT_HTTP_SINK;
	http->left = rest;
	return -1;
}

/* At the start of a run: goes on with what is under way elsewhere; -1: nothing is. */
static __always_inline int weft_follow(struct sk_msg_md *message, struct weft_http *http)
{
	if (http->door) {
		int entered = weft_enter_door(message, http);

		if (entered == WEFT_ENTERED)
			return SK_PASS;
		http->door = 0;
		if (entered == WEFT_NO_AGENT) {
			http->mode = WEFT_HTTP_DEAD; /* in the middle of an exchange */
			return SK_DROP;
		}
	}
	return http->lent_bytes ? weft_lend_more(message, http) : -1;
}

/*
 * Sends a request elsewhere, or by the agent: where its reply must wait for others (`turn`), where its
 * route says more than where to (`plain`), where its head is long, where the kernel cannot see its end.
 * 0: nobody takes it.
 */
static __always_inline int weft_send_elsewhere(struct sk_msg_md *message, struct weft_http *http,
					       const struct weft_request_work *work, __u64 total,
					       int plain, int turn)
{
	const struct weft_head *head = &work->request.head;
	__u32 reason = WEFT_HANDOVER_POOL;

	/*
	 * Of a head that is not taken whole, the sender may send another rest: the kernel has judged it,
	 * so it may not go as judged. The agent judges what arrives.
	 */
	if (head->length > WEFT_TAKEN_WHOLE)
		plain = 0;
	if (!turn)
		reason = WEFT_HANDOVER_ORDER;
	else if (!plain)
		reason = WEFT_HANDOVER_ROUTE;
	else if (head->flags & (WEFT_HEAD_CHUNKED | WEFT_HEAD_UPGRADE | WEFT_HEAD_EXPECT) ||
		 total > 0xffffffff)
		reason = WEFT_HANDOVER_PROTOCOL;
	else if (message->size > total) /* what is held back behind a redirected part may be lost */
		reason = WEFT_HANDOVER_MESSAGE;
	/*
	 * Of a message that was held back the kernel frees without a word what finds no room where it
	 * is redirected to (tcp_bpf_send_verdict, `cork`). A door is empty, and has much.
	 */
	else if ((http->flags & WEFT_HTTP_CORKED) && message->size > WEFT_TAKEN_WHOLE)
		reason = WEFT_HANDOVER_MESSAGE;
	else if (weft_lend(message, http, work, total))
		return 1;
	return weft_hand_over(message, http, work, reason,
			      plain ? WEFT_FIRST_PLACED : WEFT_FIRST_JUDGED);
}

#endif
