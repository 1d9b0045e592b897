/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Heads that are kept to be compared with later ones: peers send the same heads again and again, and
 * to compare all bytes of one is a tenth of reading it.
 */
#ifndef WEFT_REQUEST_SAME_H
#define WEFT_REQUEST_SAME_H

#include "request/window.h"

#define WEFT_KNOWN_HEAD 1024 /* bytes of a head that is kept, at most: a window */
#define WEFT_KNOWN_LEARNS 8		/* of so many that differ one is learned */

struct weft_known_bytes {
	__u32 length; /* 0: nothing is known */
	__u32 misses;
	__u64 words[WEFT_KNOWN_HEAD / 8];
};

/* Begins the window as what is known does? A global function: the verifier checks the loop once. */
__attribute__((noinline)) int weft_is_same_head(const struct weft_window *window,
						const struct weft_known_bytes *known)
{
	__u32 words, rest;
	__u64 differs = 0;

	if (!window || !known || !known->length)
		return 0;
	words = known->length / 8;
	rest = known->length % 8;
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

/* Is it the turn of a head of this length to be learned? */
static __always_inline int weft_is_learned(struct weft_known_bytes *known, __u32 length)
{
	return length - 1 < WEFT_KNOWN_HEAD && known->misses++ % WEFT_KNOWN_LEARNS == 0;
}

/* Keeps the first `length` bytes of a window; until then nothing is known. */
static __always_inline void weft_keep_head(struct weft_known_bytes *known,
					   const struct weft_window *window, __u32 length)
{
	known->length = 0;
	if (!bpf_probe_read_kernel(known->words, weft_length(length, WEFT_KNOWN_HEAD),
				   window->bytes))
		known->length = length;
}

#endif
