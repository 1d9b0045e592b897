/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Eight bytes at a time: loads, and masks with bit 7 of each byte that has a property. Every mask
 * is exact (no borrow or carry crosses a byte). Little-endian, as all targets are.
 */
#ifndef WEFT_HTTP_WORD_H
#define WEFT_HTTP_WORD_H

#if defined(__linux__) || defined(__bpf__)
#include <linux/types.h>
#else
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#endif

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * WEFT_LOOP(count, step, context): calls step(index, context) until it returns 1.
 * In BPF the verifier checks the step once, whatever the count (kernel 5.17 and later).
 */
#ifdef __bpf__
#define WEFT_LOOP(count, step, context) bpf_loop(count, step, context, 0)
#else
#define WEFT_LOOP(count, step, context)                                    \
	for (__u32 weft_index = 0; weft_index < (count); weft_index++)     \
		if (step(weft_index, context))                             \
			break
#endif

#define WEFT_EACH(byte) (0x0101010101010101ull * (byte))
#define WEFT_HIGH WEFT_EACH(0x80)

/* The eight bytes at an offset of a buffer of `size` bytes, a power of two, and 8 more. */
static __always_inline __u64 weft_load(const __u8 *bytes, __u64 at, __u64 size)
{
	at &= size - 1;
#ifdef __bpf__
	asm volatile("" : "+r"(at)); /* the offset that was masked is the one that is used */
	return *(const __u64 *)(bytes + at);
#else
	__u64 word;

	__builtin_memcpy(&word, bytes + at, 8);
	return word;
#endif
}

static __always_inline __u32 weft_load_byte(const __u8 *bytes, __u64 at, __u64 size)
{
	at &= size - 1;
#ifdef __bpf__
	asm volatile("" : "+r"(at));
#endif
	return bytes[at];
}

/* The number of the first byte that a mask has; the mask is not 0. */
static __always_inline __u32 weft_first(__u64 mask)
{
	mask >>= 7;
	return (((mask & -mask) - 1) & WEFT_EACH(1)) * WEFT_EACH(1) >> 56;
}

/* The bytes below the first of a mask, as a mask of whole bytes. */
static __always_inline __u64 weft_below(__u64 mask)
{
	mask >>= 7;
	return (mask & -mask) - 1;
}

/* Bytes below 0x80 that are from..to; `low` is the word without its high bits. */
#define WEFT_RANGE(low, from, to) \
	(((low) + WEFT_EACH(0x80 - (from))) & ~((low) + WEFT_EACH(0x7f - (to))))

static __always_inline __u64 weft_equal(__u64 word, __u8 byte)
{
	__u64 other = word ^ WEFT_EACH(byte);

	return ~(((other & ~WEFT_HIGH) + ~WEFT_HIGH) | other) & WEFT_HIGH;
}

/* Bytes that are no letter, digit or hyphen. */
static __always_inline __u64 weft_unusual(__u64 word)
{
	__u64 low = word & ~WEFT_HIGH, letter = low | WEFT_EACH(0x20);
	__u64 usual = WEFT_RANGE(letter, 'a', 'z') | WEFT_RANGE(low, '0', '9') |
		      WEFT_RANGE(low, '-', '-');

	return (~usual | word) & WEFT_HIGH;
}

/* Bytes that are no tchar (RFC 9110, 5.6.2). */
static __always_inline __u64 weft_no_token(__u64 word)
{
	__u64 low = word & ~WEFT_HIGH;
	__u64 token = WEFT_RANGE(low, '!', '!') | WEFT_RANGE(low, '#', '\'') |
		      WEFT_RANGE(low, '*', '+') | WEFT_RANGE(low, '-', '.') |
		      WEFT_RANGE(low, '0', '9') | WEFT_RANGE(low, 'A', 'Z') |
		      WEFT_RANGE(low, '^', 'z') | WEFT_RANGE(low, '|', '|') |
		      WEFT_RANGE(low, '~', '~');

	return (~token | word) & WEFT_HIGH;
}

/* Bytes below `from` (at most 0x80), and DEL. */
static __always_inline __u64 weft_control(__u64 word, __u8 from)
{
	__u64 low = word & ~WEFT_HIGH;

	return (~(low + WEFT_EACH(0x80 - from)) | (low + WEFT_EACH(1))) & ~word & WEFT_HIGH;
}

/* Is a byte in a set that is given as two words, of bytes below and from 64? */
static __always_inline int weft_in(__u32 byte, __u64 below, __u64 from)
{
	return byte < 128 && ((byte < 64 ? below : from) >> (byte & 63) & 1);
}

/* Eight digits, first one lowest, to their number; *bad where one is none. */
static __always_inline __u64 weft_digits(__u64 word, int *bad)
{
	*bad |= ((word & WEFT_EACH(0xf0)) | ((word + WEFT_EACH(6)) & WEFT_EACH(0xf0)) >> 4) !=
		WEFT_EACH(0x33);
	word = (word & WEFT_EACH(0x0f)) * 2561 >> 8;
	word = (word & 0x00ff00ff00ff00ffull) * 6553601 >> 16;
	return (word & 0x0000ffff0000ffffull) * 42949672960001ull >> 32;
}

/* 0 to 15; 16 where the byte is no hexadecimal digit. */
static __always_inline __u32 weft_hex(__u32 byte)
{
	__u32 digit = byte - '0', letter = (byte | 0x20) - 'a';

	return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

#endif
