/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the C peers of test/bench/quality share. Slots of attributes and symbols of texts come from the
 * bundle's manifest as macros (SOURCE_namespace, TEXT_prod), so that both sides judge the same structs.
 */
#ifndef QUALITY_H
#define QUALITY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "abi.h"

/* Every written answer has a number of its own, as the compiler gives them. */
#define ALLOW ((__COUNTER__ + 1) << 8 | 1)
#define DENY ((__COUNTER__ + 1) << 8 | 2)
#define PASS ((__COUNTER__ + 1) << 8 | 3)
#define AUDIT ((__COUNTER__ + 1) << 8 | 4)
#define ROUTE(number) ((__COUNTER__ + 1) << 16 | (number))

#define SOURCE(name) (c->source.attributes[SOURCE_##name])
#define DESTINATION(name) (c->destination.attributes[DESTINATION_##name])
#define IS(attribute, text) ((attribute) == TEXT_##text)
#define WORD(side, n) bpf_ntohl(c->side.address.word[n])

/* Functions are global, as policies are: the verifier checks them once, with any argument. */
#define GLOBAL __attribute__((noinline))
#define AUTHORIZE                                               \
	static __always_inline int judge(const struct weft_connection *c); \
	GLOBAL int p0_authorize(const struct weft_connection *c) \
	{                                                       \
		return c ? judge(c) : 0;                        \
	}                                                       \
	static __always_inline int judge(const struct weft_connection *c)
#define CHOOSE                                                  \
	static __always_inline int choose(const struct weft_connection *c); \
	GLOBAL int p0_route(const struct weft_connection *c)    \
	{                                                       \
		return c ? choose(c) : 0;                       \
	}                                                       \
	static __always_inline int choose(const struct weft_connection *c)

char weft_license[] SEC("license") = "Dual BSD/GPL";

#endif
