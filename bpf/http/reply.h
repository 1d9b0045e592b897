/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The reply framer: where each reply on a connection ends (RFC 9112, 6.3), from a stream that is
 * looked at in windows, cut anywhere. Bodies are not looked at: the caller says how much of the
 * stream it has, and the framer takes of it what it can.
 *
 * One source for BPF, WASM and native code, without helper calls; its state is one struct without
 * pointers. Strict: test/differential/reply-stricter.md lists what is refused here and accepted by
 * llhttp.
 */
#ifndef WEFT_HTTP_REPLY_H
#define WEFT_HTTP_REPLY_H

#include "chunk.h"

/* Requests of one connection that wait for their reply. */
#define WEFT_ASKED_MAX 16

/* What of a request matters to the length of its reply. */
enum weft_asked_kind {
	WEFT_ASKED_HEAD = 1, /* no body */
	WEFT_ASKED_UPGRADE = 2, /* 101 ends HTTP */
	WEFT_ASKED_CONNECT = 4, /* 2xx ends HTTP */
};

/* The requests of a connection: four bits each, in a ring. Who sends requests writes it. */
struct weft_asked {
	__u64 kinds;
	__u32 count; /* of all requests that were sent; wraps */
	__u32 zero;
};

enum weft_reply_flag {
	WEFT_REPLY_HEAD = 1, /* of the final reply, has ended: what is below is known */
	WEFT_REPLY_LENGTH = 2, /* content_length was given */
	WEFT_REPLY_CHUNKED = 4,
	WEFT_REPLY_BODY = 8, /* it has a body, if perhaps an empty one */
	WEFT_REPLY_CLOSE = 16, /* it is the connection's last */
	WEFT_REPLY_INTERIM = 32, /* a 1xx came before it */
};

/*
 * The framer between two windows; it starts with zeros. `lines` has what the caller reads: at,
 * status, flags, reason, content_length. They hold of the last reply until the next one starts.
 */
struct weft_reply {
	struct weft_lines lines;
	__u64 left; /* bytes of a body or a chunk's data that were not taken yet */
	__u32 done; /* final replies that ended; wraps */
	__u32 head_length; /* of the final reply */
};

/* Notes a request before it is sent; 1 where as many wait as are counted. */
static __always_inline int weft_ask_reply(struct weft_asked *asked, __u32 done, __u64 kinds)
{
	__u32 shift = 4 * (asked->count % WEFT_ASKED_MAX);

	if (asked->count - done >= WEFT_ASKED_MAX)
		return 1;
	asked->kinds = (asked->kinds & ~(15ull << shift)) | kinds << shift;
	asked->count++;
	return 0;
}

struct weft_reply_scan {
	const __u8 *bytes;
	const struct weft_asked *asked;
	struct weft_reply *reply;
	__u32 stream;
};

/* The reply ended: what follows is another one, or nothing. */
static __always_inline int weft_reply_done(struct weft_reply *reply)
{
	struct weft_lines *lines = &reply->lines;

	reply->done++;
	lines->phase = lines->flags & WEFT_REPLY_CLOSE ? WEFT_FRAME_CLOSED : WEFT_FRAME_START;
	lines->event = WEFT_FRAME_DONE;
	return 1;
}

/* Nothing ends it but the connection. */
static __always_inline int weft_reply_opens(struct weft_reply *reply, __u32 phase, __u32 event)
{
	struct weft_lines *lines = &reply->lines;

	lines->flags |= WEFT_REPLY_CLOSE;
	lines->phase = phase;
	lines->event = event;
	return 1;
}

/* Does the connection persist after this reply? (RFC 9112, 9.3) */
static __always_inline int weft_reply_persists(const struct weft_lines *lines)
{
	return !(lines->seen & WEFT_LINE_SAYS_CLOSE) &&
	       (lines->seen & (WEFT_LINE_MINOR | WEFT_LINE_SAYS_KEEP_ALIVE));
}

/* The empty line after a head: what follows it, by the rules of RFC 9112, 6.3, in their order. */
static __always_inline int weft_reply_head_ends(struct weft_reply_scan *scan)
{
	struct weft_reply *reply = scan->reply;
	struct weft_lines *lines = &reply->lines;
	__u32 shift = 4 * (reply->done % WEFT_ASKED_MAX), status = lines->status;
	__u32 asked = scan->asked->kinds >> shift & 15, seen = lines->seen, length;

	if ((seen & WEFT_LINE_HAS_CODING) && !(seen & WEFT_LINE_MINOR))
		return weft_lines_refuse(lines, WEFT_FRAME_CODING_VERSION);
	if (status == 101 && !(asked & WEFT_ASKED_UPGRADE))
		return weft_lines_refuse(lines, WEFT_FRAME_SWITCH_UNASKED);
	length = lines->counted + lines->at;
	weft_lines_count_from(lines, lines->at);
	if (status < 200 && status != 101) {
		lines->phase = WEFT_FRAME_START;
		lines->flags |= WEFT_REPLY_INTERIM;
		return 0;
	}
	reply->head_length = length;
	lines->flags |= WEFT_REPLY_HEAD;
	if (seen & WEFT_LINE_HAS_LENGTH)
		lines->flags |= WEFT_REPLY_LENGTH;
	if (seen & WEFT_LINE_HAS_CODING)
		lines->flags |= WEFT_REPLY_CHUNKED;
	if (!weft_reply_persists(lines))
		lines->flags |= WEFT_REPLY_CLOSE;
	if (status == 101 || ((asked & WEFT_ASKED_CONNECT) && status < 300)) {
		reply->done++;
		return weft_reply_opens(reply, WEFT_FRAME_TUNNEL, WEFT_FRAME_TUNNELS);
	}
	if ((asked & WEFT_ASKED_HEAD) || status == 204 || status == 304)
		return weft_reply_done(reply);
	lines->flags |= WEFT_REPLY_BODY;
	if (seen & WEFT_LINE_HAS_CODING) {
		weft_chunk_begin(lines, lines->at);
		return 0;
	}
	if (!(seen & WEFT_LINE_HAS_LENGTH))
		return weft_reply_opens(reply, WEFT_FRAME_UNTIL_CLOSE, WEFT_FRAME_CLOSES);
	if (!lines->content_length)
		return weft_reply_done(reply);
	reply->left = lines->content_length;
	lines->phase = WEFT_FRAME_BODY;
	return 0;
}

/* The first byte of a status line is there. */
static __always_inline int weft_reply_starts(struct weft_reply_scan *scan)
{
	struct weft_reply *reply = scan->reply;
	struct weft_lines *lines = &reply->lines;

	if (scan->asked->count == reply->done)
		return weft_lines_refuse(lines, WEFT_FRAME_UNASKED);
	if (lines->flags & WEFT_REPLY_HEAD) /* of the reply before */
		lines->flags = 0;
	lines->seen = lines->status = 0;
	lines->content_length = 0;
	reply->head_length = 0;
	lines->phase = WEFT_FRAME_STATUS;
	weft_lines_count_from(lines, lines->at);
	weft_lines_token(lines);
	return 0;
}

/* `HTTP/1.1 200 ` at once. Takes it or declines. */
static __always_inline int weft_usual_status(const __u8 *bytes, struct weft_lines *lines)
{
	__u64 first, second, digits;

	if (lines->at + 13 > lines->have)
		return 0;
	first = weft_window_word(bytes, lines->at) ^ 0x302e312f50545448ull; /* HTTP/1.0 */
	second = weft_window_word(bytes, lines->at + 8) ^ 0x2030303020ull; /*  000  */
	digits = second >> 8 & 0xffffff;
	if (first & ~(1ull << 56) || (second & 0xff000000ffull) ||
	    ((digits | (digits + 0x060606)) & 0xf0f0f0) || !(digits & 0xff))
		return 0;
	lines->seen |= first ? WEFT_LINE_MINOR : 0;
	lines->status = (digits & 15) * 100 + (digits >> 8 & 15) * 10 + (digits >> 16 & 15);
	lines->phase = WEFT_FRAME_VALUE;
	lines->field = WEFT_LINE_PLAIN;
	lines->at += 13;
	return 1;
}

/*
 * A byte of `HTTP/1.x NNN`, by its number, and of what follows (RFC 9112, 4): the reason is a value
 * to which no rule looks. The space before an absent reason may be missing, as some servers have it.
 */
static __always_inline int weft_reply_status(struct weft_lines *lines, __u32 byte)
{
	__u32 number = lines->length, digit = byte - '0';

	if (number < 7 ? byte != (0x2e312f50545448ull >> (8 * number & 63) & 0xff) :
	    number == 7 ? digit > 1 :
	    number == 8 ? byte != ' ' :
	    number == 9 ? digit - 1 > 8 :
	    number < 12 ? digit > 9 :
			  byte != ' ' && byte != '\r')
		return weft_lines_refuse(lines, WEFT_FRAME_STATUS_LINE);
	if (number == 7 && digit)
		lines->seen |= WEFT_LINE_MINOR;
	if (number > 8 && number < 12)
		lines->status = lines->status * 10 + digit;
	if (number == 12) {
		lines->field = WEFT_LINE_PLAIN;
		lines->phase = byte == ' ' ? WEFT_FRAME_VALUE : WEFT_FRAME_VALUE_LF;
	}
	lines->length = number + 1;
	lines->at++;
	return 0;
}

/* Takes of a body what has come, by arithmetic. */
static __always_inline int weft_reply_skip(struct weft_reply *reply, __u32 stream)
{
	struct weft_lines *lines = &reply->lines;
	__u32 take = stream - lines->at;

	if (take > reply->left)
		take = reply->left;
	reply->left -= take;
	lines->at += take;
	if (reply->left) {
		lines->event = WEFT_FRAME_MORE;
		return 1;
	}
	if (lines->phase == WEFT_FRAME_BODY) {
		weft_lines_count_from(lines, lines->at);
		return weft_reply_done(reply);
	}
	lines->phase = WEFT_FRAME_DATA_CR;
	return 0;
}

static __attribute__((unused)) long weft_reply_step(__u32 index, void *context)
{
	struct weft_reply_scan *scan = context;
	struct weft_reply *reply = scan->reply;
	struct weft_lines *lines = &reply->lines;
	int stop;

	if (lines->phase == WEFT_FRAME_BODY || lines->phase == WEFT_FRAME_DATA)
		return weft_reply_skip(reply, scan->stream);
	if (lines->at >= lines->have)
		return weft_lines_more(lines);
	if (lines->phase == WEFT_FRAME_START) {
		if (weft_reply_starts(scan))
			return 1;
		if (weft_usual_status(scan->bytes, lines))
			return 0;
	}
	if (lines->phase == WEFT_FRAME_STATUS)
		return weft_reply_status(lines, weft_window_byte(scan->bytes, lines->at));
	if (lines->phase >= WEFT_FRAME_LINE && !(lines->seen & WEFT_LINE_TRAILERS)) {
		stop = weft_line_step(scan->bytes, lines);
		return stop == 2 ? weft_reply_head_ends(scan) : stop;
	}
	stop = weft_chunk_step(scan->bytes, lines);
	if (stop == WEFT_FRAME_CHUNK) {
		reply->left = lines->low;
		lines->phase = WEFT_FRAME_DATA;
		return 0;
	}
	if (stop == WEFT_FRAME_LAST) {
		weft_lines_count_from(lines, lines->at);
		return weft_reply_done(reply);
	}
	return stop;
}

/*
 * Takes of a stream of which `stream` bytes have come and the first `have` stand in a window; `have`
 * may be 0 while reply->left is not. reply->lines.at is how many were taken, perhaps more than
 * `have`. Returns
 *   WEFT_FRAME_MORE     nothing ended; what was not taken is looked at in a window that starts there;
 *   WEFT_FRAME_DONE     a final reply ended there;
 *   WEFT_FRAME_TUNNELS  101, or 2xx to CONNECT: what follows is no HTTP;
 *   WEFT_FRAME_CLOSES   what follows is body until the connection ends;
 *   WEFT_FRAME_REFUSED  reply->lines.reason says why; the connection is of no more use.
 * The last three are told once where they begin and then of all that comes. Of the reply that is
 * under way WEFT_REPLY_HEAD says whether status, head_length and content_length are known.
 */
static __always_inline int weft_frame_reply(const __u8 *bytes, __u32 have, __u32 stream,
					    const struct weft_asked *asked,
					    struct weft_reply *reply)
{
	struct weft_reply_scan scan = {
		.bytes = bytes,
		.asked = asked,
		.reply = reply,
		.stream = stream,
	};
	struct weft_lines *lines = &reply->lines;

	if (have > stream)
		have = stream;
	lines->at = 0;
	lines->have = have < WEFT_WINDOW_MAX ? have : WEFT_WINDOW_MAX;
	lines->event = WEFT_FRAME_MORE;
	switch (lines->phase) {
	case WEFT_FRAME_TUNNEL:
	case WEFT_FRAME_UNTIL_CLOSE:
		lines->at = stream;
		return lines->phase == WEFT_FRAME_TUNNEL ? WEFT_FRAME_TUNNELS : WEFT_FRAME_CLOSES;
	case WEFT_FRAME_CLOSED:
		if (stream)
			weft_lines_refuse(lines, WEFT_FRAME_AFTER_CLOSE);
		return lines->event;
	case WEFT_FRAME_BROKEN:
		return WEFT_FRAME_REFUSED;
	}
	WEFT_LOOP(WEFT_WINDOW_STEPS, weft_reply_step, &scan);
	lines->counted += lines->at;
	return lines->event;
}

/* The stream ended: WEFT_FRAME_MORE between replies, WEFT_FRAME_REFUSED within one. */
static __always_inline int weft_end_replies(struct weft_reply *reply)
{
	switch (reply->lines.phase) {
	case WEFT_FRAME_UNTIL_CLOSE:
		return weft_reply_done(reply) ? WEFT_FRAME_DONE : WEFT_FRAME_MORE;
	case WEFT_FRAME_START:
		return reply->lines.flags & WEFT_REPLY_INTERIM &&
				       !(reply->lines.flags & WEFT_REPLY_HEAD) ?
			       WEFT_FRAME_REFUSED :
			       WEFT_FRAME_MORE;
	case WEFT_FRAME_CLOSED:
	case WEFT_FRAME_TUNNEL:
		return WEFT_FRAME_MORE;
	}
	return WEFT_FRAME_REFUSED;
}

#endif
