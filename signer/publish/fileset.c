/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/fileset.h"

#include <stdlib.h>

enum status fileset_open(struct fileset *f, const char *dir, struct tlv_err *e)
{
	*f = FILESET_INIT;
	f->dir = dir;
	if (publish_folder(dir, &f->made, e) != ST_OK)
		return ST_OUTPUT;
	return publish_group_new(&f->group, dir, e);
}

static enum status make_room(struct fileset *f, struct tlv_err *e)
{
	if (!ARRAY_ROOM(f->paths, f->n, f->paths_cap) || !ARRAY_ROOM(f->files, f->n, f->files_cap))
		return err_nomem(e);
	return ST_OK;
}

enum status fileset_add(struct fileset *f, const char *name, struct span bytes,
			const struct publish_options *opt, struct tlv_err *e)
{
	enum status st = make_room(f, e);
	struct buf *path;

	if (st != ST_OK)
		return st;
	path = &f->paths[f->n];
	*path = BUF_INIT;
	f->files[f->n++] = NULL;
	buf_printf(path, "%s/%s", f->dir, name);
	st = buf_failed(path, e);
	if (st != ST_OK)
		return st;
	return publish_begin_in(&f->files[f->n - 1], buf_cstr(path), bytes, f->group, opt, e);
}

enum status fileset_commit(struct fileset *f, struct tlv_err *e)
{
	enum status st = publish_commit_all(f->files, f->n, e);

	f->committed = st == ST_OK;
	return st;
}

void fileset_free(struct fileset *f)
{
	for (size_t i = 0; i < f->n; i++) {
		publish_free(&f->files[i]);
		buf_free(&f->paths[i]);
	}
	publish_group_free(&f->group);
	if (f->made && !f->committed)
		publish_folder_undo(f->dir);
	free(f->files);
	free(f->paths);
	*f = FILESET_INIT;
}
