// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

static __u32 trust(__u32 namespace, __u32 account)
{
	if (IS(namespace, prod))
		return 3;
	if (IS(namespace, ops))
		return 4;
	return account ? 1 : 0;
}

static __u32 risk(__u32 port)
{
	if (port == 22 || port == 3306 || port == 5432)
		return 4;
	return port < 1024 ? 2 : 1;
}

AUTHORIZE
{
	__u32 score = trust(SOURCE(namespace), SOURCE(serviceAccount)) +
		      trust(DESTINATION(namespace), DESTINATION(serviceAccount));
	__u32 needed = risk(c->destination_port) + (c->protocol == 17 ? 1 : 0);

	if (score >= needed + 2)
		return ALLOW;
	return score >= needed ? AUDIT : DENY;
}
