// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 principal = SOURCE(principal), port = c->destination_port;

	if (!principal)
		return DENY;
	if (IS(principal, cluster_local_ns_prod_sa_web) && port == 8080)
		return ALLOW;
	if (IS(principal, cluster_local_ns_prod_sa_api) && (port == 5432 || port == 6379))
		return ALLOW;
	if (c->source.predicates & (1ULL << PREDICATE_cluster_local_ns_ops_))
		return ALLOW;
	if (IS(SOURCE(serviceAccount), backup) && port == 5432)
		return AUDIT;
	return PASS;
}
