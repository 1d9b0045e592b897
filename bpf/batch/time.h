/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Times of the record format, as ns since 1970: those in UTC, as this program writes them.
 */
#ifndef WEFT_BATCH_TIME_H
#define WEFT_BATCH_TIME_H

#include "batch.h"

static __always_inline int weft_digit(__u8 byte)
{
	return byte >= '0' && byte <= '9';
}

/* Two digits; 100 where they are none. */
static __always_inline __u32 weft_two(const __u8 *at)
{
	return weft_digit(at[0]) && weft_digit(at[1]) ? (at[0] - '0') * 10 + at[1] - '0' : 100;
}

/* Days of 1970-01-01 to a date of the Gregorian calendar. */
static __s32 weft_days(__s32 year, __u32 month, __u32 day)
{
	__s32 y = month > 2 ? year : year - 1;
	__u32 m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/*
 * Reads `2026-01-02T03:04:05.123456789Z` and answers where it ends; 0 for other zones and for dates that do
 * not exist, which are for the plain reader.
 */
static const __u8 *weft_read_time(const __u8 *at, __u64 *ns)
{
	static const __u8 days[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	__u32 century = weft_two(at), rest = weft_two(at + 2), month = weft_two(at + 5);
	__u32 day = weft_two(at + 8), hour = weft_two(at + 11), minute = weft_two(at + 14);
	__u32 second = weft_two(at + 17), year = century * 100 + rest, most;
	__u64 fraction = 0;

	if (century < 19 || century > 99 || rest > 99 || month < 1 || month > 12 || hour > 23 ||
	    minute > 59 || second > 59)
		return 0;
	if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':')
		return 0;
	most = days[month];
	if (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0))
		most = 29;
	if (year < 1970 || day < 1 || day > most)
		return 0;
	at += 19;
	if (*at == '.') {
		__u32 digits = 0;

		for (at++; weft_digit(*at) && digits < 10; digits++)
			fraction = fraction * 10 + (*at++ - '0');
		if (!digits || digits > 9)
			return 0;
		for (; digits < 9; digits++)
			fraction *= 10;
	}
	if (*at++ != 'Z')
		return 0;
	*ns = ((__u64)weft_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) *
		      1000000000ull +
	      fraction;
	return at;
}

#endif
