/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What policies ask: the functions of the ABI (compiler/abi/imports.ts) over the current record, as
 * runtime/simulate/host.ts and host-views.ts answer them. What is not here is answered there.
 */
#ifndef WEFT_BATCH_ANSWERS_H
#define WEFT_BATCH_ANSWERS_H

#include "batch.h"

/* Makes a literal known by calling weft_batch_text. */
WEFT_IMPORT("learn_text") void weft_learn_text(__u32 policy, __u32 slot, __u32 address);
WEFT_IMPORT("learn_pattern") void weft_learn_pattern(__u32 policy, __u32 slot);
WEFT_IMPORT("predicate") int weft_learn_predicate(__u32 policy, __u32 kind, __u32 symbol,
						  __u32 text);

static struct weft_text *weft_text_of(__u32 address)
{
	struct weft_policy *policy = weft_asked;
	__u32 slot = (address >> 2) & (WEFT_TEXTS - 1);

	if (!address)
		__builtin_trap();
	while (policy->texts[slot].address != address) {
		if (!policy->texts[slot].address) {
			if (policy->texts_known >= WEFT_TEXTS_MAX)
				__builtin_trap();
			policy->texts_known++;
			weft_learn_text(policy - weft_policies, slot, address);
			policy->texts[slot].address = address;
			break;
		}
		slot = (slot + 1) & (WEFT_TEXTS - 1);
	}
	return &policy->texts[slot];
}

static __always_inline const struct weft_party *weft_party_of(__u32 side)
{
	return side ? &weft_current->request.connection.destination :
		      &weft_current->request.connection.source;
}

WEFT_EXPORT("destination_port") __u32 weft_answer_destination_port(void)
{
	return weft_current->request.connection.destination_port;
}

WEFT_EXPORT("protocol") __u32 weft_answer_protocol(void)
{
	return weft_current->request.connection.protocol;
}

WEFT_EXPORT("family") __u32 weft_answer_family(void)
{
	return weft_current->request.connection.family;
}

WEFT_EXPORT("random") __u32 weft_answer_random(void)
{
	return weft_current->request.connection.random;
}

WEFT_EXPORT("now") __u64 weft_answer_now(void)
{
	return weft_current->request.connection.now;
}

WEFT_EXPORT("address_word") __u32 weft_answer_address_word(__u32 side, __u32 word)
{
	return __builtin_bswap32(weft_party_of(side)->address.word[word & 3]);
}

static __always_inline __u32 weft_slot_of(__u32 side, __s32 slot)
{
	return slot < 0 ? 0 : weft_party_of(side)->attributes[slot];
}

WEFT_EXPORT("attribute") __u32 weft_answer_attribute(__u32 side, __u32 kind)
{
	return side > 1 || kind > 15 ? 0 : weft_slot_of(side, weft_kinds[side][kind]);
}

WEFT_EXPORT("label") __u32 weft_answer_label(__u32 side, __u32 text)
{
	return side > 1 ? 0 : weft_slot_of(side, weft_text_of(text)->labels[side]);
}

WEFT_EXPORT("symbol") __u32 weft_answer_symbol(__u32 text)
{
	return weft_text_of(text)->symbol;
}

/* Absent and every number that a text has; what is asked is kept. */
static int weft_predicate_of(__u32 kind, __u32 symbol, __u32 text)
{
	__u32 policy = weft_asked - weft_policies;
	__u32 owner = policy << 2 | kind;
	__u32 slot = (symbol * 0x9e3779b1u ^ text * 0x85ebca6bu ^ owner) & (WEFT_PREDICATES - 1);
	struct weft_predicate *known;
	__u32 tries;

	for (tries = 0; tries < 8; tries++) {
		known = &weft_predicates[(slot + tries) & (WEFT_PREDICATES - 1)];
		if (!known->text)
			break;
		if (known->symbol == symbol && known->text == text &&
		    known->policy_and_kind == owner)
			return known->holds;
	}
	known->holds = weft_learn_predicate(policy, kind, symbol, text);
	known->symbol = symbol;
	known->text = text;
	known->policy_and_kind = owner;
	return known->holds;
}

WEFT_EXPORT("text_starts_with") int weft_answer_text_starts_with(__u32 symbol, __u32 text)
{
	return weft_predicate_of(0, symbol, text);
}

WEFT_EXPORT("text_ends_with") int weft_answer_text_ends_with(__u32 symbol, __u32 text)
{
	return weft_predicate_of(1, symbol, text);
}

WEFT_EXPORT("text_contains") int weft_answer_text_contains(__u32 symbol, __u32 text)
{
	return weft_predicate_of(2, symbol, text);
}

WEFT_EXPORT("request_view") __u32 weft_answer_request_view(__u32 kind)
{
	const struct weft_head *head = &weft_current->request.head;

	switch (kind) {
	case 0:
		return head->method;
	case 1:
		return head->target;
	case 2:
		return head->path;
	case 3:
		return head->query;
	case 4:
		return head->host;
	}
	__builtin_trap();
}

WEFT_EXPORT("request_header") __u32 weft_answer_request_header(__u32 name)
{
	const struct weft_head *head = &weft_current->request.head;
	__s32 slot = weft_text_of(name)->header;

	if (slot < 0)
		return 0;
	if (head->repeated & 1u << slot)
		__builtin_trap();
	return head->headers[slot];
}

/* The bytes at an offset of the head; behind it only the plain way knows what stands. */
static __always_inline const __u8 *weft_bytes(__u32 at, __u32 length)
{
	if (at + length > weft_current->have)
		__builtin_trap();
	return weft_current->request.bytes + at;
}

static __always_inline __u8 weft_lower(__u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static __always_inline int weft_stands(const __u8 *text, __u32 length, __u32 at, int fold)
{
	const __u8 *bytes;

	if (!length)
		return 1;
	bytes = weft_bytes(at, length);
	if (!fold)
		return weft_same(bytes, text, length);
	for (__u32 i = 0; i < length; i++)
		if (weft_lower(bytes[i]) != weft_lower(text[i]))
			return 0;
	return 1;
}

static __always_inline int weft_is(__u32 view, __u32 address, int fold)
{
	const struct weft_text *text = weft_text_of(address);

	return view && (view & 0xffff) == text->length &&
	       weft_stands(text->bytes, text->length, view >> 16, fold);
}

static __always_inline int weft_starts(__u32 view, __u32 address, int fold)
{
	const struct weft_text *text = weft_text_of(address);

	return view && (view & 0xffff) >= text->length &&
	       weft_stands(text->bytes, text->length, view >> 16, fold);
}

static __always_inline int weft_ends_with(__u32 view, __u32 address, int fold)
{
	const struct weft_text *text = weft_text_of(address);

	return view && (view & 0xffff) >= text->length &&
	       weft_stands(text->bytes, text->length, (view >> 16) + (view & 0xffff) - text->length,
			   fold);
}

WEFT_EXPORT("view_is") int weft_answer_view_is(__u32 view, __u32 text)
{
	return weft_is(view, text, 0);
}

WEFT_EXPORT("view_is_ignoring_case") int weft_answer_view_is_ignoring_case(__u32 view, __u32 text)
{
	return weft_is(view, text, 1);
}

WEFT_EXPORT("view_starts_with") int weft_answer_view_starts_with(__u32 view, __u32 text)
{
	return weft_starts(view, text, 0);
}

WEFT_EXPORT("view_starts_with_ignoring_case")
int weft_answer_view_starts_with_ignoring_case(__u32 view, __u32 text)
{
	return weft_starts(view, text, 1);
}

WEFT_EXPORT("view_ends_with") int weft_answer_view_ends_with(__u32 view, __u32 text)
{
	return weft_ends_with(view, text, 0);
}

WEFT_EXPORT("view_ends_with_ignoring_case")
int weft_answer_view_ends_with_ignoring_case(__u32 view, __u32 text)
{
	return weft_ends_with(view, text, 1);
}

WEFT_EXPORT("view_byte") __s32 weft_answer_view_byte(__u32 view, __u32 index)
{
	if (index >= (view & 0xffff))
		return -1;
	return *weft_bytes((view >> 16) + index, 1);
}

WEFT_EXPORT("view_find") __u32 weft_answer_view_find(__u32 view, __u32 byte)
{
	__u32 length = view & 0xffff;
	const __u8 *bytes = weft_bytes(view >> 16, length);

	for (__u32 i = 0; i < length; i++)
		if (bytes[i] == (byte & 0xff))
			return i;
	return length;
}

enum weft_step { WEFT_STEP_LITERAL = 1, WEFT_STEP_ELEMENT, WEFT_STEP_REST, WEFT_STEP_END };

/* Steps are a byte each; after that of a literal its length, two bytes, and the literal. */
static int weft_fits(const __u8 *step, __u32 view)
{
	for (;;) {
		__u32 at = view >> 16, length = view & 0xffff, count = 0, size;

		if (!view)
			return 0;
		switch (*step++) {
		case WEFT_STEP_END:
			return !length;
		case WEFT_STEP_REST:
			return !length || *weft_bytes(at, 1) == '/';
		case WEFT_STEP_ELEMENT:
			count = weft_answer_view_find(view, '/');
			break;
		case WEFT_STEP_LITERAL:
			size = step[0] | step[1] << 8;
			if (length >= size && weft_stands(step + 2, size, at, 0))
				count = size;
			step += 2 + size;
			break;
		default:
			__builtin_trap();
		}
		if (!count)
			return 0;
		view += (count << 16) - count;
	}
}

WEFT_EXPORT("view_matches") int weft_answer_view_matches(__u32 view, __u32 address)
{
	struct weft_text *text = weft_text_of(address);

	if (!text->pattern)
		weft_learn_pattern(weft_asked - weft_policies, text - weft_asked->texts);
	return weft_fits(text->pattern, view);
}

#endif
