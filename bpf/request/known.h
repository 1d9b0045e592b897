/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Replies whose head was framed before: servers send the same heads again and again, but for a date
 * that changes once a second. One whose head is byte for byte as an earlier one's, and that comes in one
 * piece, leaves the framer as that one left it.
 *
 * Only where the outcome hangs on the reply's bytes alone: between two replies, to requests of the
 * plain kind, a body by length or none.
 */
#ifndef WEFT_REQUEST_KNOWN_H
#define WEFT_REQUEST_KNOWN_H

#include "http/reply.h"
#include "request/same.h"

#define WEFT_KNOWN 8 /* replies that a CPU knows, by their length */

struct weft_known {
	struct weft_known_bytes head;
	__u32 length; /* of head and body */
	__u32 zero;
	struct weft_reply reply; /* as the framer leaves it */
};

/* May the next reply be one that is known? Else it may mean something else. */
static __always_inline int weft_may_be_known(const struct weft_reply *reply,
					     const struct weft_asked *asked)
{
	if (reply->lines.phase != WEFT_FRAME_START || reply->left || asked->kinds ||
	    asked->count == reply->done)
		return 0;
	return !(reply->lines.flags & WEFT_REPLY_INTERIM) || reply->lines.flags & WEFT_REPLY_HEAD;
}

/* Goes on as after the reply that is known. */
static __always_inline void weft_follow_known(struct weft_reply *reply,
					      const struct weft_known *known)
{
	__u32 done = reply->done;

	*reply = known->reply;
	reply->done = done + 1;
}

/* Notes what the framer made of `length` bytes, one whole reply, whose head is still in the window. */
static __noinline __attribute__((unused)) int
weft_learn(struct weft_known *known, const struct weft_window *window,
	   const struct weft_reply *reply, __u32 length)
{
	if (!known || !window || !reply)
		return 0;
	if (reply->lines.phase != WEFT_FRAME_START ||
	    reply->lines.flags & (WEFT_REPLY_CHUNKED | WEFT_REPLY_INTERIM) ||
	    !weft_is_learned(&known->head, reply->head_length))
		return 0;
	weft_keep_head(&known->head, window, reply->head_length);
	known->length = length;
	known->reply = *reply;
	return 0;
}

#endif
