// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	switch (c->destination_port) {
	case 22:
		return DENY;
	case 53:
		return ALLOW;
	case 80:
		return ALLOW;
	case 443:
		return ALLOW;
	case 3306:
		return AUDIT;
	case 5432:
		return AUDIT;
	case 6379:
		return PASS;
	case 8080:
		return ALLOW;
	case 8443:
		return ALLOW;
	case 9090:
		return PASS;
	case 9100:
		return PASS;
	case 15001:
		return DENY;
	default:
		return DENY;
	}
}
