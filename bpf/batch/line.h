/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads a line of the record format as this program writes it (runtime/record/write-record.ts): keys in
 * their order, no space between, texts of printable ASCII without escapes. Everything else, also what is
 * wrong, is left to the plain reader (runtime/record/parse-lines.ts), which says what is amiss.
 *
 * INVARIANT: a line that is taken here is a record to the plain reader too, and the same one.
 * The block is followed by 8 zeros, so that no text goes on behind it.
 */
#ifndef WEFT_BATCH_LINE_H
#define WEFT_BATCH_LINE_H

#include "batch.h"
#include "time.h"

/* A head that is longer is left to the plain reader; what JSON adds is more than what a head does. */
#define WEFT_LINE_MAX 7680

/* What a line says before its ends are looked up. */
struct weft_reader {
	const __u8 *at;
	const __u8 *from;
	const __u8 *to;
	const __u8 *bound; /* the object; 0 where there is none */
	__u32 from_length;
	__u32 to_length;
	__u32 bound_length;
	__u32 is_udp;
};

#define WEFT_EAT(reader, text) weft_eat(reader, (const __u8 *)text, sizeof(text) - 1)

/* Literals have 8 bytes behind them, since they are never the last of the module's data. */
static __always_inline int weft_eat(struct weft_reader *reader, const __u8 *text, __u32 length)
{
	const __u8 *at = reader->at;

	for (; length >= 8; length -= 8, text += 8, at += 8)
		if (weft_eight(at) != weft_eight(text))
			return 0;
	for (; length; length--, text++, at++)
		if (*at != *text)
			return 0;
	reader->at = at;
	return 1;
}

/* Bytes that end a text, or are none of it: quotes, escapes, those below `least`, those above 0x7e. */
static __always_inline __u64 weft_irregular(__u64 word, __u8 least)
{
	__u64 low = word & ~WEFT_HIGH;

	return (word | (~(low + WEFT_EACH(0x80 - least)) & WEFT_HIGH) | weft_equal(word, '"') |
		weft_equal(word, '\\') | weft_equal(word, 0x7f)) &
	       WEFT_HIGH;
}

/* Skips a text to its closing quote; 0 where it is irregular. */
static __always_inline int weft_skip_text(struct weft_reader *reader)
{
	const __u8 *at = reader->at;
	__u64 mask;

	while (!(mask = weft_irregular(weft_eight(at), 0x20)))
		at += 8;
	at += weft_first(mask);
	reader->at = at;
	return *at == '"';
}

/* Copies a text, with up to 8 bytes too many, and answers where it ends there; 0 where it is irregular. */
static __always_inline __u8 *weft_copy_text(struct weft_reader *reader, __u8 *to, __u8 least)
{
	const __u8 *at = reader->at;
	__u64 word, mask;
	__u32 rest;

	for (;;) {
		word = weft_eight(at);
		__builtin_memcpy(to, &word, 8);
		mask = weft_irregular(word, least);
		if (mask)
			break;
		at += 8;
		to += 8;
	}
	rest = weft_first(mask);
	reader->at = at + rest;
	return at[rest] == '"' ? to + rest : 0;
}

#define WEFT_PUT(to, text) (__builtin_memcpy(to, text, sizeof(text) - 1), to + sizeof(text) - 1)

/* A whole number below 2^32, as JSON writes it. */
static int weft_read_u32(struct weft_reader *reader, __u32 *value)
{
	const __u8 *at = reader->at;
	__u64 read = 0;
	__u32 digits = 0;

	while (weft_digit(*at) && digits < 11) {
		read = read * 10 + (*at++ - '0');
		digits++;
	}
	if (!digits || digits > 10 || read >> 32 || (digits > 1 && *reader->at == '0'))
		return 0;
	*value = read;
	reader->at = at;
	return 1;
}

static int weft_read_ends(struct weft_reader *reader)
{
	if (!WEFT_EAT(reader, "\"from\":\""))
		return 0;
	reader->from = reader->at;
	if (!weft_skip_text(reader))
		return 0;
	reader->from_length = reader->at - reader->from;
	if (!WEFT_EAT(reader, "\",\"to\":\""))
		return 0;
	reader->to = reader->at;
	if (!weft_skip_text(reader))
		return 0;
	reader->to_length = reader->at - reader->to;
	reader->at++;
	if (WEFT_EAT(reader, ",\"protocol\":\"udp\""))
		reader->is_udp = 1;
	else
		WEFT_EAT(reader, ",\"protocol\":\"tcp\"");
	return 1;
}

static int weft_read_bound(struct weft_reader *reader)
{
	if (!WEFT_EAT(reader, ",\"bound\":{"))
		return 1;
	reader->bound = reader->at - 1;
	if (WEFT_EAT(reader, "\"cluster\":\"") &&
	    (!weft_skip_text(reader) || !WEFT_EAT(reader, "\",")))
		return 0;
	if (!WEFT_EAT(reader, "\"endpoint\":\"") || !weft_skip_text(reader) ||
	    !WEFT_EAT(reader, "\"}"))
		return 0;
	reader->bound_length = reader->at - reader->bound;
	return 1;
}

/* `["name","value"],…]` as lines of a head. */
static __u8 *weft_read_headers(struct weft_reader *reader, __u8 *to)
{
	if (*reader->at == ']') {
		reader->at++;
		return to;
	}
	for (;;) {
		if (!WEFT_EAT(reader, "[\""))
			return 0;
		to = weft_copy_text(reader, to, 0x20);
		if (!to || !WEFT_EAT(reader, "\",\""))
			return 0;
		to = WEFT_PUT(to, ": ");
		to = weft_copy_text(reader, to, 0x20);
		if (!to || !WEFT_EAT(reader, "\"]"))
			return 0;
		to = WEFT_PUT(to, "\r\n");
		if (*reader->at == ',') {
			reader->at++;
			continue;
		}
		return *reader->at++ == ']' ? to : 0;
	}
}

static int weft_skip_texts(struct weft_reader *reader)
{
	if (*reader->at == ']') {
		reader->at++;
		return 1;
	}
	for (;;) {
		if (*reader->at++ != '"' || !weft_skip_text(reader))
			return 0;
		reader->at++;
		if (*reader->at == ',') {
			reader->at++;
			continue;
		}
		return *reader->at++ == ']';
	}
}

/* Bytes of `to` without its port, which is the host where no headers are given. */
static __u32 weft_host_length(const struct weft_reader *reader)
{
	__u32 length = reader->to_length;

	while (length && weft_digit(reader->to[length - 1]))
		length--;
	if (!length || length == reader->to_length || reader->to[length - 1] != ':')
		return reader->to_length;
	return length - 1;
}

/* The request as the head that is sent; 0 where it is irregular. */
static __u8 *weft_read_request(struct weft_reader *reader, __u8 *to)
{
	const __u8 *method = reader->at;
	__u8 *start = to;

	to = weft_copy_text(reader, to, 0x21);
	if (!to || to == start || reader->at == method || !WEFT_EAT(reader, "\",\"path\":\""))
		return 0;
	to = WEFT_PUT(to, " ");
	start = to;
	to = weft_copy_text(reader, to, 0x21);
	if (!to || to == start)
		return 0;
	reader->at++;
	if (WEFT_EAT(reader, ",\"version\":\"1.0\"")) {
		to = WEFT_PUT(to, " HTTP/1.0\r\n");
	} else {
		WEFT_EAT(reader, ",\"version\":\"1.1\"");
		to = WEFT_PUT(to, " HTTP/1.1\r\n");
	}
	if (WEFT_EAT(reader, ",\"headers\":[")) {
		to = weft_read_headers(reader, to);
		if (!to)
			return 0;
	} else {
		__u32 length = weft_host_length(reader);

		to = WEFT_PUT(to, "host: ");
		__builtin_memcpy(to, reader->to, length);
		to = WEFT_PUT(to + length, "\r\n");
	}
	if (WEFT_EAT(reader, ",\"redacted\":[") && !weft_skip_texts(reader))
		return 0;
	if (*reader->at++ != '}')
		return 0;
	return WEFT_PUT(to, "\r\n");
}

static int weft_skip_text_or_null(struct weft_reader *reader)
{
	if (WEFT_EAT(reader, "null"))
		return 1;
	if (*reader->at++ != '"' || !weft_skip_text(reader))
		return 0;
	reader->at++;
	return 1;
}

static int weft_skip_number_or_null(struct weft_reader *reader)
{
	__u32 number;

	return WEFT_EAT(reader, "null") || weft_read_u32(reader, &number);
}

static int weft_skip_plain_text(struct weft_reader *reader)
{
	return *reader->at == '"' && weft_skip_text_or_null(reader);
}

/* What was decided: it is read only where somebody asks for it. */
static int weft_skip_decided(struct weft_reader *reader)
{
	if (!WEFT_EAT(reader, "{\"verdict\":\"allow\"") && !WEFT_EAT(reader, "{\"verdict\":\"deny\""))
		return 0;
	if ((WEFT_EAT(reader, ",\"reason\":") && !weft_skip_plain_text(reader)) ||
	    (WEFT_EAT(reader, ",\"rule\":") && !weft_skip_plain_text(reader)) ||
	    (WEFT_EAT(reader, ",\"site\":") && !weft_skip_number_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"route\":") && !weft_skip_text_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"cluster\":") && !weft_skip_text_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"endpoint\":") && !weft_skip_text_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"status\":") && !weft_skip_number_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"bundle\":") && !weft_skip_text_or_null(reader)) ||
	    (WEFT_EAT(reader, ",\"node\":") && !weft_skip_plain_text(reader)) ||
	    (WEFT_EAT(reader, ",\"hook\":") && !weft_skip_plain_text(reader)))
		return 0;
	return *reader->at++ == '}';
}

/* SplitMix32, as runtime/simulate/draws.ts. */
static __u32 weft_draw(__u32 seed, __u32 number)
{
	__u32 z = seed + (number + 1) * 0x9e3779b9u;

	z = (z ^ z >> 16) * 0x85ebca6bu;
	z = (z ^ z >> 13) * 0xc2b2ae35u;
	return z ^ z >> 16;
}

/*
 * Reads the line at reader->at into a record, all but its ends. Answers where the record ends, 0 where
 * the line is for the plain reader.
 */
static __u8 *weft_read_line(struct weft_reader *reader, struct weft_record *record, __u32 seed,
			    __u32 line, __u64 usual_time)
{
	__u8 *end = record->request.bytes;

	record->now = usual_time;
	record->have = 0;
	record->is_refused = 0;
	reader->bound = 0;
	reader->bound_length = 0;
	reader->is_udp = 0;
	if (*reader->at++ != '{')
		return 0;
	if (WEFT_EAT(reader, "\"id\":\"") && (!weft_skip_text(reader) || !WEFT_EAT(reader, "\",")))
		return 0;
	if (WEFT_EAT(reader, "\"time\":\"")) {
		reader->at = weft_read_time(reader->at, &record->now);
		if (!reader->at || !WEFT_EAT(reader, "\","))
			return 0;
	}
	if (!weft_read_ends(reader))
		return 0;
	if (WEFT_EAT(reader, ",\"random\":")) {
		if (!weft_read_u32(reader, &record->random))
			return 0;
	} else {
		record->random = weft_draw(seed, 2 * (line - 1));
	}
	if (WEFT_EAT(reader, ",\"pick\":")) {
		if (!weft_read_u32(reader, &record->pick))
			return 0;
	} else {
		record->pick = weft_draw(seed, 2 * (line - 1) + 1);
	}
	if (!weft_read_bound(reader))
		return 0;
	if (WEFT_EAT(reader, ",\"request\":{\"method\":\"")) {
		end = weft_read_request(reader, end);
		if (!end)
			return 0;
		record->have = end - record->request.bytes;
	}
	if (WEFT_EAT(reader, ",\"decided\":") && !weft_skip_decided(reader))
		return 0;
	return *reader->at++ == '}' ? end : 0;
}

#endif
