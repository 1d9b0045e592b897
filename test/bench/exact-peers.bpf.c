// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What an exact table of this machine can cost: the keys of random-key.bpf.c, looked up in the kernel's own hash map,
 * and in our image by what clang makes of the same two loads. Loaded by test-run only; never attached.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#ifndef IMAGE_BYTES
#error IMAGE_BYTES, SLOT_BITS, BUCKET_BITS, DISPLACEMENTS_AT and MULTIPLIER are those of the plan
#endif

#define SLOTS (1u << SLOT_BITS)
#define BUCKETS (1u << BUCKET_BITS)
/* compiler/tables/perfect-hash.ts */
#define SECOND_MULTIPLIER 0x85ebca6bu

const volatile __u32 weft_bench_count = 1;
const volatile __u32 weft_bench_step = 1;

struct image {
	__u8 bytes[IMAGE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct image);
} weft_bench_image SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 17);
	__type(key, __u32);
	__type(value, __u32);
} weft_bench_hash SEC(".maps");

static __always_inline __u32 draw(void)
{
	return (bpf_get_prandom_u32() % weft_bench_count) * weft_bench_step;
}

/* Each returns 1 for a hit. */
SEC("tc") int weft_bench_kernel_hash(struct __sk_buff *skb)
{
	__u32 key = draw();

	return bpf_map_lookup_elem(&weft_bench_hash, &key) ? 1 : 2;
}

SEC("tc") int weft_bench_two_loads(struct __sk_buff *skb)
{
	__u32 key = draw(), zero = 0, hash, slot, record;
	struct image *image = bpf_map_lookup_elem(&weft_bench_image, &zero);

	if (!image)
		return -1;
	hash = key * MULTIPLIER;
	hash = (hash ^ hash >> 16) * SECOND_MULTIPLIER;
	slot = image->bytes[DISPLACEMENTS_AT + (hash >> (32 - BUCKET_BITS) & (BUCKETS - 1))];
	slot = (hash + slot * (hash >> SLOT_BITS | 1)) & (SLOTS - 1);
	record = *(__u32 *)&image->bytes[slot * 4];
	return (record ^ hash) - 1 < SLOTS - 1 ? 1 : 2;
}

SEC("tc") int weft_bench_draw(struct __sk_buff *skb)
{
	return draw() ? 0 : 3;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
