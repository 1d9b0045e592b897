// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Benchmarks that need another key in each run: test-run repeats one packet, so source, destination
 * and port are drawn here. Joined with a policy like the harness; never attached.
 */
#include "decide.h"

#define WEFT_HARNESS_HEAD 16

/* Keys are number * step for number below count: the same set that the policy's table holds. */
const volatile __u32 weft_bench_count = 1;
const volatile __u32 weft_bench_step = 1;
/* 6: the key is the third word of IPv6 addresses below fd00::/32, not an IPv4 address. */
const volatile __u32 weft_bench_family = 4;
/* 1: rules look at the destination and the source's first attribute too, one of 64 texts of the bundle. */
const volatile __u32 weft_bench_rules = 0;

#define FIRST_SYMBOL 2

/*
 * Half of an address by one store, which clang would split. Policies load halves: the hooks have filled an
 * address long before, but a load right behind two narrower stores would wait until both are done.
 */
static __always_inline void put_half(__u32 *to, __u64 value)
{
	asm volatile("*(u64 *)(%0 + 0) = %1" : : "r"(to), "r"(value) : "memory");
}

static __always_inline int draw(struct __sk_buff *skb, struct weft_judgement *judgement)
{
	__u32 key = (bpf_get_prandom_u32() % weft_bench_count) * weft_bench_step;
	struct weft_address *source = &judgement->connection.source.address;

	if (bpf_skb_load_bytes(skb, WEFT_HARNESS_HEAD, &judgement->connection,
			       sizeof(judgement->connection)))
		return -1;
	if (weft_bench_family == 6) {
		put_half(&source->word[0], (__u64)bpf_htonl(key) << 32 | bpf_htonl(0xfd000000));
		put_half(&source->word[2], (__u64)bpf_htonl(1) << 32);
	} else {
		source->word[3] = bpf_htonl(key);
	}
	if (weft_bench_rules) {
		struct weft_address *to = &judgement->connection.destination.address;

		put_half(&to->word[2], (__u64)bpf_htonl(key << 16 | key >> 16) << 32 | bpf_htonl(0xffff));
		judgement->connection.source.attributes[0] = FIRST_SYMBOL + (key >> 8 & 63);
	}
	judgement->connection.destination_port = (key >> 16) & 0xfff8;
	return 0;
}

/* Returns the verdict. */
SEC("tc") int weft_bench_random(struct __sk_buff *skb)
{
	struct weft_judgement *judgement = weft_take();
	int verdict = -1;

	if (!judgement)
		return -1;
	if (!draw(skb, judgement))
		verdict = weft_authorize_connection(&judgement->connection, &judgement->result.decision);
	weft_release(judgement);
	return verdict;
}

/* The same without the policy: what to subtract. */
SEC("tc") int weft_bench_empty(struct __sk_buff *skb)
{
	struct weft_judgement *judgement = weft_take();
	int failed;

	if (!judgement)
		return -1;
	failed = draw(skb, judgement);
	weft_release(judgement);
	return failed;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
