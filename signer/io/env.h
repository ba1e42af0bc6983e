/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The one place that asks the clock and the environment.
 */
#ifndef CTL_ENV_H
#define CTL_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "tlv/bytes.h"

int64_t env_now(void);		       /* seconds since 1970 UTC */
int64_t env_ticks_ms(void);	       /* milliseconds of a clock that nobody sets */
const char *env_get(const char *name); /* NULL if unset */

/* Whether the kernel believes the clock to be right, as NTP keeps it; true if it does not tell. */
bool env_clock_synchronised(void);

/* "2015-03-06T18:46:07Z" */
void time_iso(int64_t seconds, char out[32]);
/* The same back; false if the text is anything else. */
bool time_parse_iso(const char *text, int64_t *seconds);
/* "Fri Mar 06 19:45:13 CET 2015", local time, as CUCM prints it. */
void time_cucm(int64_t seconds, char out[64]);

#endif
