// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 a, b;

	if (c->family == 6) {
		a = WORD(source, 0);
		if (a >> 25 == 0x7e)
			return ALLOW;
		return a == 0x20010db8 && WORD(source, 1) == 0 ? AUDIT : DENY;
	}
	a = WORD(source, 3);
	b = WORD(destination, 3);
	if ((a ^ b) >> 8 == 0)
		return ALLOW;
	if (a >> 24 == 127 || a >> 28 == 14)
		return DENY;
	return a >> 16 == b >> 16 ? AUDIT : PASS;
}
