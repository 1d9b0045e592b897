/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Letting a unit go: a head or chunk header, which was judged and may not change on its way, and the
 * bytes after it, which may be any.
 */
#ifndef WEFT_REQUEST_GRANT_H
#define WEFT_REQUEST_GRANT_H

#include "request/pass.h"
#include "request/work.h"

#define WEFT_UNSENT 256 /* heads of the node that TCP has taken in part */

struct weft_unsent {
	__u8 bytes[WEFT_HEAD_MAX + WEFT_HEAD_SLACK];
};
/* By cookie. What is forgotten here ends its connection. */
WEFT_MAP(weft_unsents, BPF_MAP_TYPE_LRU_HASH, __u64, struct weft_unsent, WEFT_UNSENT);

/* Copies the first `length` bytes of a message as they are; 0: there are not so many. */
static __noinline int weft_copy(struct sk_msg_md *message, struct weft_request_work *work,
				__u64 length)
{
	if (!work || length > message->size || length > WEFT_HEAD_MAX)
		return 0;
	if (message->data_end - message->data < length &&
	    bpf_msg_pull_data(message, 0, length, 0))
		return 0;
	asm volatile("" : "+r"(length));
	if (length > WEFT_HEAD_MAX)
		return 0;
	return !bpf_probe_read_kernel(work->request.bytes, length, message->data);
}

struct weft_comparison {
	const __u8 *one;
	const __u8 *other;
	__u32 from; /* in the other */
	__u32 length;
	__u32 differs;
};

static long weft_compare_step(__u32 index, struct weft_comparison *compared)
{
	__u32 at = index * 8, left = compared->length - at;
	__u64 difference;

	if (at >= compared->length)
		return 1;
	difference = weft_word(compared->one, at) ^ weft_word(compared->other, compared->from + at);
	if (left < 8)
		difference <<= 8 * (8 - left) & 63;
	compared->differs = difference != 0;
	return compared->differs;
}

/* Lets go of a unit what is known to be as it was judged: with the message's first bytes in `work`. */
static __always_inline int weft_grant_step(struct sk_msg_md *message, struct weft_http *http,
					   struct tcp_sock *socket, struct weft_request_work *work)
{
	__u32 syntax = weft_unsent_syntax(http, socket), step = weft_granted(http, socket);
	__u32 size = message->size, sure;
	__u64 cookie = http->cookie;

	if (step > size)
		step = size;
	sure = weft_sure(message, socket, step);
	if (sure && (sure >= step || sure >= syntax)) {
		bpf_msg_apply_bytes(message, sure);
		return SK_PASS;
	}
	if ((http->flags & WEFT_HTTP_CORKED) || syntax > size || !weft_copy(message, work, syntax) ||
	    bpf_map_update_elem(&weft_unsents, &cookie, work->request.bytes, BPF_ANY))
		return SK_DROP;
	http->unsent_seq = socket->write_seq;
	return weft_step_exact(message, http, step);
}

/* Lets the next `total` bytes go, `syntax` of them as they are; too much for TCP's numbers: `left`. */
static __always_inline int weft_grant(struct sk_msg_md *message, struct weft_http *http,
				      struct tcp_sock *socket, struct weft_request_work *work,
				      __u32 syntax, __u64 total)
{
	__u32 now = total < WEFT_PASS_MAX ? total : WEFT_PASS_MAX;

	if (weft_go_short(message, http, socket, total))
		return SK_PASS;
	http->left = total - now;
	http->judged_seq = socket->write_seq + now;
	http->syntax_seq = socket->write_seq + syntax;
	return weft_grant_step(message, http, socket, work);
}

/* The same for the rest of a body. */
static __always_inline int weft_grant_body(struct sk_msg_md *message, struct weft_http *http,
					   struct tcp_sock *socket)
{
	__u32 now = http->left < WEFT_PASS_MAX ? http->left : WEFT_PASS_MAX;

	if (weft_go_short(message, http, socket, http->left))
		return SK_PASS;
	http->left -= now;
	http->judged_seq = socket->write_seq + now;
	return weft_step(message, http, socket);
}

/* TCP took a part of a head: does the message go on with the rest of it? */
static __always_inline int weft_resume(struct sk_msg_md *message, struct weft_http *http,
				       struct tcp_sock *socket, struct weft_request_work *work)
{
	__u32 rest = weft_unsent_syntax(http, socket), size = message->size;
	struct weft_comparison compared = { .one = work->request.bytes };
	struct weft_unsent *unsent;
	__u64 cookie = http->cookie;

	unsent = bpf_map_lookup_elem(&weft_unsents, &cookie);
	compared.from = socket->write_seq - http->unsent_seq;
	compared.length = rest < size ? rest : size;
	if (!unsent || compared.from + rest > WEFT_HEAD_MAX ||
	    !weft_copy(message, work, compared.length))
		return SK_DROP;
	compared.other = unsent->bytes;
	bpf_loop(WEFT_HEAD_MAX / 8, weft_compare_step, &compared, 0);
	if (compared.differs)
		return SK_DROP;
	size = weft_granted(http, socket) < size ? weft_granted(http, socket) : size;
	return weft_step_exact(message, http, size);
}

#endif
