// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libFuzzer target of the head parser: the header that the kernel runs, with AddressSanitizer.
 * The first byte of an input says where the rest is cut in two; the rest is what arrives. Beyond
 * memory faults it checks what holds for every input: bytes that have not arrived do not matter,
 * pieces do not matter, views lie in the head, and an accepted head has no byte or path that the
 * rules exclude.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"

#define CHECK(condition)         \
	do {                     \
		if (!(condition)) \
			abort(); \
	} while (0)

static struct weft_names names;
static const char *const NAMES[] = {"host",	  "content-length", "transfer-encoding",
				    "connection", "upgrade",	    "expect",
				    "x-team",	  "cookie",	    "a"};

static int add(size_t index)
{
	struct weft_name_entry *entry = &names.entries[index];
	size_t length = strlen(NAMES[index]);
	__u64 hash = names.seed;
	__u8 *bucket;

	memset(entry, 0, sizeof(*entry));
	for (size_t i = 0; i < length; i++)
		((__u8 *)entry->words)[i] = NAMES[index][i] | 0x20;
	for (size_t i = 0; i < length; i += 8)
		hash = (hash ^ entry->words[i / 8]) * WEFT_HASH_FACTOR;
	entry->length = length;
	entry->kind = index < 6 ? index + 1 : WEFT_NAME_PLAIN;
	entry->slot = index < 5 ? 0 : index - 4;
	bucket = &names.buckets[hash >> 56];
	if (*bucket)
		return 0;
	*bucket = index + 1;
	return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t index;

	do {
		names.seed++;
		memset(names.buckets, 0, sizeof(names.buckets));
		for (index = 0; index < sizeof(NAMES) / sizeof(*NAMES) && add(index); index++)
			;
	} while (index < sizeof(NAMES) / sizeof(*NAMES));
	return 0;
}

static void check_view(const struct weft_head *head, __u32 view)
{
	if (view)
		CHECK((view >> 16) + (view & 0xffff) <= head->length);
}

static void check_path(const __u8 *bytes, __u32 view)
{
	const __u8 *path = bytes + (view >> 16);
	size_t length = view & 0xffff, segment = 1;

	CHECK(length > 0);
	if (length == 1 && path[0] == '*')
		return;
	CHECK(path[0] == '/');
	for (size_t i = 1; i <= length; i++) {
		if (i < length && path[i] != '/') {
			CHECK(path[i] > ' ' && path[i] < 0x7f && path[i] != '\\' && path[i] != '?' &&
			      path[i] != '#');
			continue;
		}
		CHECK(!(i - segment == 1 && path[segment] == '.'));
		CHECK(!(i - segment == 2 && path[segment] == '.' && path[segment + 1] == '.'));
		segment = i + 1;
	}
}

/* `sent` is the head as it came: its path may have become shorter in `bytes`. */
static void check_accepted(const __u8 *sent, const __u8 *bytes, const struct weft_head *head)
{
	CHECK(head->length >= 16 && memcmp(sent + head->length - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i < head->length; i++) {
		CHECK((sent[i] >= ' ' && sent[i] != 0x7f) || sent[i] == '\t' || sent[i] == '\r' ||
		      sent[i] == '\n');
		CHECK(sent[i] != '\n' || (i > 0 && sent[i - 1] == '\r'));
		CHECK(sent[i] != '\r' || sent[i + 1] == '\n');
	}
	check_view(head, head->method);
	check_view(head, head->target);
	check_view(head, head->path);
	check_view(head, head->query);
	check_view(head, head->host);
	for (size_t i = 0; i < WEFT_HEADER_SLOTS; i++)
		check_view(head, head->headers[i]);
	CHECK(head->method && head->method >> 16 == 0 && head->target);
	CHECK((head->flags & (WEFT_HEAD_LENGTH | WEFT_HEAD_CHUNKED)) !=
	      (WEFT_HEAD_LENGTH | WEFT_HEAD_CHUNKED));
	CHECK(head->minor == 0 || head->host);
	if (head->path)
		check_path(bytes, head->path);
	else
		CHECK((head->method & 0xffff) == 7 && memcmp(sent, "CONNECT", 7) == 0);
}

struct run {
	struct weft_head head;
	struct weft_cursor cursor;
	__u8 *bytes;
};

static void start(struct run *run, __u8 fill)
{
	memset(run, fill, sizeof(*run));
	run->cursor.phase = 0;
	/* Of its own, so that one byte too far is a fault. */
	run->bytes = malloc(WEFT_HEAD_MAX + WEFT_HEAD_SLACK);
	CHECK(run->bytes);
	memset(run->bytes, fill, WEFT_HEAD_MAX + WEFT_HEAD_SLACK);
}

static int give(struct run *run, const __u8 *data, size_t have)
{
	memcpy(run->bytes, data, have);
	return weft_parse_head(run->bytes, have, &names, &run->head, &run->cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, pieces;
	size_t have, cut;
	int status;

	if (size < 1)
		return 0;
	have = size - 1 < WEFT_HEAD_MAX ? size - 1 : WEFT_HEAD_MAX;
	cut = have ? data[0] * have / 256 : 0;
	data++;
	start(&whole, 0);
	start(&pieces, ':');
	status = give(&whole, data, have);
	CHECK(status != WEFT_HEAD_INCOMPLETE || have < WEFT_HEAD_MAX);
	if (give(&pieces, data, cut) == WEFT_HEAD_INCOMPLETE && cut < have)
		give(&pieces, data, have);
	CHECK(pieces.head.status == status);
	if (status == WEFT_HEAD_INCOMPLETE)
		goto done;
	CHECK(pieces.head.reason == whole.head.reason && pieces.head.offset == whole.head.offset);
	if (status == WEFT_HEAD_OK) {
		CHECK(memcmp(&pieces.head, &whole.head, sizeof(whole.head)) == 0);
		CHECK(memcmp(pieces.bytes, whole.bytes, whole.head.length) == 0);
		check_accepted(data, whole.bytes, &whole.head);
	} else {
		CHECK(status == 400 || status == 431 || status == 501 || status == 505);
		CHECK(whole.head.reason > 0 && whole.head.reason <= WEFT_HEAD_PATH_NUL);
	}
done:
	free(whole.bytes);
	free(pieces.bytes);
	return 0;
}
