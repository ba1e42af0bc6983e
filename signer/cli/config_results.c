/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/config_run.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "signer/io/out.h"
#include "signer/io/slurp.h"

/* A result, by where it goes, and the file that it is made of. */
struct result {
	char *key; /* owned */
	dev_t dev;
	ino_t ino;
	bool told; /* that its file is named twice */
};

static int by_key(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void result_free(void *p)
{
	struct result *result = p;

	free(result->key);
	free(result);
}

/* A folder may have several names. The result is the same file under all of them. */
static void put_key(const struct config_run *r, struct config_file *f, struct buf *key)
{
	const char *path = buf_cstr(&f->output), *name = base_name(path);
	char *folder = name > path ? strndup(path, (size_t)(name - path)) : strdup(".");
	struct stat st;

	if (r->c.dir == NULL && folder != NULL && stat(folder, &st) == 0)
		buf_printf(key, "%llu:%llu/%s", (unsigned long long)st.st_dev,
			   (unsigned long long)st.st_ino, name);
	else
		buf_str(key, path);
	free(folder);
}

static struct result *result_of(const struct config_run *r, struct config_file *f)
{
	struct result *result = calloc(1, sizeof *result);
	struct buf key = BUF_INIT;
	struct stat st;

	put_key(r, f, &key);
	if (result != NULL && buf_failed(&key, NULL) == ST_OK)
		result->key = span_dup(buf_span(&key));
	buf_free(&key);
	if (result == NULL || result->key == NULL) {
		free(result);
		return NULL;
	}
	if (stat(f->path, &st) == 0) {
		result->dev = st.st_dev;
		result->ino = st.st_ino;
	}
	return result;
}

/* A file that is named twice counts once. Two files with one name would become one result. */
bool config_is_named_twice(struct config_run *r, struct config_file *f)
{
	struct result *result, **found;
	bool twice = false;

	if (f->err.status != ST_OK || r->c.action == CONFIG_VERIFY)
		return false;
	result = result_of(r, f);
	found = result != NULL ? tsearch(result, &r->results, by_key) : NULL;
	if (found == NULL)
		(void)err_nomem(&f->err);
	if (found != NULL && *found == result)
		return false;
	if (found != NULL && (*found)->dev == result->dev && (*found)->ino == result->ino) {
		twice = true;
		if (!(*found)->told)
			msg_warn("%s: is named twice: it is done once", f->path);
		(*found)->told = true;
	} else if (found != NULL) {
		(void)err_set(
			&f->err, ST_INPUT,
			"%s: its result would be '%s', which is another file's: give them other names, or different folders with --root",
			f->path, buf_cstr(&f->output));
	}
	if (result != NULL)
		result_free(result);
	return twice;
}

void config_results_free(struct config_run *r)
{
	tdestroy(r->results, result_free);
	r->results = NULL;
}
