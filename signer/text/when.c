/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/text/when.h"

#include <stdio.h>
#include <string.h>

#include "tlv/text.h"

enum {
	QUARTER = 900,	  /* seconds; every zone's offset is a multiple of it */
	EAST = 14 * 3600, /* the greatest offset from UTC */
	WEST = 12 * 3600, /* and the smallest, as a positive number */
	ZONES = (EAST + WEST) / QUARTER + 1,
	SOON = 60, /* seconds from the signature to the file, mostly */
	LATE = 2 * 3600,
	WINDOW = EAST + WEST + LATE,
};

static int month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at = strlen(name) == 3 ? strstr(names, name) : NULL;

	return at == NULL || (at - names) % 3 != 0 ? 0 : (int)(at - names) / 3 + 1;
}

bool when_parse(const char *text, int64_t *seconds)
{
	char month_name[4] = "", rest[64] = "";
	int day, hour, minute, second, year = 0, month;
	const char *last;

	/* NOLINTNEXTLINE(cert-err34-c): each number has a width, and cannot overflow */
	if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %63[^\n]", month_name, &day, &hour, &minute,
		   &second, rest) != 6)
		return false;
	if (strncmp(rest, "PM", 2) == 0 || strncmp(rest, "AM", 2) == 0)
		hour = hour % 12 + (rest[0] == 'P' ? 12 : 0);
	/* The zone's name stands before the year, or is left out. */
	last = strrchr(rest, ' ');
	last = last == NULL ? rest : last + 1;
	month = month_of(month_name);
	/* NOLINTNEXTLINE(cert-err34-c): the same */
	if (sscanf(last, "%4d", &year) != 1 || month == 0 || year < 1970 || year > 2106 ||
	    day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return false;
	*seconds = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

/* Whether a time of the whole window was among the likely ones. */
static bool was_likely(size_t before)
{
	return before <= EAST + WEST + SOON && before % QUARTER <= SOON;
}

bool when_try(int64_t printed, size_t i, int64_t *seconds)
{
	size_t likely = ZONES * (size_t)(SOON + 1);

	/*
	 * `before` counts from the latest time that the file can have: that of the westernmost
	 * zone.
	 */
	if (i < likely) {
		size_t before = i % ZONES * QUARTER + i / ZONES;

		*seconds = printed + WEST - (int64_t)before;
		return true;
	}
	i -= likely;
	if (i > WINDOW)
		return false;
	*seconds = was_likely(i) ? -1 : printed + WEST - (int64_t)i;
	return true;
}
