// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The reply framer and the chunk walker as a WASM module for the slow path. It keeps nothing: the
 * caller writes windows and structs to the places that the module tells, and reads them there.
 */
#include "reply.h"

static __u8 window[WEFT_WINDOW_MAX + WEFT_WINDOW_SLACK];
static struct weft_reply reply;
static struct weft_asked asked;
static struct weft_chunk chunk;

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("window") __u8 *weft_module_window(void)
{
	return window;
}

EXPORT("reply") struct weft_reply *weft_module_reply(void)
{
	return &reply;
}

EXPORT("asked") struct weft_asked *weft_module_asked(void)
{
	return &asked;
}

EXPORT("chunk") struct weft_chunk *weft_module_chunk(void)
{
	return &chunk;
}

EXPORT("ask") int weft_module_ask(__u32 kinds)
{
	return weft_ask_reply(&asked, reply.done, kinds);
}

EXPORT("frame") int weft_module_frame(__u32 have, __u32 stream)
{
	return weft_frame_reply(window, have, stream, &asked, &reply);
}

EXPORT("end") int weft_module_end(void)
{
	return weft_end_replies(&reply);
}

EXPORT("walk") int weft_module_walk(__u32 have)
{
	return weft_walk_chunk(window, have, &chunk);
}
