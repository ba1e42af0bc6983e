/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

int64_t env_now(void)
{
	return (int64_t)time(NULL);
}

bool env_clock_synchronised(void)
{
	struct timex t = { .modes = 0 };

	return adjtimex(&t) != TIME_ERROR;
}

int64_t env_ticks_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *env_get(const char *name)
{
	return getenv(name);
}

void time_iso(int64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL && strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

bool time_parse_iso(const char *text, int64_t *seconds)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char again[32];

	if (end == NULL || *end != '\0')
		return false;
	*seconds = (int64_t)timegm(&tm);
	time_iso(*seconds, again); /* strptime takes more than this one form */
	return strcmp(text, again) == 0;
}

void time_cucm(int64_t seconds, char out[64])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) == NULL)
		return;
	/* TZ may name a zone with more letters than there is room for. */
	if (strftime(out, 64, "%a %b %d %H:%M:%S %Z %Y", &tm) == 0 &&
	    strftime(out, 64, "%a %b %d %H:%M:%S %z %Y", &tm) == 0)
		out[0] = '\0';
}
