/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Looks into other sockets than the program's own, by their address in the kernel. Such an address
 * may be stale: what is read counts only if the cookie is that of the socket that was meant.
 */
#ifndef WEFT_REQUEST_SOCKET_H
#define WEFT_REQUEST_SOCKET_H

#include <bpf/bpf_core_read.h>

#include "request/node.h"

/* Fields of the kernel's, found by name when the program is loaded; see BPF CO-RE. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common___weft {
	unsigned int inum;
};
struct net___weft {
	struct ns_common___weft ns;
};
typedef struct {
	struct net___weft *net;
} possible_net_t___weft;
struct in6_addr___weft {};
struct proto___weft {
	unsigned long *memory_pressure;
};
struct sock_common___weft {
	struct proto___weft *skc_prot;
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t___weft skc_net;
	struct in6_addr___weft skc_v6_daddr;
	struct in6_addr___weft skc_v6_rcv_saddr;
	struct {
		__s64 counter;
	} skc_cookie;
};
struct backlog___weft {
	struct {
		int counter;
	} rmem_alloc;
};
struct inode___weft {
	unsigned long i_ino;
};
struct file___weft {
	struct inode___weft *f_inode;
};
struct socket___weft {
	struct file___weft *file;
};
struct qspinlock___weft {
	struct {
		int counter;
	} val;
};
struct raw_spinlock___weft {
	struct qspinlock___weft raw_lock;
};
struct spinlock___weft {
	struct raw_spinlock___weft rlock;
};
struct sock___weft {
	struct sock_common___weft __sk_common;
	struct {
		struct spinlock___weft slock;
		int owned;
	} sk_lock;
	struct backlog___weft sk_backlog;
	int sk_rcvlowat;
	int sk_sndbuf;
	int sk_wmem_queued;
	__u8 sk_shutdown;
	struct socket___weft *sk_socket;
	void *sk_user_data;
};
struct tcp_sock___weft {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_nxt;
};
struct sk_buff_head___weft {
	__u32 qlen;
};
struct sk_psock___weft {
	struct sk_buff_head___weft ingress_skb;
};
#pragma clang attribute pop

/* include/linux/skbuff.h, net/sock.h: what sk_user_data points to stands in its low bits. */
#define WEFT_USER_DATA_FLAGS 7ull
#define WEFT_USER_DATA_PSOCK 4ull

static __always_inline int weft_is_socket(const struct sock___weft *socket, __u64 cookie)
{
	__u64 found = 0;

	return socket && cookie &&
	       !bpf_core_read(&found, sizeof(found), &socket->__sk_common.skc_cookie.counter) &&
	       found == cookie;
}

/* Redirected messages that wait in the kernel's work queue: the client cannot read them yet. */
static __always_inline __u32 weft_redirects_wait(const struct sock___weft *socket)
{
	__u64 data = (__u64)BPF_CORE_READ(socket, sk_user_data);
	const struct sk_psock___weft *psock;

	if (!(data & WEFT_USER_DATA_PSOCK))
		return 0;
	psock = (void *)(data & ~WEFT_USER_DATA_FLAGS);
	return BPF_CORE_READ(psock, ingress_skb.qlen);
}

/*
 * Is a packet of this socket's on its way through its program and to where that sends it? Then the
 * socket is locked: by the spinlock (tcp_v4_rcv), or by its owner, who takes what came meanwhile
 * (__release_sock). Kernels whose spinlocks are of another kind (PREEMPT_RT) are not asked.
 */
static __always_inline int weft_is_locked(const struct sock___weft *socket)
{
	if (!bpf_core_field_exists(socket->sk_lock.slock.rlock.raw_lock.val.counter))
		return 0;
	return BPF_CORE_READ(socket, sk_lock.slock.rlock.raw_lock.val.counter) ||
	       BPF_CORE_READ(socket, sk_lock.owned);
}

/*
 * The kernel takes a message off its work queue only after the client was woken for it
 * (sk_psock_backlog), so one that asks again at once may be seen before: for about as long as another
 * CPU may be held up there is another look. Each of them takes some 100 ns.
 */
#define WEFT_REDIRECTS_LOOKS 16384

struct weft_redirects {
	const struct sock___weft *socket;
	const struct sock___weft *from; /* what came last; NULL: nothing that can be on its way */
	__u32 wait;
};

static long weft_look_at_redirects(__u32 index, struct weft_redirects *redirects)
{
	/* First where it comes from, then where it goes: in between it would be in neither. */
	redirects->wait = redirects->from && weft_is_locked(redirects->from);
	redirects->wait |= weft_redirects_wait(redirects->socket);
	return !redirects->wait;
}

/* Has the client all that was redirected to it, of this socket's too? It was, or it is now. */
static __noinline __attribute__((unused)) int weft_redirects_end(const struct sock___weft *socket,
								 const struct sock___weft *from)
{
	struct weft_redirects redirects = { .socket = socket, .from = from };

	bpf_loop(WEFT_REDIRECTS_LOOKS, weft_look_at_redirects, &redirects, 0);
	return !redirects.wait;
}

/* TCP's number of the next byte that a socket will take; 0 and *known = 0 where it is gone. */
static __always_inline __u32 weft_write_seq(__u64 address, __u64 cookie, int *known)
{
	const struct sock___weft *socket = (void *)address;

	*known = weft_is_socket(socket, cookie);
	return *known ? BPF_CORE_READ((const struct tcp_sock___weft *)socket, write_seq) : 0;
}

/* include/net/tcp_states.h; in others a connection takes no more bytes. */
#define WEFT_TCP_ESTABLISHED 1
#define WEFT_TCP_CLOSE_WAIT 8

/* TCP's state of a socket; 0 where it is gone. */
static __always_inline __u32 weft_tcp_state(__u64 address, __u64 cookie)
{
	const struct sock___weft *socket = (void *)address;

	return weft_is_socket(socket, cookie) ? BPF_CORE_READ(socket, __sk_common.skc_state) : 0;
}

/* A message's own memory beside its bytes, at most: MAX_MSG_FRAGS packets (SKB_TRUESIZE). */
#define WEFT_MESSAGE_MEMORY (17 * 2304)

/* Does a socket of the agent's surely take so many bytes at once? */
static __always_inline int weft_has_room(__u64 address, __u64 cookie, __u32 bytes)
{
	const struct sock___weft *socket = (void *)address;
	__s64 room;

	if (!weft_is_socket(socket, cookie))
		return 0;
	room = BPF_CORE_READ(socket, sk_sndbuf);
	room -= BPF_CORE_READ(socket, sk_wmem_queued);
	return room > (__s64)bytes * 2 + WEFT_MESSAGE_MEMORY;
}

#endif
