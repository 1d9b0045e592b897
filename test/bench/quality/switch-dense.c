// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	switch (c->destination_port - 8080U) {
	case 0:
		return ALLOW;
	case 1:
		return DENY;
	case 2:
		return PASS;
	case 3:
		return AUDIT;
	case 4:
		return IS(SOURCE(namespace), prod) ? ALLOW : DENY;
	case 5:
		return IS(SOURCE(namespace), ops) ? ALLOW : PASS;
	case 6:
		return ALLOW;
	case 7:
		return DENY;
	case 8:
		return c->protocol == 17 ? ALLOW : DENY;
	case 9:
		return AUDIT;
	default:
		return DENY;
	}
}
