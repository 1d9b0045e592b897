// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of one generation, joined with the bundle's policies by libbpf's linker and put
 * into the slots that the stubs call. Each takes a judgement, fills its input, lets decide.h
 * decide, reports, and gives it back.
 */
#include "decide.h"
#include "event.h"
#include "parse.h"
#include "request/bind.h"
#ifdef WEFT_REQUESTS
#include "request/request.h"
#include "request/server.h"
#else
#include "request/server-pass.h"
#include "request/unseen.h"
#endif

/* ---- socket addresses, whatever the family ---- */

static __always_inline void read4(struct bpf_sock_addr *context, struct weft_name *name)
{
	weft_map_v4(&name->address, context->user_ip4);
	name->port = bpf_ntohs(context->user_port);
	name->zero = 0;
}

static __always_inline void read6(struct bpf_sock_addr *context, struct weft_name *name)
{
	name->address.word[0] = context->user_ip6[0];
	name->address.word[1] = context->user_ip6[1];
	name->address.word[2] = context->user_ip6[2];
	name->address.word[3] = context->user_ip6[3];
	name->port = bpf_ntohs(context->user_port);
	name->zero = 0;
}

static __always_inline void write4(struct bpf_sock_addr *context, const struct weft_name *name)
{
	context->user_ip4 = name->address.word[3];
	context->user_port = bpf_htons(name->port);
}

static __always_inline void write6(struct bpf_sock_addr *context, const struct weft_name *name)
{
	context->user_ip6[0] = name->address.word[0];
	context->user_ip6[1] = name->address.word[1];
	context->user_ip6[2] = name->address.word[2];
	context->user_ip6[3] = name->address.word[3];
	context->user_port = bpf_htons(name->port);
}

static __always_inline int same(const struct weft_address *a, const struct weft_address *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2] &&
	       a->word[3] == b->word[3];
}

/* ---- judging ---- */

/* Was it made by this very generation? (0 is no generation, also before any is set.) */
static __always_inline int is_current(__u32 generation)
{
	return generation && generation == weft_generation;
}

/* The workload of the enrolled cgroup, looked up once a generation. */
static __always_inline __u32 enrolled_workload(struct weft_enrolment *enrolment)
{
	__u64 cgroup, known = *(volatile __u64 *)&enrolment->workload;
	__u32 *workload;

	if (is_current(known >> 32))
		return known;
	cgroup = enrolment->cgroup;
	workload = bpf_map_lookup_elem(&weft_cgroups, &cgroup);
	if (!workload)
		return WEFT_NONE; /* not remembered: the agent may name it later */
	*(volatile __u64 *)&enrolment->workload = (__u64)weft_generation << 32 | *workload;
	return *workload;
}

static __always_inline void fill_input(struct weft_judgement *judgement, __u8 protocol)
{
	struct weft_enrolment *enrolment = bpf_get_local_storage(&weft_enrolled, 0);
	struct weft_input *input = &judgement->input;

	input->cgroup = enrolment->cgroup;
	input->now = bpf_ktime_get_ns() + weft_clock_offset;
	input->workload = enrolled_workload(enrolment);
	input->random = bpf_get_prandom_u32();
	input->pick = 0;
	input->protocol = protocol;
	input->flags = 0;
}

/* A judgement for an event of this hook and socket. */
static __always_inline struct weft_judgement *take_or_count(__u8 hook, __u64 cookie)
{
	struct weft_judgement *judgement = weft_take();

	if (!judgement) {
		weft_count_reason(WEFT_REASON_BUSY, WEFT_DENY);
		return 0;
	}
	judgement->event.cookie = cookie;
	judgement->event.hook = hook;
	return judgement;
}

static __always_inline void read_endpoint(const struct weft_judgement *judgement,
					  struct weft_name *endpoint)
{
	endpoint->address = judgement->result.endpoint;
	endpoint->port = judgement->result.endpoint_port;
	endpoint->zero = 0;
}

static __noinline int put_flow(__u64 cookie, const struct weft_name *remote, __u32 kind,
			       const struct weft_name *peer)
{
	struct weft_flow_key key;
	struct weft_flow flow = { .peer = peer->address,
				  .port = peer->port,
				  .generation = weft_generation };

	weft_flow_key(&key, cookie, &remote->address, remote->port, kind);
	return bpf_map_update_elem(&weft_flows, &key, &flow, BPF_ANY);
}

/*
 * The generation of a flow, and its peer; 0 where there is none. An LRU element may be given to
 * another flow while it is read: the copy counts only if the key still leads to the same element.
 */
static __noinline __u32 find_flow(__u64 cookie, const struct weft_name *remote, __u32 kind,
				  struct weft_name *peer)
{
	struct weft_flow_key key;
	struct weft_flow *flow;
	__u32 generation;

	peer->port = 0;
	weft_flow_key(&key, cookie, &remote->address, remote->port, kind);
	flow = bpf_map_lookup_elem(&weft_flows, &key);
	if (!flow)
		return 0;
	peer->address = flow->peer;
	peer->port = flow->port;
	peer->zero = 0;
	generation = flow->generation;
	return bpf_map_lookup_elem(&weft_flows, &key) == flow ? generation : 0;
}

/*
 * Remembers on the socket where it connected to, for getpeername. A socket that goes where it asked
 * to needs no memory, unless it has some from an earlier connect.
 */
static __always_inline void note_socket(struct bpf_sock_addr *context, const struct weft_name *name,
					const struct weft_name *endpoint)
{
	int moved = !same(&name->address, &endpoint->address) || name->port != endpoint->port;
	struct weft_socket *socket;

	socket = bpf_sk_storage_get(&weft_sockets, context->sk, 0,
				    moved ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!socket)
		return;
	socket->name = name->address;
	socket->name_port = name->port;
	socket->endpoint = endpoint->address;
	socket->endpoint_port = endpoint->port;
}

/* TCP Fast Open's data leaves before there is a connection: not where requests are judged. */
static __always_inline int note_http(struct bpf_sock_addr *context,
				     const struct weft_judgement *judgement, __u64 cookie,
				     const struct weft_name *name, const struct weft_name *endpoint)
{
	if ((judgement->result.flags & WEFT_SERVICE_HTTP) && weft_is_fast_open(context)) {
		bpf_set_retval(-EOPNOTSUPP);
		return 0;
	}
	return weft_bind(context, judgement, cookie, name, endpoint);
}

/* Client side: is this destination allowed, and which endpoint is it? */
static __always_inline int judge_name(struct weft_judgement *judgement,
				      const struct weft_name *name, __u8 protocol)
{
	fill_input(judgement, protocol);
	judgement->input.source = (struct weft_address){};
	judgement->input.destination = name->address;
	judgement->input.port = name->port;
	weft_connect_decide(judgement);
	judgement->input.source = judgement->connection.source.address; /* for the event */
	judgement->event.source_port = 0;
	judgement->event.family = judgement->connection.family;
	weft_report(&judgement->event);
	return judgement->result.decision.verdict == WEFT_ALLOW;
}

/* Server side: may remote talk to local, which is ours? Remembers an admitted UDP flow. */
static __always_inline int judge_arrival(__u8 hook, __u64 cookie, const struct weft_name *remote,
					 const struct weft_name *local, __u32 protocol)
{
	struct weft_judgement *judgement = take_or_count(hook, cookie);
	int allowed;

	if (!judgement)
		return 0;
	fill_input(judgement, protocol);
	judgement->input.source = remote->address;
	judgement->input.destination = local->address;
	judgement->input.port = local->port;
	weft_ingress_decide(judgement);
	judgement->event.source_port = remote->port;
	judgement->event.family = judgement->connection.family;
	weft_report(&judgement->event);
	allowed = judgement->result.decision.verdict == WEFT_ALLOW;
	weft_release(judgement);
	if (allowed && protocol == IPPROTO_UDP)
		put_flow(cookie, remote, WEFT_FLOW_ADMITTED, local);
	return allowed;
}

/*
 * TCP and connected UDP. What is neither but passed sock_create is ICMP: pings are not judged
 * (docs/ways-round.md).
 */
#define CONNECT(family)                                                                            \
	SEC("cgroup/connect" #family) int weft_connect##family(struct bpf_sock_addr *context)      \
	{                                                                                          \
		struct weft_judgement *judgement;                                                  \
		struct weft_name name, endpoint;                                                   \
		__u32 protocol = context->protocol;                                                \
		__u64 cookie;                                                                      \
                                                                                                   \
		if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)                        \
			return 1;                                                                  \
		cookie = bpf_get_socket_cookie(context);                                           \
		judgement = take_or_count(WEFT_HOOK_CONNECT##family, cookie);                      \
		if (!judgement)                                                                    \
			return 0;                                                                  \
		read##family(context, &name);                                                      \
		/* Whatever else gets here is a stream to the policy. */                           \
		if (!judge_name(judgement, &name,                                                  \
				protocol == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP)) {            \
			weft_release(judgement);                                                   \
			return 0;                                                                  \
		}                                                                                  \
		read_endpoint(judgement, &endpoint);                                               \
		note_socket(context, &name, &endpoint);                                            \
		if (!note_http(context, judgement, cookie, &name, &endpoint)) {                    \
			weft_release(judgement);                                                   \
			return 0;                                                                  \
		}                                                                                  \
		weft_release(judgement);                                                           \
		write##family(context, &endpoint);                                                 \
		if (protocol == IPPROTO_UDP)                                                       \
			put_flow(cookie, &endpoint, WEFT_FLOW_NAME, &name);                        \
		return 1;                                                                          \
	}

CONNECT(4)
CONNECT(6)

/*
 * Unconnected UDP: judged once a flow and generation; later datagrams follow to the same endpoint.
 * An answer to a flow that was admitted here is no new flow; in another generation than the one
 * that admitted it, the question of its arrival is asked again.
 */
#define SENDMSG(family)                                                                            \
	SEC("cgroup/sendmsg" #family) int weft_sendmsg##family(struct bpf_sock_addr *context)      \
	{                                                                                          \
		struct weft_judgement *judgement;                                                  \
		struct weft_name name, peer;                                                       \
		__u64 cookie = bpf_get_socket_cookie(context);                                     \
		__u32 generation;                                                                  \
                                                                                                   \
		read##family(context, &name);                                                      \
		if (is_current(find_flow(cookie, &name, WEFT_FLOW_SENT, &peer))) {                 \
			write##family(context, &peer);                                             \
			return 1;                                                                  \
		}                                                                                  \
		generation = find_flow(cookie, &name, WEFT_FLOW_ADMITTED, &peer);                  \
		if (generation)                                                                    \
			return is_current(generation) ||                                           \
			       judge_arrival(WEFT_HOOK_SENDMSG##family, cookie, &name, &peer,      \
					     IPPROTO_UDP)                                          \
				       ? 1                                                         \
				       : 0;                                                        \
		judgement = take_or_count(WEFT_HOOK_SENDMSG##family, cookie);                      \
		if (!judgement)                                                                    \
			return 0;                                                                  \
		if (!judge_name(judgement, &name, IPPROTO_UDP)) {                                  \
			weft_release(judgement);                                                   \
			return 0;                                                                  \
		}                                                                                  \
		read_endpoint(judgement, &peer);                                                   \
		weft_release(judgement);                                                           \
		write##family(context, &peer);                                                     \
		put_flow(cookie, &name, WEFT_FLOW_SENT, &peer);                                    \
		put_flow(cookie, &peer, WEFT_FLOW_NAME, &name);                                    \
		return 1;                                                                          \
	}

SENDMSG(4)
SENDMSG(6)

/* ---- names ---- */

/* A datagram from an endpoint is shown as coming from the name that was sent to. */
#define RECVMSG(family)                                                                            \
	SEC("cgroup/recvmsg" #family) int weft_recvmsg##family(struct bpf_sock_addr *context)      \
	{                                                                                          \
		struct weft_name endpoint, name;                                                   \
                                                                                                   \
		weft_enrolled_cgroup();                                                            \
		read##family(context, &endpoint);                                                  \
		if (find_flow(bpf_get_socket_cookie(context), &endpoint, WEFT_FLOW_NAME, &name))   \
			write##family(context, &name);                                             \
		return 1;                                                                          \
	}

RECVMSG(4)
RECVMSG(6)

/* The peer of a connected socket is shown as what the application connected to. */
#define GETPEERNAME(family)                                                                        \
	SEC("cgroup/getpeername" #family)                                                          \
	int weft_getpeername##family(struct bpf_sock_addr *context)                                \
	{                                                                                          \
		struct weft_socket *socket;                                                        \
		struct weft_name peer, name;                                                       \
                                                                                                   \
		weft_enrolled_cgroup();                                                            \
		if (!context->sk)                                                                  \
			return 1;                                                                  \
		socket = bpf_sk_storage_get(&weft_sockets, context->sk, 0, 0);                     \
		if (!socket)                                                                       \
			return 1;                                                                  \
		read##family(context, &peer);                                                      \
		if (!same(&peer.address, &socket->endpoint) || peer.port != socket->endpoint_port) \
			return 1;                                                                  \
		name.address = socket->name;                                                       \
		name.port = socket->name_port;                                                     \
		write##family(context, &name);                                                     \
		return 1;                                                                          \
	}

GETPEERNAME(4)
GETPEERNAME(6)

/* ---- the receiving side ---- */

static __always_inline int judge_packet(struct __sk_buff *skb, struct weft_packet *packet)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	__u32 generation;
	struct weft_name peer;

	if (packet->protocol == IPPROTO_UDP) {
		/*
		 * Flows opened from here pass; admitted ones in the generation that admitted them,
		 * and to the address that they were admitted to: the socket may have several.
		 */
		if (find_flow(cookie, &packet->source, WEFT_FLOW_NAME, &peer))
			return 1;
		generation = find_flow(cookie, &packet->source, WEFT_FLOW_ADMITTED, &peer);
		if (is_current(generation) &&
		    same(&peer.address, &packet->destination.address) &&
		    peer.port == packet->destination.port)
			return 1;
	}
	return judge_arrival(WEFT_HOOK_INGRESS, cookie, &packet->source, &packet->destination,
			     packet->protocol);
}

SEC("cgroup_skb/ingress") int weft_ingress(struct __sk_buff *skb)
{
	struct weft_packet packet;

	switch (weft_parse(skb, &packet)) {
	case WEFT_PACKET_ESTABLISHED:
	case WEFT_PACKET_CONTROL:
		return 1;
	case WEFT_PACKET_SYN:
	case WEFT_PACKET_DATAGRAM:
		return judge_packet(skb, &packet) ? 1 : 0;
	default:
		weft_count_reason(WEFT_REASON_PARSE, weft_on_parse);
		return weft_on_parse == WEFT_ALLOW;
	}
}

#include "open.h"

char weft_license[] SEC("license") = "Dual BSD/GPL";
