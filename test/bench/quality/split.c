// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

CHOOSE
{
	__u32 draw;

	if (c->destination_port < 1024)
		return 0;
	draw = c->random % 100;
	if (draw < 90)
		return ROUTE(1);
	return draw < 97 ? ROUTE(2) : ROUTE(3);
}
