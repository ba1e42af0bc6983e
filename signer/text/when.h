/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * When a list may have been signed, from the time that is printed of its file.
 */
#ifndef CTL_TEXT_WHEN_H
#define CTL_TEXT_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Seconds since 1970 of "Tue Mar 10 16:06:41 CET 2015", as if it were UTC; false if it is no such
 * text.
 */
bool when_parse(const char *text, int64_t *seconds);

/*
 * The i-th time to try, each once, the likely ones first: a file is written some
 * seconds after it was signed, and the zone's name does not tell its offset.
 * False behind the last one: two hours before the earliest zone's time.
 */
bool when_try(int64_t printed, size_t i, int64_t *seconds);

#endif
