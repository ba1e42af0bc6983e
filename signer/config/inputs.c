/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/inputs.h"

#include <stdlib.h>

static int by_file(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

void inputs_add(struct inputs *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		s->list[s->n++] = (struct input){ .dev = st.st_dev, .ino = st.st_ino };
}

void inputs_sort(struct inputs *s)
{
	if (s->n > 0)
		qsort(s->list, s->n, sizeof *s->list, by_file);
}

bool inputs_have(const struct inputs *s, const struct stat *file)
{
	const struct input wanted = { .dev = file->st_dev, .ino = file->st_ino };

	return s->n > 0 && bsearch(&wanted, s->list, s->n, sizeof wanted, by_file) != NULL;
}

void inputs_free(struct inputs *s)
{
	free(s->list);
	*s = (struct inputs){ .list = NULL };
}
