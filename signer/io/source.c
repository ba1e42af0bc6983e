/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum status failed(const struct source *s, const char *what, struct tlv_err *e)
{
	(void)err_set(e, ST_INPUT, "%s", what);
	(void)err_in(e, "%s", s->path);
	return ST_INPUT;
}

enum status source_open(struct source *s, const char *path, struct tlv_err *e)
{
	return source_take(s, open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), path, e);
}

enum status source_take(struct source *s, int fd, const char *path, struct tlv_err *e)
{
	*s = (struct source){ .path = path, .fd = fd };
	if (s->fd < 0 || fstat(s->fd, &s->st) != 0)
		return failed(s, strerror(errno), e);
	if (S_ISDIR(s->st.st_mode))
		return failed(s, "is a folder", e);
	if (!S_ISREG(s->st.st_mode))
		return failed(s, "is not a regular file", e);
	s->sparse = (uint64_t)s->st.st_blocks * 512 < (uint64_t)s->st.st_size;
	return ST_OK;
}

/* The end that fstat told: no need to ask again. Some file systems tell none. */
static bool is_end(const struct source *s, uint64_t at)
{
	return s->st.st_size > 0 && at >= (uint64_t)s->st.st_size;
}

enum status source_read(const struct source *s, uint64_t at, uint8_t *room, size_t cap,
			struct span *out, struct tlv_err *e)
{
	size_t n = 0;

	while (n < cap && !is_end(s, at + n)) {
		ssize_t r = pread(s->fd, room + n, cap - n, (off_t)(at + n));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return failed(s, strerror(errno), e);
		if (r == 0)
			break;
		n += (size_t)r;
	}
	*out = span_of(room, n);
	return ST_OK;
}

enum status source_check(const struct source *s, struct tlv_err *e)
{
	struct stat now;

	if (fstat(s->fd, &now) != 0)
		return failed(s, strerror(errno), e);
	if (now.st_size != s->st.st_size || now.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec)
		return failed(s, "was changed while it was read: run this again", e);
	return ST_OK;
}

void source_close(struct source *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}
