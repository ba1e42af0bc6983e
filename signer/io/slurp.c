/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/io/out.h"

static const size_t most = (size_t)4 << 20, most_if_allowed = (size_t)1 << 30;
static bool large;

size_t slurp_list_max(void)
{
	return large ? most_if_allowed : most;
}

void slurp_allow_large(void)
{
	large = true;
}

static enum status too_long(size_t max, struct tlv_err *e)
{
	return err_set(e, ST_INPUT, "more than %zu bytes%s", max,
		       max == most ? ": no phone takes such a list; --allow-large reads it" : "");
}

static enum status check(const struct stat *st, size_t max, enum slurp_mode mode, struct tlv_err *e)
{
	if (S_ISDIR(st->st_mode))
		return err_set(e, ST_INPUT, "is a folder");
	if (mode != SLURP_ANY && !S_ISREG(st->st_mode))
		return err_set(e, ST_INPUT, "is not a regular file");
	if (mode == SLURP_PRIVATE && (st->st_mode & (S_IRGRP | S_IROTH)) != 0)
		return err_set(
			e, ST_INPUT,
			"group or others can read this key: 'chmod 600' it, or insist with --insecure-file-mode");
	if (S_ISREG(st->st_mode) && (uint64_t)st->st_size > max)
		return too_long(max, e);
	return ST_OK;
}

/* A regular file gives less than there is room for only at its end: it need not be asked again. */
static bool has_ended(const struct blob *b, size_t cap)
{
	return S_ISREG(b->st.st_mode) && b->n > 0 && b->n == (size_t)b->st.st_size && b->n < cap;
}

/* Reads until the end; a file that grows meanwhile stays within max. */
static enum status read_all(int fd, size_t max, struct blob *out, struct tlv_err *e)
{
	size_t cap = (size_t)out->st.st_size + 1;

	for (;;) {
		ssize_t r;

		if (out->p == NULL || out->n == cap) {
			uint8_t *grown;

			cap = out->p == NULL ? cap : cap * 2 + 4096;
			grown = realloc(out->p, cap);
			if (grown == NULL)
				return err_nomem(e);
			out->p = grown;
		}
		r = read(fd, out->p + out->n, cap - out->n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_set(e, ST_INPUT, "%s", strerror(errno));
		if (r == 0)
			return ST_OK;
		out->n += (size_t)r;
		if (out->n > max)
			return too_long(max, e);
		if (has_ended(out, cap))
			return ST_OK;
	}
}

static enum status read_open(int fd, size_t max, enum slurp_mode mode, struct blob *out,
			     struct tlv_err *e)
{
	enum status st;

	if (fstat(fd, &out->st) != 0)
		return err_set(e, ST_INPUT, "%s", strerror(errno));
	st = check(&out->st, max, mode, e);
	return st == ST_OK ? read_all(fd, max, out, e) : st;
}

enum status slurp(const char *path, size_t max, enum slurp_mode mode, struct blob *out,
		  struct tlv_err *e)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (mode == SLURP_ANY ? 0 : O_NONBLOCK);
	int fd = open(path, flags);
	enum status st;

	*out = (struct blob){ .p = NULL };
	if (fd < 0) {
		(void)err_set(e, ST_INPUT, "%s", strerror(errno));
		(void)err_in(e, "%s", path);
		return ST_INPUT;
	}
	st = read_open(fd, max, mode, out, e);
	(void)close(fd);
	if (st != ST_OK) {
		blob_free(out);
		(void)err_in(e, "%s", path);
	} else {
		msg_step("read %s: %zu bytes", path, out->n);
	}
	return st;
}

struct span blob_span(const struct blob *b)
{
	return span_of(b->p, b->n);
}

void blob_free(struct blob *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->n);
	free(b->p);
	*b = (struct blob){ .p = NULL };
}

bool path_is_url(const char *arg)
{
	static const char *const schemes[] = { "http://", "https://", "tftp://" };

	for (size_t i = 0; i < COUNT(schemes); i++)
		if (span_starts_nocase(span_str(arg), span_str(schemes[i])))
			return true;
	return false;
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
