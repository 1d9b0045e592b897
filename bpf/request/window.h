/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Lengths that every verifier can follow: of what is looked at, and written, in one step. */
#ifndef WEFT_REQUEST_WINDOW_H
#define WEFT_REQUEST_WINDOW_H

#include "http/lines.h"

/* Bytes of a stream; in BPF in the value of a map. */
struct weft_window {
	__u8 bytes[WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK];
};

/*
 * A length as it is, for a helper, where it is in [1, most] and `most` a power of two. Masked, not
 * compared: a helper wants a length that cannot be 0, and the verifier of 6.1 neither learns that from
 * a comparison with 0 nor, of a copy of 32 bits that was compared, what the original may be
 * (kernel/bpf/verifier.c, check_alu_op).
 */
static __always_inline __u32 weft_length(__u32 length, __u32 most)
{
	asm volatile("" : "+r"(length));
	return ((length - 1) & (most - 1)) + 1;
}

/* The bytes of a window of a stream that has any. */
static __always_inline __u32 weft_window_of(__u32 stream)
{
	return weft_length(stream > WEFT_WINDOW_MAX ? WEFT_WINDOW_MAX : stream, WEFT_WINDOW_MAX);
}

#endif
