// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

#define HOUR (3600 * 1000000000ULL)

AUTHORIZE
{
	__u64 hour = c->now / HOUR % 24;
	__u64 day = (c->now / (24 * HOUR) + 4) % 7;

	if (day == 0 || day == 6)
		return DENY;
	if (hour >= 8 && hour < 18)
		return ALLOW;
	return IS(SOURCE(namespace), ops) ? AUDIT : DENY;
}
