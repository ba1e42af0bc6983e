/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/io/out.h"
#include "signer/publish/place.h"
#include "signer/publish/publication.h"

static enum status begin(struct publication *p, const char *path, const struct publish_options *opt,
			 struct tlv_err *e)
{
	enum status st = publication_name(p, path, opt, e);

	if (st != ST_OK)
		return st;
	p->dir_fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir_fd < 0)
		return place_failed(e, "its folder cannot be opened");
	return publication_look(p, e);
}

/* Nobody waits for ever at a pipe that has no reader; somebody else may have put it there. */
static int open_stream(const char *path)
{
	enum { TRIES = 100, EVERY_MS = 100 };
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 && errno != ENXIO)
			break;
		if (fd < 0)
			(void)poll(NULL, 0, EVERY_MS);
	}
	return fd;
}

/* Opened now, written to when all else is done. */
static enum status begin_stream(struct publication *p, struct span bytes, struct tlv_err *e)
{
	struct stat st;

	buf_put(&p->stream, bytes);
	if (buf_failed(&p->stream, e) != ST_OK)
		return ST_NOMEM;
	p->fd = open_stream(p->shown);
	if (p->fd < 0 && errno == ENXIO)
		return err_set(e, ST_OUTPUT, "nobody reads this pipe");
	if (p->fd < 0 || fstat(p->fd, &st) != 0)
		return place_failed(e, "cannot be opened");
	if (st.st_dev != p->old.st_dev || st.st_ino != p->old.st_ino)
		return err_set(e, ST_OUTPUT,
			       "was changed by somebody else meanwhile: run this again");
	if (fcntl(p->fd, F_SETFL, 0) != 0)
		return place_failed(e, "cannot be written");
	return ST_OK;
}

static enum status begin_bytes(struct publication *p, struct span bytes, struct tlv_err *e)
{
	if (p->is_stream)
		return begin_stream(p, bytes, e);
	place_sweep(p->dir_fd, p->name);
	return publication_fill(p, bytes, e);
}

enum status publish_begin(struct publication **out, const char *path, struct span bytes,
			  const struct publish_options *opt, struct tlv_err *e)
{
	struct publication *p = calloc(1, sizeof *p);
	enum status st;

	*out = p;
	if (p == NULL)
		return err_nomem(e);
	st = begin(p, path, opt, e);
	if (st == ST_OK)
		st = begin_bytes(p, bytes, e);
	if (st == ST_OK)
		return ST_OK;
	publish_free(out);
	return err_in(e, "%s", path);
}

static enum status commit(struct publication *p, struct tlv_err *e)
{
	enum status st = err_nomem_seen() ? err_nomem(e) : ST_OK;

	if (st == ST_OK && p->is_stream)
		return place_write(p->fd, buf_span(&p->stream), e);
	if (st == ST_OK)
		st = publication_place(p, e);
	if (st == ST_OK && p->placed)
		publication_settle(p);
	return st;
}

enum status publish_commit(struct publication *p, struct tlv_err *e)
{
	enum status st = p->done ? ST_OK : commit(p, e);
	bool left = p->done || (!p->placed && !p->is_stream);

	if (st == ST_OK)
		msg_step("%s %s", left ? "left as it is:" : "wrote", p->shown);
	p->done = p->done || st == ST_OK;
	return st == ST_OK ? ST_OK : err_in(e, "%s", p->shown);
}

enum status publish(const char *path, struct span bytes, const struct publish_options *opt,
		    struct tlv_err *e)
{
	struct publication *p;
	enum status st = publish_begin(&p, path, bytes, opt, e);

	if (st == ST_OK && p != NULL)
		st = publish_commit(p, e);
	publish_free(&p);
	return st;
}

/* bytes NULL: they are not known yet. */
static enum status check(const char *path, const struct span *bytes,
			 const struct publish_options *opt, struct publish_seen *seen,
			 struct tlv_err *e)
{
	struct publication p;
	enum status st = begin(&p, path, opt, e);
	bool can_wait = p.is_stream || (bytes != NULL && publication_has(&p, *bytes));

	if (st == ST_OK && !can_wait)
		st = publication_may_replace(&p, e);
	if (st == ST_OK && !p.is_stream && p.dir_fd >= 0 &&
	    faccessat(p.dir_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
		st = place_failed(e, "cannot be written in its folder");
	if (seen != NULL && !p.is_stream)
		*seen = (struct publish_seen){ .looked = true, .existed = p.exists, .st = p.old };
	publication_release(&p);
	return st == ST_OK ? ST_OK : err_in(e, "%s", path);
}

enum status publish_check(const char *path, struct publish_options *opt, struct tlv_err *e)
{
	struct publish_seen seen = { .looked = false };
	enum status st = check(path, NULL, opt, &seen, e);

	opt->seen = seen;
	return st;
}

enum status publish_check_bytes(const char *path, struct span bytes,
				const struct publish_options *opt, struct tlv_err *e)
{
	return check(path, &bytes, opt, NULL, e);
}

enum status publish_folder(const char *path, bool *made, struct tlv_err *e)
{
	struct stat st;
	int error;

	*made = mkdir(path, 0755) == 0;
	if (*made)
		return ST_OK;
	error = errno;
	if (error == EEXIST)
		error = stat(path, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	if (error == 0)
		return ST_OK;
	return err_set(e, ST_OUTPUT, "%s: cannot make the folder: %s", path, strerror(error));
}

void publish_folder_undo(const char *path)
{
	(void)rmdir(path);
}
