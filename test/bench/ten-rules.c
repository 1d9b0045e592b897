// SPDX-License-Identifier: Apache-2.0
/*
 * The peer of ten-rules: the same ten rules, dispatch and answer in C, for clang -O2. Slots and
 * symbols come from the bundle's manifest as macros, so that both judge the same connection.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "abi.h"

#define SITE(line) ((line) << 8)
#define ALLOW(n) (SITE(n) | 1)
#define DENY(n) (SITE(n) | 2)

__attribute__((noinline)) int p0_authorize(const struct weft_connection *c)
{
	const __u32 *a;
	__u32 port;

	if (!c)
		return 0;
	a = c->source.attributes;
	port = c->destination_port;
	if (a[NAMESPACE] == KUBE_SYSTEM)
		return ALLOW(1);
	if (a[NAMESPACE] == MONITORING && port == 9090)
		return ALLOW(2);
	if (a[ACCOUNT] == BACKUP && port == 5432)
		return ALLOW(3);
	if (a[ACCOUNT] == MIGRATE && port == 5432)
		return ALLOW(4);
	if (a[APP] == BATCH && port >= 7000 && port < 7100)
		return ALLOW(5);
	if (a[APP] == CRON && a[NAMESPACE] == OPS)
		return ALLOW(6);
	if (a[TIER] == EDGE && port == 443)
		return ALLOW(7);
	if (a[TIER] == EDGE && port == 8443)
		return ALLOW(8);
	if (a[APP] == LEGACY)
		return DENY(9);
	if (a[NAMESPACE] == PROD && a[APP] == WEB && port == 8080)
		return ALLOW(10);
	return DENY(11);
}

__attribute__((noinline)) int weft_route_connection(const struct weft_connection *c)
{
	return c ? 0 : 0;
}

__attribute__((noinline)) int weft_authorize_connection(const struct weft_connection *c,
							 struct weft_decision *d)
{
	__u32 word, verdict;

	if (!c || !d)
		return 0;
	/* All of it, as the contract says (abi.h). */
	__builtin_memset(d, 0, sizeof(*d));
	d->policy = WEFT_NO_POLICY;
	d->verdict = WEFT_DENY;
	d->reason = WEFT_REASON_DEFAULT;
	if (!(c->policies.word[0] & 1))
		return WEFT_DENY;
	word = p0_authorize(c);
	verdict = word & 0xff;
	if (verdict == 3 || verdict == 4) {
		if (verdict == 4)
			d->audited.word[0] |= 1;
		d->reason = WEFT_REASON_NO_ALLOW;
		return WEFT_DENY;
	}
	d->policy = 0;
	d->site = word >> 8;
	d->reason = WEFT_REASON_POLICY;
	if (verdict != 1 && verdict != 2) {
		d->reason = verdict == 0xf1 ? WEFT_REASON_FUEL : WEFT_REASON_TRAP;
		d->site = 0;
		return WEFT_DENY;
	}
	d->verdict = verdict;
	return verdict;
}

char weft_license[] SEC("license") = "Dual BSD/GPL";
