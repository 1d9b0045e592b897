// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What is attached to enrolled cgroups and stays: one stub per hook. A stub reads the active
 * generation once and tail-calls its program. Where there is none it fails closed: no new
 * connection, no datagram, no flow accepted; what is established goes on.
 */
#include "parse.h"
#include "request/guard.h"
#include "request/native.h"
#include "request/replies.h"
#include "request/server-node.h"

/* Each hook has an array of its own: a PROG_ARRAY holds one program type and attach type. */
#define SLOTS(hook)                                                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                             \
		__uint(max_entries, WEFT_SLOTS);                                                   \
		__type(key, __u32);                                                                \
		__type(value, __u32);                                                              \
	} weft_slots_##hook SEC(".maps")

SLOTS(connect4);
SLOTS(connect6);
SLOTS(sendmsg4);
SLOTS(sendmsg6);
SLOTS(recvmsg4);
SLOTS(recvmsg6);
SLOTS(getpeername4);
SLOTS(getpeername6);
SLOTS(request);
SLOTS(ingress);
SLOTS(accept);

/* One 8-byte read: slot and generation always belong together. */
static __always_inline __u32 active_slot(void)
{
	__u32 zero = 0;
	__u64 *word = bpf_map_lookup_elem(&weft_active, &zero);

	return word ? (__u32)*(volatile __u64 *)word : WEFT_SLOTS;
}

/* By constant numbers: the kernel makes direct jumps of them, which cost nothing. */
#define CALL(hook, context)                                                                        \
	do {                                                                                       \
		_Static_assert(WEFT_SLOTS == 8, "a case for each");                                \
		switch (active_slot()) {                                                           \
		case 0:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 0);                      \
			break;                                                                     \
		case 1:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 1);                      \
			break;                                                                     \
		case 2:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 2);                      \
			break;                                                                     \
		case 3:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 3);                      \
			break;                                                                     \
		case 4:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 4);                      \
			break;                                                                     \
		case 5:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 5);                      \
			break;                                                                     \
		case 6:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 6);                      \
			break;                                                                     \
		case 7:                                                                            \
			bpf_tail_call_static(context, &weft_slots_##hook, 7);                      \
			break;                                                                     \
		}                                                                                  \
	} while (0)

/*
 * The kernel gives a program its cgroup's storage only if the attached program uses it, and
 * compares the map with that of the programs in the array: so each stub touches it.
 */
#define ENTER(hook, context)                                                                       \
	do {                                                                                       \
		weft_enrolled_cgroup();                                                            \
		CALL(hook, context);                                                               \
	} while (0)

static __always_inline int refuse(void)
{
	weft_count_reason(WEFT_REASON_NO_GENERATION, WEFT_DENY);
	return 0;
}

#define STUB(hook, type, otherwise)                                                                \
	SEC("cgroup/" #hook) int stub_##hook(struct type *context)                                 \
	{                                                                                          \
		ENTER(hook, context);                                                              \
		return otherwise;                                                                  \
	}

STUB(connect4, bpf_sock_addr, refuse())
STUB(connect6, bpf_sock_addr, refuse())
STUB(sendmsg4, bpf_sock_addr, refuse())
STUB(sendmsg6, bpf_sock_addr, refuse())
/* Without a program names stay as they are: the endpoint's instead of the service's. */
STUB(recvmsg4, bpf_sock_addr, 1)
STUB(recvmsg6, bpf_sock_addr, 1)
STUB(getpeername4, bpf_sock_addr, 1)
STUB(getpeername6, bpf_sock_addr, 1)

/*
 * Attached only while a loaded generation judges requests: a connection runs this a dozen times. A
 * socket that connect said is to be judged gets its sk_msg program here, whatever the generation:
 * one that does not, sends nothing (request/guard.h). So does a connection that arrives, where its
 * requests are judged here (request/server.h).
 */
SEC("sockops") int stub_sockops(struct bpf_sock_ops *context)
{
	if (context->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB) {
		weft_begin_http(context);
	} else if (context->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB) {
		weft_meet(context);
		ENTER(accept, context);
	}
	return 1;
}

/* What a client sends whose requests are judged. It is not attached to cgroups but to weft_clients. */
SEC("sk_msg") int stub_request(struct sk_msg_md *message)
{
	CALL(request, message);
	weft_count_reason(WEFT_REASON_NO_GENERATION, WEFT_DENY);
	return SK_DROP;
}

/* What a server receives whose client judges no requests. Attached to weft_strangers. */
SEC("sk_skb/stream_verdict") int stub_server(struct __sk_buff *skb)
{
	CALL(server, skb);
	weft_count_reason(WEFT_REASON_NO_GENERATION, WEFT_DENY);
	return skb->len ? SK_DROP : SK_PASS;
}

/* What a pooled upstream connection receives. Attached to weft_upstreams. */
SEC("sk_skb/stream_verdict") int stub_reply(struct __sk_buff *skb)
{
	return weft_reply_verdict(skb);
}

/* What the agent sends to clients. Attached to weft_agents. */
SEC("sk_msg") int stub_agent(struct sk_msg_md *message)
{
	return weft_agent_verdict(message);
}

/* As for a segment that was quickly known for one, of a connection that is open. */
static __always_inline int segment_arrives(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk ? bpf_sk_fullsock(skb->sk) : 0;

	return !socket || weft_is_let_in(socket);
}

/* Was this datagram's flow opened from here, or admitted before? Then it goes on. */
static __noinline int known_flow(struct __sk_buff *skb, struct weft_packet *packet)
{
	struct weft_flow_key key;
	struct weft_flow *flow;

	weft_flow_key(&key, bpf_get_socket_cookie(skb), &packet->source.address,
		      packet->source.port, WEFT_FLOW_NAME);
	if (bpf_map_lookup_elem(&weft_flows, &key))
		return 1;
	key.kind = WEFT_FLOW_ADMITTED;
	flow = bpf_map_lookup_elem(&weft_flows, &key);
	return flow && flow->port == packet->destination.port &&
	       flow->peer.word[0] == packet->destination.address.word[0] &&
	       flow->peer.word[1] == packet->destination.address.word[1] &&
	       flow->peer.word[2] == packet->destination.address.word[2] &&
	       flow->peer.word[3] == packet->destination.address.word[3];
}

SEC("cgroup_skb/ingress") int stub_ingress(struct __sk_buff *skb)
{
	struct weft_segment segment;
	struct weft_packet packet;

	if (weft_see_segment(skb, &segment) && !weft_opens(&segment))
		return weft_native_arrives(skb, &segment);
	if (!segment_arrives(skb))
		return 0;
	ENTER(ingress, skb);
	switch (weft_parse(skb, &packet)) {
	case WEFT_PACKET_ESTABLISHED:
	case WEFT_PACKET_CONTROL:
		return 1;
	case WEFT_PACKET_DATAGRAM:
		return known_flow(skb, &packet) ? 1 : refuse();
	default:
		return refuse();
	}
}

/*
 * What a workload sends goes where it was judged for, not by way of a host that it names in the
 * packet: source routes and routing headers need no privilege, and reach that host first. Nor does
 * what sk_msg has not let go (request/guard.h). Needs no generation.
 */
SEC("cgroup_skb/egress") int stub_egress(struct __sk_buff *skb)
{
	__u32 reason = WEFT_REASON_REQUESTS;

	if (weft_names_a_way(skb))
		reason = WEFT_REASON_PARSE;
	else if (!weft_is_unjudged(skb))
		return 1;
	weft_count_reason(reason, WEFT_DENY);
	return 0;
}

/* Errno of a kernel that lacks the protocol, so that programs fall back to TCP. */
#define EPROTONOSUPPORT 93
#define PROTOCOL_MPTCP 262
#define TYPE_RAW 3

/*
 * Sockets that no other hook would judge are not made at all: raw ones, and every transport but
 * those below. MPTCP is refused because its data takes paths of its own (docs/ways-round.md).
 * Needs no generation.
 */
SEC("cgroup/sock_create") int stub_sock_create(struct bpf_sock *socket)
{
	__u32 protocol = socket->protocol;

	if (socket->type == TYPE_RAW)
		return 0;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
	    protocol == IPPROTO_ICMPV6)
		return 1;
	if (protocol == PROTOCOL_MPTCP)
		bpf_set_retval(-EPROTONOSUPPORT);
	return 0;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
