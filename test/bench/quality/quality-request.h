/* SPDX-License-Identifier: Apache-2.0 */
/* Views of a request in C: offset << 16 | length into its bytes, compared as C compares bytes. */
#ifndef QUALITY_REQUEST_H
#define QUALITY_REQUEST_H

#include "quality.h"

#define TRAP 0xf0

/* clang has no memcmp for BPF: words as wide as they fit, which the kernel loads at any address. */
#define STEP(type)                                                  \
	for (; at + sizeof(type) <= size; at += sizeof(type)) {     \
		type want;                                          \
		__builtin_memcpy(&want, text + at, sizeof(type));   \
		if (*(const type *)(r->bytes + offset + at) != want) \
			return 0;                                   \
	}

static __always_inline int same(const struct weft_request *r, __u32 offset, const char *text, __u32 size)
{
	__u32 at = 0;

	/* The bound is what the verifier asks for: a view lies in the head. */
	if (offset > WEFT_HEAD_MAX - size)
		return 0;
	STEP(__u64)
	STEP(__u32)
	STEP(__u16)
	STEP(__u8)
	return 1;
}

static __always_inline int same_lower(const struct weft_request *r, __u32 offset, const char *text,
				      __u32 size)
{
	__u32 i, other = 0;
	__u8 byte;

	if (offset > WEFT_HEAD_MAX - size)
		return 0;
	for (i = 0; i < size; i++) {
		byte = r->bytes[offset + i];
		other |= (byte - 'A' < 26U ? byte | 0x20 : byte) ^ text[i];
	}
	return !other;
}

#define SIZE(text) (sizeof(text) - 1)
#define EQUALS(view, text) \
	(((view) & 0xffff) == SIZE(text) && same(r, (view) >> 16, text, SIZE(text)))
#define STARTS_WITH(view, text) \
	(((view) & 0xffff) >= SIZE(text) && same(r, (view) >> 16, text, SIZE(text)))
#define ENDS_WITH(view, text)                 \
	(((view) & 0xffff) >= SIZE(text) &&   \
	 same(r, ((view) >> 16) + ((view) & 0xffff) - SIZE(text), text, SIZE(text)))
#define ENDS_WITH_IGNORING_CASE(view, text)   \
	(((view) & 0xffff) >= SIZE(text) &&   \
	 same_lower(r, ((view) >> 16) + ((view) & 0xffff) - SIZE(text), text, SIZE(text)))

#define JUDGE                                                         \
	static __always_inline int judge(const struct weft_request *r); \
	GLOBAL int p0_authorize_request(const struct weft_request *r) \
	{                                                             \
		return r ? judge(r) : 0;                              \
	}                                                             \
	static __always_inline int judge(const struct weft_request *r)

#endif
