// SPDX-License-Identifier: Apache-2.0
/* Three policies and their combination: any deny, else an allow, else deny. */
#include "quality.h"

static __always_inline __u32 guard(const struct weft_connection *c)
{
	if (IS(SOURCE(label_app), legacy))
		return DENY;
	return c->destination_port == 22 ? DENY : PASS;
}

static __always_inline __u32 allow(const struct weft_connection *c)
{
	__u32 from = SOURCE(namespace);

	if (IS(from, prod) || IS(from, ops))
		return ALLOW;
	return IS(from, dev) && c->destination_port == 8080 ? ALLOW : PASS;
}

static __always_inline __u32 watch(const struct weft_connection *c)
{
	__u32 port = c->destination_port;

	if (port == 5432 || port == 6379)
		return AUDIT;
	return IS(SOURCE(serviceAccount), admin) ? ALLOW : PASS;
}

struct answer {
	__u32 word;
	__u32 policy;
};

static __always_inline void add(struct weft_decision *d, __u32 policy, __u32 word,
				struct answer *deny, struct answer *allow)
{
	switch (word & 0xff) {
	case 1:
		if (!allow->word)
			*allow = (struct answer){word, policy};
		break;
	case 3:
		break;
	case 4:
		d->audited.word[0] |= 1ULL << policy;
		break;
	default:
		if (!deny->word)
			*deny = (struct answer){word, policy};
	}
}

GLOBAL int weft_authorize_connection(const struct weft_connection *c, struct weft_decision *d)
{
	struct answer deny = {}, allowed = {}, *first;

	if (!c || !d)
		return 0;
	d->audited = d->shadow_allow = d->shadow_deny = (struct weft_policy_set){};
	if (c->policies.word[0] & 1)
		add(d, 0, guard(c), &deny, &allowed);
	if (c->policies.word[0] & 2)
		add(d, 1, allow(c), &deny, &allowed);
	if (c->policies.word[0] & 4)
		add(d, 2, watch(c), &deny, &allowed);
	if (deny.word || allowed.word) {
		first = deny.word ? &deny : &allowed;
		d->verdict = deny.word ? WEFT_DENY : WEFT_ALLOW;
		d->policy = first->policy;
		d->site = first->word >> 8;
		d->reason = WEFT_REASON_POLICY;
		return d->verdict;
	}
	d->verdict = WEFT_DENY;
	d->policy = WEFT_NO_POLICY;
	d->site = 0;
	d->reason = WEFT_REASON_NO_ALLOW;
	return WEFT_DENY;
}
