/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads the addresses and ports of a packet at cgroup_skb/ingress, where it starts with its IP
 * header and has been reassembled. What cannot be read as TCP, UDP or ICMP is WEFT_PACKET_BAD:
 * the caller fails closed.
 */
#ifndef WEFT_PARSE_H
#define WEFT_PARSE_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "types.h"

#define WEFT_EXTENSION_HEADERS 8
#define WEFT_PROTOCOL_AH 51

enum weft_packet_kind {
	WEFT_PACKET_BAD = 0,
	WEFT_PACKET_SYN = 1,	     /* TCP, SYN without ACK */
	WEFT_PACKET_ESTABLISHED = 2, /* any other TCP segment */
	WEFT_PACKET_DATAGRAM = 3,    /* UDP */
	WEFT_PACKET_CONTROL = 4,     /* ICMP, ICMPv6 */
};

struct weft_packet {
	struct weft_name source;
	struct weft_name destination;
	__u32 protocol;
};

static __always_inline void weft_map_v4(struct weft_address *address, __u32 v4)
{
	address->word[0] = 0;
	address->word[1] = 0;
	address->word[2] = bpf_htonl(0xffff);
	address->word[3] = v4;
}

/* Offset of the transport header of an IPv6 packet; 0 where it cannot be found. */
static __always_inline __u32 weft_skip_extensions(struct __sk_buff *skb, __u8 *protocol)
{
	__u32 offset = sizeof(struct ipv6hdr);

	for (int i = 0; i < WEFT_EXTENSION_HEADERS; i++) {
		__u8 head[4];

		switch (*protocol) {
		case IPPROTO_TCP:
		case IPPROTO_UDP:
		case IPPROTO_ICMPV6:
			return offset;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (bpf_skb_load_bytes(skb, offset, head, 4))
				return 0;
			offset += (head[1] + 1) * 8;
			break;
		case WEFT_PROTOCOL_AH:
			if (bpf_skb_load_bytes(skb, offset, head, 4))
				return 0;
			offset += (head[1] + 2) * 4;
			break;
		case IPPROTO_FRAGMENT: /* only whole packets, and atomic fragments, come here */
			if (bpf_skb_load_bytes(skb, offset, head, 4) || head[2] || head[3] & 0xf9)
				return 0;
			offset += 8;
			break;
		default:
			return 0;
		}
		*protocol = head[0];
	}
	return 0;
}

static __noinline __attribute__((unused)) int weft_parse(struct __sk_buff *skb,
						       struct weft_packet *packet)
{
	struct {
		__u16 ports[2];
		__u8 rest[9], flags; /* TCP only: to the flags (RFC 9293, 3.1) */
	} transport = {};
	__u8 protocol;
	__u32 offset;

	if (skb->protocol == bpf_htons(0x0800)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) || ip.ihl < 5)
			return WEFT_PACKET_BAD;
		if (ip.frag_off & bpf_htons(0x3fff)) /* not reassembled: has no or partial L4 */
			return WEFT_PACKET_BAD;
		weft_map_v4(&packet->source.address, ip.saddr);
		weft_map_v4(&packet->destination.address, ip.daddr);
		protocol = ip.protocol;
		offset = ip.ihl * 4;
	} else if (skb->protocol == bpf_htons(0x86dd)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return WEFT_PACKET_BAD;
		__builtin_memcpy(&packet->source.address, &ip.saddr, 16);
		__builtin_memcpy(&packet->destination.address, &ip.daddr, 16);
		protocol = ip.nexthdr;
		offset = weft_skip_extensions(skb, &protocol);
		if (!offset)
			return WEFT_PACKET_BAD;
	} else
		return WEFT_PACKET_BAD;

	packet->protocol = protocol;
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		return WEFT_PACKET_CONTROL;
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return WEFT_PACKET_BAD;
	if (bpf_skb_load_bytes(skb, offset, &transport,
			       protocol == IPPROTO_TCP ? sizeof(transport) :
							 sizeof(transport.ports)))
		return WEFT_PACKET_BAD;
	packet->source.zero = 0;
	packet->destination.zero = 0;
	packet->source.port = bpf_ntohs(transport.ports[0]);
	packet->destination.port = bpf_ntohs(transport.ports[1]);
	if (protocol == IPPROTO_UDP)
		return WEFT_PACKET_DATAGRAM;
	return (transport.flags & 0x12) == 0x02 ? WEFT_PACKET_SYN : WEFT_PACKET_ESTABLISHED;
}

/* RFC 9293, 3.1 */
#define WEFT_TCP_FIN 1
#define WEFT_TCP_SYN 2
#define WEFT_TCP_ACK 0x10
#define WEFT_TCP_URGENT 0x20

struct weft_segment {
	__u32 sequence;
	__u32 payload; /* where it begins, in the packet */
	__u32 flags;
};

/*
 * The common case without copies: a TCP segment in an IP header without options, not a fragment, the
 * headers in the linear part. A 0 says nothing: weft_parse and weft_tcp_offset know.
 */
static __always_inline int weft_see_segment(struct __sk_buff *skb, struct weft_segment *segment)
{
	const __u8 *data = (void *)(long)skb->data;
	const __u8 *end = (void *)(long)skb->data_end;
	__u32 offset;

	if (skb->protocol == bpf_htons(0x0800)) {
		offset = sizeof(struct iphdr);
		if (data + sizeof(struct iphdr) + 14 > end || data[0] != 0x45 ||
		    data[9] != IPPROTO_TCP || data[6] & 0x3f || data[7])
			return 0;
		data += sizeof(struct iphdr);
	} else if (skb->protocol == bpf_htons(0x86dd)) {
		offset = sizeof(struct ipv6hdr);
		if (data + sizeof(struct ipv6hdr) + 14 > end || data[6] != IPPROTO_TCP)
			return 0;
		data += sizeof(struct ipv6hdr);
	} else {
		return 0;
	}
	segment->sequence = bpf_ntohl(*(const __u32 *)(data + 4));
	segment->payload = offset + (data[12] >> 4) * 4;
	segment->flags = data[13];
	return 1;
}

/* A SYN without ACK opens a connection. */
static __always_inline int weft_opens(const struct weft_segment *segment)
{
	return (segment->flags & (WEFT_TCP_SYN | WEFT_TCP_ACK)) == WEFT_TCP_SYN;
}

#define WEFT_OPTION_END 0
#define WEFT_OPTION_NOP 1
#define WEFT_OPTION_LOOSE_ROUTE 131
#define WEFT_OPTION_STRICT_ROUTE 137
#define WEFT_OPTION_BYTES 40

static __noinline int weft_has_source_route(struct __sk_buff *skb, __u32 length)
{
	__u32 at = 0;

	for (int i = 0; i < WEFT_OPTION_BYTES && at < length; i++) {
		__u8 option[2];

		if (bpf_skb_load_bytes(skb, sizeof(struct iphdr) + at, option, 2))
			return 1;
		if (option[0] == WEFT_OPTION_END)
			return 0;
		if (option[0] == WEFT_OPTION_LOOSE_ROUTE || option[0] == WEFT_OPTION_STRICT_ROUTE)
			return 1;
		if (option[0] != WEFT_OPTION_NOP && option[1] < 2)
			return 1;
		at += option[0] == WEFT_OPTION_NOP ? 1 : option[1];
	}
	return 0;
}

/* A route around a packet in a packet is the node's own doing, not the socket's. */
static __noinline int weft_has_routing_header(struct __sk_buff *skb, __u8 protocol)
{
	__u32 offset = sizeof(struct ipv6hdr);
	int routed = 0;

	for (int i = 0; i < WEFT_EXTENSION_HEADERS; i++) {
		__u8 head[2];

		switch (protocol) {
		case IPPROTO_IPIP:
		case IPPROTO_IPV6:
			return 0;
		case IPPROTO_ROUTING:
			routed = 1;
			break;
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
			break;
		default:
			return routed;
		}
		if (bpf_skb_load_bytes(skb, offset, head, 2))
			return 1;
		offset += (head[1] + 1) * 8;
		protocol = head[0];
	}
	return 1;
}

/* Does a packet that leaves name a host to pass on its way? Of what cannot be read: yes. */
static __always_inline int weft_names_a_way(struct __sk_buff *skb)
{
	const __u8 *data = (void *)(long)skb->data;
	const __u8 *end = (void *)(long)skb->data_end;

	if (skb->protocol == bpf_htons(0x0800)) {
		__u32 length;

		if (data + sizeof(struct iphdr) > end)
			return 1;
		if (data[0] == 0x45)
			return 0;
		length = (data[0] & 0xf) * 4;
		return length < sizeof(struct iphdr) ||
		       weft_has_source_route(skb, length - sizeof(struct iphdr));
	}
	if (skb->protocol != bpf_htons(0x86dd))
		return 1;
	if (data + sizeof(struct ipv6hdr) > end)
		return 1;
	if (data[6] == IPPROTO_TCP || data[6] == IPPROTO_UDP)
		return 0;
	return weft_has_routing_header(skb, data[6]);
}

/* Offset of the TCP header of a packet that a socket sends; 0 where it has none. */
static __always_inline __u32 weft_tcp_offset(struct __sk_buff *skb)
{
	__u8 first, protocol;

	if (skb->protocol == bpf_htons(0x0800)) {
		if (bpf_skb_load_bytes(skb, 0, &first, 1) ||
		    bpf_skb_load_bytes(skb, 9, &protocol, 1) || protocol != IPPROTO_TCP)
			return 0;
		return (first & 0xf) * 4;
	}
	if (bpf_skb_load_bytes(skb, 6, &protocol, 1))
		return 0;
	if (protocol == IPPROTO_TCP)
		return sizeof(struct ipv6hdr);
	first = weft_skip_extensions(skb, &protocol);
	return protocol == IPPROTO_TCP ? first : 0;
}

#endif
