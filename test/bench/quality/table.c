// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

static __always_inline __u32 plan_of(__u32 namespace)
{
	switch (namespace) {
	case TEXT_prod:
	case TEXT_kube_system:
	case TEXT_web:
	case TEXT_db:
	case TEXT_cache:
		return 1;
	case TEXT_ops:
	case TEXT_monitoring:
	case TEXT_ci:
		return 2;
	case TEXT_dev:
	case TEXT_staging:
	case TEXT_qa:
	case TEXT_test:
		return 3;
	default:
		return 0;
	}
}

AUTHORIZE
{
	__u32 plan = plan_of(SOURCE(namespace));

	if (plan == 1)
		return ALLOW;
	if (plan == 2)
		return c->destination_port == 9090 ? ALLOW : AUDIT;
	return plan == 3 ? PASS : DENY;
}
