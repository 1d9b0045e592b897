/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The HTTP/1.1 request head parser: one source for BPF, WASM and native code, without helper calls
 * (loops go through WEFT_LOOP). Twin of compiler/abi/head.ts.
 *
 * The caller appends what arrives to one buffer and parses after each piece; the cursor keeps where
 * to go on, so that a head costs the same in however many pieces it comes. The answer is
 * `incomplete`, a refusal (given as soon as its bytes are there), or the parsed head.
 * A view is `offset << 16 | length` into the head, 0 where absent. Offset 0 is the method, so an
 * empty view that is present has an offset.
 *
 * INVARIANT: the path is normalised in place, and only in a head that is whole and accepted; the
 * same buffer is never parsed again after status 0. `path` then is shorter than what was sent,
 * the bytes between its end and the query are stale, and so is `target` (WEFT_HEAD_NORMALISED).
 * What goes to the server is the message, not this copy.
 *
 * Strict where messages are smuggled: test/differential/head-stricter.md lists what is refused here
 * and accepted by llhttp.
 */
#ifndef WEFT_HTTP_HEAD_H
#define WEFT_HTTP_HEAD_H

#include "word.h"

#ifndef WEFT_HEAD_MAX
#define WEFT_HEAD_MAX 8192 /* a power of two: offsets are masked with it */
/* A buffer has this much more, so that a word can be read at any offset of a head. */
#define WEFT_HEAD_SLACK 8
#endif
#ifndef WEFT_HEADER_SLOTS
#define WEFT_HEADER_SLOTS 16
#endif
#define WEFT_METHOD_MAX 32
#define WEFT_NAME_MAX 64
/* WEFT_HEADER_SLOTS and the names that frame a message; a power of two, as a mask. */
#define WEFT_NAME_ENTRIES 32
#define WEFT_NAME_BUCKETS 256

enum weft_head_status {
	WEFT_HEAD_OK = 0,
	WEFT_HEAD_INCOMPLETE = 1, /* above: the status of the refusal */
};

enum weft_head_flag {
	WEFT_HEAD_KEEP_ALIVE = 1, /* the connection persists after this exchange */
	WEFT_HEAD_CHUNKED = 2,
	WEFT_HEAD_LENGTH = 4, /* content_length was given */
	WEFT_HEAD_EXPECT = 8, /* Expect: 100-continue */
	WEFT_HEAD_UPGRADE = 16, /* CONNECT, or Upgrade that Connection names */
	WEFT_HEAD_CLOSE = 32, /* Connection: close */
	WEFT_HEAD_NORMALISED = 64, /* the path is not what was sent */
};

/* Which rule refused. */
enum weft_head_reason {
	WEFT_HEAD_ACCEPTED = 0,
	WEFT_HEAD_TOO_LARGE = 1, /* 431 */
	WEFT_HEAD_EMPTY_LINE = 2, /* before the request line */
	WEFT_HEAD_METHOD = 3,
	WEFT_HEAD_METHOD_LONG = 4, /* 501 */
	WEFT_HEAD_TARGET_CHARACTER = 5,
	WEFT_HEAD_TARGET_FORM = 6,
	WEFT_HEAD_TARGET_FRAGMENT = 7,
	WEFT_HEAD_VERSION = 8,
	WEFT_HEAD_VERSION_UNSUPPORTED = 9, /* 505 */
	WEFT_HEAD_BARE_CR = 10,
	WEFT_HEAD_BARE_LF = 11,
	WEFT_HEAD_FOLD = 12, /* a line that starts with white space */
	WEFT_HEAD_NAME_EMPTY = 13,
	WEFT_HEAD_NAME_SPACE = 14, /* before the colon */
	WEFT_HEAD_NAME_CHARACTER = 15,
	WEFT_HEAD_NO_COLON = 16,
	WEFT_HEAD_VALUE_CONTROL = 17,
	WEFT_HEAD_HOST_MISSING = 18,
	WEFT_HEAD_HOST_REPEATED = 19,
	WEFT_HEAD_HOST_CHARACTER = 20,
	WEFT_HEAD_HOST_DIFFERS = 21, /* from the target's authority */
	WEFT_HEAD_LENGTH_REPEATED = 22,
	WEFT_HEAD_LENGTH_INVALID = 23,
	WEFT_HEAD_LENGTH_OVERFLOW = 24, /* more than 16 digits */
	WEFT_HEAD_LENGTH_WITH_CODING = 25,
	WEFT_HEAD_CODING_REPEATED = 26,
	WEFT_HEAD_CODING_NOT_LAST = 27, /* chunked is not the last coding */
	WEFT_HEAD_CODING_UNKNOWN = 28, /* 501 */
	WEFT_HEAD_CODING_VERSION = 29, /* in HTTP/1.0 */
	WEFT_HEAD_PATH_NUL = 30, /* %00 */
};

/* What a name means to the parser itself. */
enum weft_name_kind {
	WEFT_NAME_PLAIN = 0,
	WEFT_NAME_HOST = 1,
	WEFT_NAME_LENGTH = 2,
	WEFT_NAME_CODING = 3,
	WEFT_NAME_CONNECTION = 4,
	WEFT_NAME_UPGRADE = 5,
	WEFT_NAME_EXPECT = 6,
};

/* A header name, every byte of it ORed with 0x20, zeros after it. No name has `^` or `~`. */
struct weft_name_entry {
	__u64 words[WEFT_NAME_MAX / 8];
	__u32 length;
	__u16 kind;
	__u16 slot; /* from 1; 0: no policy looks at it */
};

/* The names of a bundle, with a seed by which no two share a bucket. */
struct weft_names {
	__u64 seed;
	__u8 buckets[WEFT_NAME_BUCKETS]; /* entry from 1; 0: none */
	struct weft_name_entry entries[WEFT_NAME_ENTRIES];
};

/* What the loop inside a loop keeps. */
struct weft_inner {
	__u64 low; /* the first 16 bytes of a token, as in a name entry */
	__u64 high;
	__u32 from;
	__u32 to;
	__u32 length;
	__u32 gap; /* white space after a token */
	__u32 found;
	__u32 root; /* of the path: its first slash */
	__u32 out; /* where its next byte is written */
	__u32 segment; /* after the last slash that was written */
	__u32 back; /* a `..` was read: `out` goes back to the slash before it */
	__u32 changed;
};

/* Where the parser stands in a head that has not all arrived, and its working memory. */
struct weft_cursor {
	__u64 hash;
	__u32 have;
	__u32 status;
	__u32 at;
	__u32 phase;
	__u32 start; /* of the target, or of the name */
	__u32 value;
	__u32 query; /* offset of the `?`; 0: none yet */
	__u32 entry; /* from 1: what the name is; 0: no matter */
	__u32 seen;
	__u32 zero;
	struct weft_inner inner;
};

#ifndef WEFT_HEAD_DEFINED /* bpf/abi.h has the same */
#define WEFT_HEAD_DEFINED
struct weft_head {
	__u16 length; /* with the empty line that ends it */
	__u16 status;
	__u8 minor;
	__u8 flags;
	__u16 reason;
	__u32 method;
	__u32 target;
	__u32 path; /* normalised; absent in CONNECT */
	__u32 query; /* after the `?` */
	__u32 host; /* the target's authority where it has one */
	__u32 headers[WEFT_HEADER_SLOTS]; /* the first of that name */
	__u16 repeated; /* bit per slot: a view cannot join several values */
	__u16 offset; /* where the rule refused */
	__u64 content_length;
};
#endif

#include "scan.h"

/*
 * Parses the first `have` bytes of a buffer of WEFT_HEAD_MAX + WEFT_HEAD_SLACK bytes; writes *head
 * completely, but on WEFT_HEAD_INCOMPLETE and refusals only status, reason and offset mean
 * anything. A head starts with cursor->phase 0, which every answer but WEFT_HEAD_INCOMPLETE leaves;
 * after that one, buffer, head and cursor are kept for the next call. In BPF all of them lie in
 * values of maps. Returns head->status.
 */
static __always_inline int weft_parse_head(__u8 *bytes, __u32 have, const struct weft_names *names,
					   struct weft_head *head, struct weft_cursor *cursor)
{
	struct weft_scan scan = {
		.bytes = bytes,
		.names = names,
		.head = head,
		.cursor = cursor,
	};

	if (cursor->phase == WEFT_SCAN_START) {
		__builtin_memset(head, 0, sizeof(*head));
		__builtin_memset(cursor, 0, sizeof(*cursor));
	}
	cursor->have = have < WEFT_HEAD_MAX ? have : WEFT_HEAD_MAX;
	cursor->status = WEFT_SCAN_GOES_ON;
	if (cursor->phase != WEFT_SCAN_START || !weft_scan_method(&scan))
		WEFT_LOOP(WEFT_HEAD_MAX + 1, weft_scan_step, &scan);
	if (cursor->status == WEFT_HEAD_OK)
		weft_finish(&scan);
	else if (cursor->status == WEFT_HEAD_INCOMPLETE && cursor->have >= WEFT_HEAD_MAX)
		weft_refuse(&scan, WEFT_HEAD_TOO_LARGE, WEFT_HEAD_MAX);
	if (cursor->status != WEFT_HEAD_INCOMPLETE)
		cursor->phase = WEFT_SCAN_START;
	head->status = cursor->status;
	return head->status;
}

#endif
