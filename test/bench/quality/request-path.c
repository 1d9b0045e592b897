// SPDX-License-Identifier: Apache-2.0
#include "quality-request.h"

JUDGE
{
	__u32 method = r->head.method, path = r->head.path;

	if (STARTS_WITH(path, "/admin"))
		return DENY;
	if (EQUALS(method, "GET") && STARTS_WITH(path, "/public/"))
		return ALLOW;
	if (EQUALS(method, "GET") && ENDS_WITH(path, ".html"))
		return ALLOW;
	if (EQUALS(method, "POST") && EQUALS(path, "/api/orders"))
		return ALLOW;
	return IS(r->connection.source.attributes[SOURCE_namespace], ops) ? AUDIT : DENY;
}
