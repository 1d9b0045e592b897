/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The host of a request: one, and of bytes that every server takes for a part of it.
 */
#ifndef WEFT_HTTP_HOST_H
#define WEFT_HTTP_HOST_H

/* Bytes that a host may have: reg-name, IP-literal, port (RFC 3986, 3.2.2). */
#define WEFT_HOST_BELOW 0x2fff7ff200000000ull /* ! $ % & ' ( ) * + , - . 0-9 : ; = */
#define WEFT_HOST_FROM 0x47fffffeaffffffeull /* A-Z [ ] _ a-z ~ */

/* A word at a time while bytes are usual, else one byte. */
static long weft_host_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *host = &scan->cursor->inner;
	__u32 at = host->from;
	__u64 word, mask;

	if (at >= host->to)
		return 1;
	word = weft_word(scan->bytes, at);
	mask = weft_unusual(word) & ~(weft_equal(word, '.') | weft_equal(word, ':'));
	if (!mask) {
		host->from = at + 8;
		return 0;
	}
	at += weft_first(mask);
	if (at >= host->to)
		return 1;
	if (!weft_in(weft_byte(scan->bytes, at), WEFT_HOST_BELOW, WEFT_HOST_FROM)) {
		host->found = at;
		return 1;
	}
	host->from = at + 1;
	return 0;
}

/* The offset of the first byte that no host has; 0 where there is none. */
static __always_inline __u32 weft_bad_host(struct weft_scan *scan, __u32 from, __u32 to)
{
	weft_between(scan, from, to);
	WEFT_LOOP(WEFT_HEAD_MAX, weft_host_step, scan);
	return scan->cursor->inner.found;
}

static __always_inline int weft_host_field(struct weft_scan *scan, __u32 from, __u32 to)
{
	__u32 bad;

	if (scan->cursor->seen & WEFT_SEEN_HOST)
		return weft_refuse(scan, WEFT_HEAD_HOST_REPEATED, from);
	scan->cursor->seen |= WEFT_SEEN_HOST;
	bad = weft_bad_host(scan, from, to);
	if (bad)
		return weft_refuse(scan, WEFT_HEAD_HOST_CHARACTER, bad);
	scan->head->host = weft_view(from, to);
	return 0;
}

#endif
