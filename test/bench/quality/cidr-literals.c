// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 a = WORD(source, 3);
	int v4 = c->family == 4;

	if (v4 && (a & 0xffffff00) == 0xcb007100)
		return DENY;
	if (v4 && ((a & 0xffff0000) == 0x0a080000 || (a & 0xffffff00) == 0xc0a80000))
		return ALLOW;
	return PASS;
}
