// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The head parser as a WASM module for the simulator and the slow path. One head at a time: the
 * caller writes bytes and names to the places that the module tells, and reads the result there.
 */
#include "head.h"

static __u8 bytes[WEFT_HEAD_MAX + WEFT_HEAD_SLACK];
static struct weft_names names;
static struct weft_head head;
static struct weft_cursor cursor;

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("bytes") __u8 *weft_module_bytes(void)
{
	return bytes;
}

EXPORT("names") struct weft_names *weft_module_names(void)
{
	return &names;
}

EXPORT("head") struct weft_head *weft_module_head(void)
{
	return &head;
}

/* Forgets a head that has not all arrived. */
EXPORT("start") void weft_module_start(void)
{
	cursor.phase = WEFT_SCAN_START;
}

EXPORT("parse") int weft_module_parse(__u32 have)
{
	return weft_parse_head(bytes, have, &names, &head, &cursor);
}
