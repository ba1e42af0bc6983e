/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The files that a run reads, whatever their names are: no result takes the place of one.
 */
#ifndef CTL_CONFIG_INPUTS_H
#define CTL_CONFIG_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct input {
	dev_t dev;
	ino_t ino;
};

struct inputs {
	struct input *list; /* owned; room for as many as are added */
	size_t n;
};

/* Adds the file, or what a link leads to. Nothing if it cannot be looked at: nobody reads it. */
void inputs_add(struct inputs *s, const char *path);
/* Once, when all are there and before inputs_have(). */
void inputs_sort(struct inputs *s);
bool inputs_have(const struct inputs *s, const struct stat *file);
void inputs_free(struct inputs *s);

#endif
