/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one map of a generation that is written while it is active and read by people: how often each site decided. */
#ifndef WEFT_SITES_H
#define WEFT_SITES_H

#include "maps.h"

WEFT_MAP(weft_sites, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 16);

#endif
