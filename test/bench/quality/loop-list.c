// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

static const __u32 allowed[] = {80, 443, 8080, 8443, 5432, 6379, 9090, 9100};

AUTHORIZE
{
	__u32 port = c->destination_port;
	int i;

	for (i = 0; i < 8; i++) {
		if (allowed[i] == port)
			return i < 4 ? ALLOW : AUDIT;
	}
	return DENY;
}
