/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Header lines that matter: those that a policy looks at, and those that frame the message.
 * weft_field returns 1 where one of them is refused.
 */
#ifndef WEFT_HTTP_FIELD_H
#define WEFT_HTTP_FIELD_H

#include "framing.h"
#include "host.h"
#include "options.h"

/* The entry of a number from 1. */
static __always_inline const struct weft_name_entry *weft_entry(const struct weft_names *names,
								__u64 number)
{
	number = (number - 1) & (WEFT_NAME_ENTRIES - 1);
#ifdef __bpf__
	asm volatile("" : "+r"(number)); /* for the verifiers of old kernels: see weft_load */
#endif
	return &names->entries[number];
}

/* The entry of a name from its hash, compared byte by byte; 0 where no one looks at it. */
static __always_inline __u32 weft_look_up(struct weft_scan *scan, __u64 hash, __u32 length)
{
	const struct weft_names *names = scan->names;
	__u32 found = names->buckets[hash >> 56];
	const struct weft_name_entry *entry;
	__u32 at = scan->cursor->start;

	if (!found)
		return 0;
	entry = weft_entry(names, found);
	if (entry->length != length || length > WEFT_NAME_MAX)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < WEFT_NAME_MAX / 8; i++) {
		__u64 word = (weft_word(scan->bytes, at + 8 * i) | WEFT_EACH(0x20)) ^ entry->words[i];

		if (length <= 8 * i + 8)
			return word << 8 * (8 * i + 8 - length & 7) ? 0 : found;
		if (word)
			return 0;
	}
	return 0;
}

static long weft_trim_step(__u32 index, void *context)
{
	struct weft_scan *scan = context;
	struct weft_inner *trim = &scan->cursor->inner;
	__u32 byte;

	if (trim->to <= trim->from)
		return 1;
	byte = weft_byte(scan->bytes, trim->to - 1);
	if (byte != ' ' && (byte != '\t' || trim->gap))
		return 1;
	trim->to--;
	return 0;
}

/* The line of scan->cursor->entry, whose value ends at `to`. */
static __always_inline int weft_field(struct weft_scan *scan, __u32 to)
{
	__u32 from = scan->cursor->value, last = weft_byte(scan->bytes, to - 1), slot;
	const struct weft_name_entry *entry;
	struct weft_head *head = scan->head;

	entry = weft_entry(scan->names, scan->cursor->entry);
	if (to > from && (last == ' ' || last == '\t')) {
		weft_between(scan, from, to);
		/* A tab after a length or a coding is white space to the standard, not to every server. */
		scan->cursor->inner.gap = entry->kind == WEFT_NAME_LENGTH ||
					  entry->kind == WEFT_NAME_CODING;
		WEFT_LOOP(WEFT_HEAD_MAX, weft_trim_step, scan);
		to = scan->cursor->inner.to;
	}
	slot = entry->slot;
	if (slot) {
		slot = (slot - 1) & (WEFT_HEADER_SLOTS - 1);
		if (head->headers[slot])
			head->repeated |= 1 << slot;
		else
			head->headers[slot] = weft_view(from, to);
	}
	switch (entry->kind) {
	case WEFT_NAME_HOST:
		return weft_host_field(scan, from, to);
	case WEFT_NAME_LENGTH:
		return weft_content_length(scan, from, to);
	case WEFT_NAME_CODING:
		return weft_transfer_coding(scan, from, to);
	case WEFT_NAME_CONNECTION:
		weft_connection_options(scan, from, to);
		return 0;
	case WEFT_NAME_UPGRADE:
		scan->cursor->seen |= WEFT_SEEN_UPGRADE;
		return 0;
	case WEFT_NAME_EXPECT:
		if (weft_is_continue(scan->bytes, from, to))
			head->flags |= WEFT_HEAD_EXPECT;
		return 0;
	}
	return 0;
}

#endif
