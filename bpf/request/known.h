/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Replies whose head was framed before on this CPU: servers send the same heads again and again, but
 * for a date that changes once a second. One that is byte for byte as an earlier one, and a segment of
 * its own, leaves the framer as that one left it; comparing is a tenth of framing.
 *
 * Only where the outcome hangs on the reply's bytes alone: between two replies, to requests of the
 * plain kind, a body by length or none. Segments arrive with softirqs off, so nobody else of this CPU
 * has what is known.
 */
#ifndef WEFT_REQUEST_KNOWN_H
#define WEFT_REQUEST_KNOWN_H

#include "request/types.h"
#include "request/window.h"

#define WEFT_KNOWN 8	      /* replies that a CPU knows, by their length */
#define WEFT_KNOWN_HEAD 512   /* a head that is known is shorter */
#define WEFT_KNOWN_LEARNS 8   /* of so many that differ one is learned */

struct weft_known {
	__u32 head;   /* bytes */
	__u32 length; /* of head and body */
	__u32 misses;
	__u32 zero;
	struct weft_reply reply; /* as the framer leaves it */
	__u64 words[WEFT_KNOWN_HEAD / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEFT_KNOWN);
	__type(key, __u32);
	__type(value, struct weft_known);
} weft_known_replies SEC(".maps");

/* What is known of replies of a length; 0 where the next one may mean something else. */
static __always_inline struct weft_known *weft_known_of(const struct weft_native *native,
							__u32 length)
{
	const struct weft_reply *reply = &native->reply;
	__u32 index = length % WEFT_KNOWN;

	if (reply->lines.phase != WEFT_FRAME_START || reply->left || native->asked.kinds ||
	    native->asked.count == reply->done)
		return 0;
	if (reply->lines.flags & WEFT_REPLY_INTERIM && !(reply->lines.flags & WEFT_REPLY_HEAD))
		return 0;
	return bpf_map_lookup_elem(&weft_known_replies, &index);
}

/* Begins the window as what is known does? A global function: the verifier checks the loop once. */
__attribute__((noinline)) int weft_is_same_head(const struct weft_window *window,
						const struct weft_known *known)
{
	__u32 words, rest;
	__u64 differs = 0;

	if (!window || !known)
		return 0;
	words = known->head / 8;
	rest = known->head % 8;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < WEFT_KNOWN_HEAD / 8; i++) {
		__u64 difference = *(const __u64 *)(window->bytes + 8 * i) ^ known->words[i];

		if (i == words) {
			if (rest)
				differs |= difference << (64 - 8 * rest);
			break;
		}
		differs |= difference;
	}
	return !differs;
}

/* Is this the reply that is known? */
static __always_inline int weft_is_known(struct __sk_buff *skb, __u32 at, __u32 payload,
					 struct weft_window *window, const struct weft_known *known)
{
	if (known->length != payload || !known->head)
		return 0;
	return !bpf_skb_load_bytes(skb, at, window->bytes,
				   weft_length(known->head, WEFT_KNOWN_HEAD)) &&
	       weft_is_same_head(window, known);
}

/* Notes what the framer made of a reply, whose head is still in the window. */
static __noinline int weft_learn(struct weft_known *known, const struct weft_window *window,
				 const struct weft_reply *reply, __u32 length)
{
	if (!known || !window || !reply)
		return 0;
	if (reply->lines.phase != WEFT_FRAME_START || reply->head_length >= WEFT_KNOWN_HEAD ||
	    reply->lines.flags & (WEFT_REPLY_CHUNKED | WEFT_REPLY_INTERIM) ||
	    known->misses++ % WEFT_KNOWN_LEARNS)
		return 0;
	known->head = reply->head_length;
	known->length = length;
	known->reply = *reply;
	__builtin_memcpy(known->words, window->bytes, sizeof(known->words));
	return 0;
}

#endif
