// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 bits = WORD(source, 3) ^ ((__u32)c->destination_port << 8), odd = 0;
	int i;

	for (i = 0; i < 16; i++) {
		odd += bits & 1;
		bits = (bits >> 2) ^ (bits << 5);
	}
	if (odd > 9)
		return DENY;
	return odd < 4 ? AUDIT : ALLOW;
}
