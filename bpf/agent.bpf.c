// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the agent asks of the kernel beside maps: atomic steps on words that hooks change too, and a
 * look at sockets that are not its own. Run by BPF_PROG_TEST_RUN and by reading an iterator; uses the
 * node's maps.
 */
#include "parse.h"
#include "request/proof.h"
#include "request/replies.h"

struct weft_probe {
	__u64 cookie; /* in: which client */
	__u64 socket; /* in: its address in the kernel, as the lease or the door has it */
	__u64 namespace; /* inode of its network namespace; 0: the client is gone */
	struct weft_name local;
	struct weft_name remote;
	__u32 unread;	/* bytes that came by TCP and were not read */
	__u32 memory;	/* of all that waits to be read, as the kernel accounts it */
	__u32 redirects; /* redirected packets that the client cannot read yet */
	__u32 state;	/* TCP's */
	__u64 inode;	/* of its file; 0: no process has it any more */
	__u32 unsent;	/* bytes that TCP holds back */
	__u32 received; /* TCP's number of the next byte */
};

enum weft_step {
	WEFT_STEP_TAKE = 1,   /* an idle upstream of `pool` -> index + 1 or 0 */
	WEFT_STEP_CLAIM = 2,  /* this upstream -> 1 where it was idle */
	WEFT_STEP_PUT = 3,    /* its reply is over, and it is idle once it has all of the request */
	WEFT_STEP_DROP = 4,   /* it is nobody's, and whatever was under way is over */
	WEFT_STEP_SLOT = 5,   /* slot `slot` of `pool` is this upstream */
	WEFT_STEP_RETURN = 6, /* door `index` of lending `lending`, all `bytes` read -> 1 where ended */
	WEFT_STEP_RETIRE = 7, /* no lease of it begins any more -> 1, unless one is under way */
	WEFT_STEP_SENT = 8,   /* bytes that went into door `index` since its lending began */
	WEFT_STEP_REST = 9,   /* bytes of the request that it lacks; answered, and 0: it is idle now */
	WEFT_STEP_STUCK = 10, /* the next one from `index` on that lacks some and has room -> index + 1 */
	WEFT_STEP_CUT = 11,   /* door `index` of `lending` took a part, and has room again -> the part */
	WEFT_STEP_FAULT = 12, /* counts an exchange that the agent ended, having failed in it */
	WEFT_STEP_DOOR = 13,  /* door `index` -> 1 where nobody had it: from then on it is the caller's */
	WEFT_STEP_OFFER = 14, /* door `index` is nobody's */
};

struct weft_order {
	struct weft_pool_key pool;
	__u32 step; /* enum weft_step */
	__u32 index;
	__u32 slot;
	__u32 lending;
	__u32 bytes;
	__u32 answer; /* out */
};

#define AF_INET6 10

static __always_inline void read_name(struct weft_name *name, int six, __u32 four,
				      const struct in6_addr___weft *address, __u32 port)
{
	__builtin_memset(name, 0, sizeof(*name));
	name->port = port;
	if (six) {
		bpf_core_read(name->address.word, sizeof(name->address.word), address);
		return;
	}
	name->address.word[2] = bpf_htonl(0xffff);
	name->address.word[3] = four;
}

SEC("syscall") int agent_probe(struct weft_probe *probe)
{
	const struct sock___weft *socket = (void *)probe->socket;
	const struct tcp_sock___weft *tcp = (void *)socket;
	__u64 cookie = probe->cookie;
	struct weft_name local, remote;
	int six;

	probe->namespace = 0;
	if (!weft_is_socket(socket, cookie))
		return 0;
	six = BPF_CORE_READ(socket, __sk_common.skc_family) == AF_INET6;
	read_name(&local, six, BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr),
		  &socket->__sk_common.skc_v6_rcv_saddr, BPF_CORE_READ(socket, __sk_common.skc_num));
	read_name(&remote, six, BPF_CORE_READ(socket, __sk_common.skc_daddr),
		  &socket->__sk_common.skc_v6_daddr,
		  bpf_ntohs(BPF_CORE_READ(socket, __sk_common.skc_dport)));
	probe->local = local;
	probe->remote = remote;
	probe->received = BPF_CORE_READ(tcp, rcv_nxt);
	probe->unread = probe->received - BPF_CORE_READ(tcp, copied_seq);
	probe->memory = BPF_CORE_READ(socket, sk_backlog.rmem_alloc.counter);
	probe->redirects = weft_redirects_wait(socket);
	probe->inode = BPF_CORE_READ(socket, sk_socket, file, f_inode, i_ino);
	probe->unsent = BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_nxt);
	probe->state = BPF_CORE_READ(socket, __sk_common.skc_state);
	probe->namespace = BPF_CORE_READ(socket, __sk_common.skc_net.net, ns.inum);
	/* Whatever was read while the socket went is not told. */
	if (!weft_is_socket(socket, cookie))
		probe->namespace = 0;
	return 0;
}

/* A sender that is cut short by a redirect is told EAGAIN; nobody tells it that there is room again. */
static long find_stuck(__u32 count, __u32 *index)
{
	struct weft_lease *lease = bpf_map_lookup_elem(&weft_leases, index);

	if (!lease)
		return 1;
	if (lease->cookie && lease->state != WEFT_LEASE_FREE && lease->state != WEFT_LEASE_GONE &&
	    weft_lease_position(lease) != (__u32)lease->request &&
	    weft_has_room(lease->socket, lease->cookie, 1))
		return 1;
	++*index;
	return 0;
}

static __always_inline __u32 cut(__u32 door, __u32 lending)
{
	struct weft_handover *handover = bpf_map_lookup_elem(&weft_handovers, &door);
	__u32 sent = weft_door_sent(door);

	if (!handover || handover->turn >> 32 != lending || (__u32)handover->turn == sent ||
	    !weft_has_room(handover->socket, handover->near, 1))
		return 0;
	return sent;
}

static __always_inline __u32 follow(const struct weft_order *order, struct weft_pool_key *key)
{
	__u32 index = order->index;
	struct weft_lease *lease;
	struct weft_pool *pool;

	if (order->step == WEFT_STEP_TAKE)
		return weft_pool_take(key);
	if (order->step == WEFT_STEP_RETURN)
		return weft_door_return(index, order->lending, order->bytes);
	if (order->step == WEFT_STEP_SENT)
		return weft_door_sent(index);
	if (order->step == WEFT_STEP_DOOR)
		return weft_door_claim(index);
	if (order->step == WEFT_STEP_OFFER) {
		weft_door_put(index);
		return 1;
	}
	if (order->step == WEFT_STEP_CUT)
		return cut(index, order->lending);
	if (order->step == WEFT_STEP_FAULT) {
		weft_count_reason(WEFT_REASON_FAULT, WEFT_DENY);
		return 1;
	}
	if (order->step == WEFT_STEP_STUCK) {
		bpf_loop(WEFT_UPSTREAMS, find_stuck, &index, 0);
		return index < WEFT_UPSTREAMS ? index + 1 : 0;
	}
	lease = bpf_map_lookup_elem(&weft_leases, &index);
	pool = bpf_map_lookup_elem(&weft_pools, key);
	if (!lease)
		return 0;
	if (order->step == WEFT_STEP_PUT) {
		/* The agent's own use of it is no lease. */
		if (lease->state == WEFT_LEASE_FREE)
			lease->request = weft_lease_position(lease);
		weft_lease_end(lease, lease->state, 1);
		return 1;
	}
	if (order->step == WEFT_STEP_REST) {
		__u32 rest = lease->request - weft_lease_position(lease);

		if (!rest)
			weft_lease_put(lease, WEFT_LEASE_ANSWERED);
		return rest;
	}
	if (order->step == WEFT_STEP_DROP) {
		/* How far its last exchange came is asked for later; whose it was too. */
		if (lease->taken != (__u32)lease->request)
			lease->taken = weft_lease_position(lease);
		__sync_lock_test_and_set(&lease->state, WEFT_LEASE_GONE);
		__builtin_memset(&lease->pool, 0, sizeof(lease->pool));
		lease->socket = 0;
		lease->cookie = 0;
		return 1;
	}
	if (order->step == WEFT_STEP_RETIRE)
		return weft_lease_turn(lease, WEFT_LEASE_FREE, WEFT_LEASE_GONE) ||
		       weft_lease_turn(lease, WEFT_LEASE_ANSWERED, WEFT_LEASE_GONE);
	if (!pool)
		return 0;
	if (order->step == WEFT_STEP_CLAIM)
		return weft_slot_take(pool, lease->slot);
	pool->slots[order->slot % WEFT_POOL_SLOTS] = index;
	return 1;
}

SEC("syscall") int agent_step(struct weft_order *order)
{
	struct weft_order own = *order;
	struct weft_pool_key key = own.pool;

	order->answer = follow(&own, &key);
	return 0;
}

/*
 * What a client sends with MSG_OOB is sent so by the upstream that it is lent, too, and the server's
 * stream lacks the urgent byte: what it reads is not what was judged (request/guard.h). Attached to
 * the agent's cgroup, which its upstreams are made in: those segments do not leave.
 */
SEC("cgroup_skb/egress") int agent_egress(struct __sk_buff *skb)
{
	__u32 offset = weft_tcp_offset(skb);
	__u64 cookie;
	__u8 flags;

	if (!offset || bpf_skb_load_bytes(skb, offset + 13, &flags, 1) ||
	    !(flags & WEFT_TCP_URGENT))
		return 1;
	cookie = bpf_get_socket_cookie(skb);
	if (!bpf_map_lookup_elem(&weft_upstream_index, &cookie))
		return 1;
	weft_count_reason(WEFT_REASON_REQUESTS, WEFT_DENY);
	return 0;
}

/* By cookie: sockets that connect to endpoints, in the name of workloads whose requests were judged. */
WEFT_MAP(weft_vouched, BPF_MAP_TYPE_HASH, __u64, __u32, 4096);

/* Attached to the agent's cgroup: their servers may ask for proof. */
SEC("sockops") int agent_connects(struct bpf_sock_ops *context)
{
	__u64 cookie;

	if (context->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		return 1;
	cookie = bpf_get_socket_cookie(context);
	if (bpf_map_lookup_elem(&weft_vouched, &cookie))
		weft_prove(context, cookie);
	return 1;
}

struct bpf_iter__sockmap {
	void *meta;
	void *map;
	void *key;
	void *sk;
} __attribute__((preserve_access_index));

/* Where in the kernel the sockets of these maps lie, for who looks into them. */
SEC("iter/sockmap") int agent_note_upstreams(struct bpf_iter__sockmap *context)
{
	__u32 *key = context->key, index;
	void *socket = context->sk;
	struct weft_lease *lease;

	if (!key || !socket)
		return 0;
	index = *key;
	lease = bpf_map_lookup_elem(&weft_leases, &index);
	if (lease)
		lease->socket = (__u64)socket;
	return 0;
}

SEC("iter/sockmap") int agent_note_doors(struct bpf_iter__sockmap *context)
{
	__u32 *key = context->key, index;
	void *socket = context->sk;
	struct weft_handover *handover;

	if (!key || !socket)
		return 0;
	index = *key;
	handover = bpf_map_lookup_elem(&weft_handovers, &index);
	if (handover)
		handover->socket = (__u64)socket;
	return 0;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
