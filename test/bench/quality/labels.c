// SPDX-License-Identifier: Apache-2.0
#include "quality.h"

AUTHORIZE
{
	__u32 app = SOURCE(label_app), tier = SOURCE(label_tier);
	__u32 to_app = DESTINATION(label_app), to_tier = DESTINATION(label_tier);

	if (IS(app, legacy))
		return DENY;
	if (IS(tier, edge) && !IS(to_tier, front))
		return DENY;
	if (IS(app, batch) && IS(to_app, api))
		return ALLOW;
	if (app == to_app && app)
		return ALLOW;
	if (IS(tier, front) && IS(to_tier, back))
		return ALLOW;
	return PASS;
}
