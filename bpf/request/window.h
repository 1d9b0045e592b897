/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How much of a stream is looked at in one step, so that every verifier can follow it. */
#ifndef WEFT_REQUEST_WINDOW_H
#define WEFT_REQUEST_WINDOW_H

#include "http/lines.h"

/*
 * The bytes of a window of a stream that has any. Masked, not compared: a helper wants a length that
 * cannot be 0, and the verifier of 6.1 neither learns that from a comparison with 0 nor, of a copy of
 * 32 bits that was compared, what the original may be (kernel/bpf/verifier.c, check_alu_op).
 */
static __always_inline __u32 weft_window_of(__u32 stream)
{
	__u32 have = stream > WEFT_WINDOW_MAX ? WEFT_WINDOW_MAX : stream;

	asm volatile("" : "+r"(have));
	return ((have - 1) & (WEFT_WINDOW_MAX - 1)) + 1;
}

#endif
