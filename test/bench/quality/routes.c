// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

CHOOSE
{
	__u32 from = SOURCE(namespace);

	if (IS(from, dev))
		return ROUTE(3);
	if (IS(from, staging) || IS(SOURCE(label_tier), edge))
		return ROUTE(2);
	if (IS(SOURCE(label_app), web))
		return c->random % 4 < 3 ? ROUTE(1) : ROUTE(2);
	return from ? ROUTE(1) : 0;
}
