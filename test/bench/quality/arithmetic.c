// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 hash = WORD(source, 3), bucket;

	hash = (hash ^ 61) ^ (hash >> 16);
	hash = hash * 9;
	hash = hash ^ (hash >> 4);
	hash = hash * 0x27d4eb2d;
	hash = hash ^ (hash >> 15);
	bucket = (hash + c->destination_port) % 100;
	if (bucket < 10)
		return AUDIT;
	if (bucket / 5 == 7)
		return DENY;
	return (hash << 7 | hash >> 25) % 8 == 3 ? PASS : ALLOW;
}
