// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The hooks of a generation that judges requests. */
#define WEFT_REQUESTS
#include "hooks.bpf.c"
