// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 from = SOURCE(namespace), to = DESTINATION(namespace);

	if (IS(from, kube_system))
		return ALLOW;
	if (IS(from, monitoring) || IS(from, ops))
		return ALLOW;
	if (IS(from, dev) && IS(to, prod))
		return DENY;
	if (from == to && from)
		return ALLOW;
	if (IS(from, staging) && !IS(to, prod))
		return AUDIT;
	return from ? PASS : DENY;
}
