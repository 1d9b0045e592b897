// SPDX-License-Identifier: Apache-2.0
#include "quality-request.h"

JUDGE
{
	__u32 team = r->head.headers[HEADER_x_team];

	if (r->head.repeated & (1 << HEADER_x_team))
		return TRAP;
	if (!team)
		return DENY;
	if (EQUALS(team, "blue") || EQUALS(team, "green"))
		return ALLOW;
	if (ENDS_WITH_IGNORING_CASE(r->head.host, ".internal.example"))
		return AUDIT;
	if (r->head.repeated & (1 << HEADER_x_canary))
		return TRAP;
	return EQUALS(r->head.headers[HEADER_x_canary], "true") ? PASS : DENY;
}
