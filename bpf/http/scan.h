/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One pass over a head. A step of the loop takes one header line where it is short, and a part of
 * it (32 bytes of a name, 64 of a value) where not: where the next step goes on stands in the scan.
 *
 * Bytes from `have` on are whatever was in the buffer: a byte counts only after its position was
 * compared with `have`.
 *
 * INVARIANT: a step that meets the end of what has arrived leaves `at`, `phase`, `hash` and the head
 * as they were: with more bytes it is done again.
 */
#ifndef WEFT_HTTP_SCAN_H
#define WEFT_HTTP_SCAN_H

#define WEFT_NAME_WORDS_A_STEP 4
#define WEFT_VALUE_WORDS_A_STEP 8
#define WEFT_HASH_FACTOR 0x9e3779b97f4a7c15ull
#define WEFT_SCAN_GOES_ON 0xffff

static __always_inline __u64 weft_word(const __u8 *bytes, __u64 at)
{
	return weft_load(bytes, at, WEFT_HEAD_MAX);
}

static __always_inline __u32 weft_byte(const __u8 *bytes, __u64 at)
{
	return weft_load_byte(bytes, at, WEFT_HEAD_MAX);
}

static __always_inline void weft_put(__u8 *bytes, __u64 at, __u8 byte)
{
	at &= WEFT_HEAD_MAX - 1;
#ifdef __bpf__
	asm volatile("" : "+r"(at));
#endif
	bytes[at] = byte;
}

/* Where the next step starts: at the method, in the target, at a line, in a name, ... */
enum weft_scan_phase {
	WEFT_SCAN_START, /* of a head: nothing is kept */
	WEFT_SCAN_TARGET,
	WEFT_SCAN_LINE,
	WEFT_SCAN_NAME,
	WEFT_SCAN_SPACE,
	WEFT_SCAN_VALUE
};

enum weft_scan_seen {
	WEFT_SEEN_HOST = 1,
	WEFT_SEEN_LENGTH = 2,
	WEFT_SEEN_CODING = 4,
	WEFT_SEEN_UPGRADE = 8,
	WEFT_SEEN_SAYS_CLOSE = 16,
	WEFT_SEEN_SAYS_KEEP_ALIVE = 32,
	WEFT_SEEN_SAYS_UPGRADE = 64,
	WEFT_SEEN_UNCLEAN_PATH = 128, /* has `%`, `\` or a segment that starts with a dot */
	WEFT_SEEN_CONNECT = 256,
	WEFT_SEEN_OPTIONS = 512,
};

/*
 * What the loops' steps are given. It lies on the stack and never changes; what changes is in the
 * cursor, in the caller's memory: of a value that was stored there the verifier knows nothing, so a
 * step is verified once and not once for each value.
 */
struct weft_scan {
	__u8 *bytes;
	const struct weft_names *names;
	struct weft_head *head;
	struct weft_cursor *cursor;
};

static __always_inline int weft_incomplete(struct weft_scan *scan)
{
	scan->cursor->status = WEFT_HEAD_INCOMPLETE;
	return 1;
}

/* The next step starts at `at`, if all before it has arrived. */
static __always_inline int weft_go_on(struct weft_scan *scan, __u32 at, __u32 phase)
{
	if (at > scan->cursor->have)
		return weft_incomplete(scan);
	scan->cursor->at = at;
	scan->cursor->phase = phase;
	return 0;
}

static __always_inline int weft_refuse(struct weft_scan *scan, __u32 reason, __u32 at)
{
	scan->cursor->status = reason == WEFT_HEAD_TOO_LARGE		 ? 431 :
		       reason == WEFT_HEAD_METHOD_LONG ||
				       reason == WEFT_HEAD_CODING_UNKNOWN ? 501 :
		       reason == WEFT_HEAD_VERSION_UNSUPPORTED	 ? 505 :
								   400;
	scan->head->reason = reason;
	scan->head->offset = at;
	return 1;
}

static __always_inline __u32 weft_view(__u32 from, __u32 to)
{
	return from << 16 | ((to - from) & 0xffff);
}

/* What an inner loop goes over. */
static __always_inline void weft_between(struct weft_scan *scan, __u32 from, __u32 to)
{
	struct weft_inner *inner = &scan->cursor->inner;

	inner->from = from;
	inner->to = to;
	inner->low = inner->high = 0;
	inner->length = inner->gap = inner->found = 0;
}

/* The first byte that is no tchar: the quick test first, since most tokens are usual. */
static __always_inline __u64 weft_token_end(__u64 word, __u8 expected)
{
	__u64 mask = weft_unusual(word);

	if (mask && (__u8)(word >> 8 * weft_first(mask)) != expected)
		mask = weft_no_token(word);
	return mask;
}

#include "field.h"
#include "request-line.h"
#include "target.h"

/* A line that is no header line, or a name that ends without its colon. */
static __always_inline int weft_refuse_name(struct weft_scan *scan, __u32 byte, __u32 at)
{
	int first = at == scan->cursor->start;

	if (byte == '\n')
		return weft_refuse(scan, first ? WEFT_HEAD_BARE_LF : WEFT_HEAD_NO_COLON, at);
	if (byte == '\r')
		return weft_refuse(scan, WEFT_HEAD_NO_COLON, at);
	if (byte == ' ' || byte == '\t')
		return weft_refuse(scan, first ? WEFT_HEAD_FOLD : WEFT_HEAD_NAME_SPACE, at);
	return weft_refuse(scan, byte == ':' ? WEFT_HEAD_NAME_EMPTY : WEFT_HEAD_NAME_CHARACTER, at);
}

/* The end of the head: CR LF where a line should start. */
static __always_inline int weft_scan_end(struct weft_scan *scan, __u32 at, __u64 word)
{
	if (at + 1 >= scan->cursor->have)
		return weft_incomplete(scan);
	if ((word >> 8 & 0xff) != '\n')
		return weft_refuse(scan, WEFT_HEAD_BARE_CR, at);
	scan->head->length = at + 2;
	scan->cursor->status = WEFT_HEAD_OK;
	return 1;
}

/* The loop's step: 1 where the scan is over. */
static __attribute__((unused)) long weft_scan_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	__u32 at = scan->cursor->at, phase = scan->cursor->phase;
	__u64 word, mask;

	if (at >= scan->cursor->have)
		return weft_incomplete(scan);
	if (phase == WEFT_SCAN_TARGET)
		return weft_scan_target(scan, at);

	if (phase <= WEFT_SCAN_NAME) {
		__u64 hash = scan->cursor->hash;

		if (phase == WEFT_SCAN_LINE) {
			word = weft_word(scan->bytes, at);
			if ((__u8)word == '\r')
				return weft_scan_end(scan, at, word);
			scan->cursor->start = at;
			hash = scan->names->seed;
		}
#pragma unroll
		for (int i = 0; i < WEFT_NAME_WORDS_A_STEP; i++) {
			word = weft_word(scan->bytes, at);
			mask = weft_token_end(word, ':');
			word |= WEFT_EACH(0x20);
			if (mask) {
				__u64 below = weft_below(mask);

				if (below)
					hash = (hash ^ (word & below)) * WEFT_HASH_FACTOR;
				at += weft_first(mask);
				goto name_ends;
			}
			hash = (hash ^ word) * WEFT_HASH_FACTOR;
			at += 8;
		}
		if (weft_go_on(scan, at, WEFT_SCAN_NAME))
			return 1;
		scan->cursor->hash = hash;
		return 0;
name_ends:
		if (at >= scan->cursor->have)
			return weft_incomplete(scan);
		word = weft_word(scan->bytes, at);
		if ((__u8)word != ':' || at == scan->cursor->start)
			return weft_refuse_name(scan, (__u8)word, at);
		scan->cursor->entry = weft_look_up(scan, hash, at - scan->cursor->start);
		at++;
		if ((word >> 8 & 0xff) == ' ') {
			at++;
			word >>= 8;
		}
		word = word >> 8 & 0xff;
		if (word == ' ' || word == '\t')
			return weft_go_on(scan, at, WEFT_SCAN_SPACE);
		scan->cursor->value = at;
	} else if (phase == WEFT_SCAN_SPACE) {
		word = weft_word(scan->bytes, at);
		mask = ~(weft_equal(word, ' ') | weft_equal(word, '\t')) & WEFT_HIGH;
		if (!mask)
			return weft_go_on(scan, at + 8, WEFT_SCAN_SPACE);
		at += weft_first(mask);
		scan->cursor->value = at;
	}

#pragma unroll
	for (int i = 0; i < WEFT_VALUE_WORDS_A_STEP; i++) {
		mask = weft_control(weft_word(scan->bytes, at), 0x20);
		if (mask) {
			at += weft_first(mask);
			goto value_ends;
		}
		at += 8;
	}
	return weft_go_on(scan, at, WEFT_SCAN_VALUE);
value_ends:
	if (at >= scan->cursor->have)
		return weft_incomplete(scan);
	word = weft_word(scan->bytes, at);
	if ((__u8)word == '\t')
		return weft_go_on(scan, at + 1, WEFT_SCAN_VALUE);
	if ((__u8)word != '\r')
		return weft_refuse(
			scan, (__u8)word == '\n' ? WEFT_HEAD_BARE_LF : WEFT_HEAD_VALUE_CONTROL, at);
	if (at + 1 >= scan->cursor->have)
		return weft_incomplete(scan);
	if ((word >> 8 & 0xff) != '\n')
		return weft_refuse(scan, WEFT_HEAD_BARE_CR, at);
	scan->cursor->at = at + 2;
	scan->cursor->phase = WEFT_SCAN_LINE;
	return scan->cursor->entry ? weft_field(scan, at) : 0;
}

#endif
