// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 port = c->destination_port;

	if (IS(SOURCE(namespace), kube_system))
		return ALLOW;
	if (IS(SOURCE(namespace), monitoring) && port == 9090)
		return ALLOW;
	if (IS(SOURCE(serviceAccount), backup) && port == 5432)
		return ALLOW;
	if (IS(SOURCE(serviceAccount), migrate) && port == 5432)
		return ALLOW;
	if (IS(SOURCE(label_app), batch) && port >= 7000 && port < 7100)
		return ALLOW;
	if (IS(SOURCE(label_app), cron) && IS(SOURCE(namespace), ops))
		return ALLOW;
	if (IS(SOURCE(label_tier), edge) && port == 443)
		return ALLOW;
	if (IS(SOURCE(label_tier), edge) && port == 8443)
		return ALLOW;
	if (IS(SOURCE(label_app), legacy))
		return DENY;
	if (IS(SOURCE(namespace), prod) && IS(SOURCE(label_app), web) && port == 8080)
		return ALLOW;
	return DENY;
}
