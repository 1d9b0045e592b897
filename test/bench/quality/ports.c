// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 port = c->destination_port;

	if (port == 22 || port == 23 || port == 25)
		return DENY;
	if (port >= 8000 && port < 8100)
		return ALLOW;
	if (port == 80 || port == 443 || port == 8443)
		return ALLOW;
	if (port >= 30000 && port <= 32767 && c->protocol == 6)
		return AUDIT;
	return port < 1024 ? DENY : PASS;
}
