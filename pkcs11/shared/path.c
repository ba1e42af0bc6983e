/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as many as the kernel follows */

/* Who may write and replace a file besides root, and what is said if others can. */
struct keepers {
	uid_t uid;
	const char *words;
	enum status refused;
};

struct walk {
	const struct keepers *k;
	const char *asked; /* as it was given */
	int at;		   /* the folder, or at last the file */
	char path[PATH_MAX], rest[PATH_MAX];
	const char *left; /* what of the rest is to be walked yet */
	int links;
	struct tlv_err *e;
};

static enum status failed(const struct walk *w, const char *why)
{
	return err_set(w->e, w->k->refused, "module '%s': %s", w->asked, why);
}

/* A folder such as /tmp is everybody's, but nobody replaces another's file in it. */
static bool open_to_others(const struct stat *sb)
{
	bool sticky = S_ISDIR(sb->st_mode) && (sb->st_mode & S_ISVTX) != 0;

	return !S_ISLNK(sb->st_mode) && !sticky && (sb->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static const char *kind_of(const struct stat *sb)
{
	return S_ISDIR(sb->st_mode) ? "module folder" :
	       S_ISLNK(sb->st_mode) ? "the link to the module" :
				      "module";
}

static enum status check_entry(const struct walk *w, const struct stat *sb)
{
	if ((sb->st_uid == 0 || sb->st_uid == w->k->uid) && !open_to_others(sb))
		return ST_OK;
	return err_set(w->e, w->k->refused,
		       "%s '%s' can be written by others than %s: chmod or chown it", kind_of(sb),
		       *w->path == '\0' ? "/" : w->path, w->k->words);
}

static void step_into(struct walk *w, int fd)
{
	if (w->at >= 0)
		(void)close(w->at);
	w->at = fd;
}

static enum status start_at_root(struct walk *w)
{
	struct stat sb;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	w->path[0] = '\0';
	if (fd < 0 || fstat(fd, &sb) != 0)
		return failed(w, strerror(errno));
	step_into(w, fd);
	return check_entry(w, &sb);
}

/* The next name of what is left to go; false if nothing is. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1])
{
	const char *from = w->left + strspn(w->left, "/");
	size_t n = strcspn(from, "/");

	if (n == 0)
		return false;
	(void)snprintf(name, NAME_MAX + 1, "%.*s", (int)n, from);
	w->left = from + n;
	return true;
}

static enum status step_up(struct walk *w)
{
	char *slash = strrchr(w->path, '/');
	int fd = openat(w->at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed(w, strerror(errno));
	if (slash != NULL)
		*slash = '\0';
	step_into(w, fd);
	return ST_OK;
}

/* What the link says comes before what was left to go. */
static enum status follow(struct walk *w, int link, const char *name)
{
	char target[PATH_MAX], rest[2 * PATH_MAX + 2];
	ssize_t n = readlinkat(link, "", target, sizeof target - 1);

	w->path[strlen(w->path) - strlen(name) - 1] = '\0';
	if (n <= 0 || ++w->links > LINKS_MAX)
		return failed(w, strerror(n <= 0 ? errno : ELOOP));
	target[n] = '\0';
	(void)snprintf(rest, sizeof rest, "%s/%s", target, w->left);
	if (strlen(rest) >= sizeof w->rest)
		return failed(w, strerror(ENAMETOOLONG));
	(void)snprintf(w->rest, sizeof w->rest, "%s", rest);
	w->left = w->rest;
	return *target == '/' ? start_at_root(w) : ST_OK;
}

static enum status step(struct walk *w, const char *name)
{
	size_t n = strlen(w->path);
	struct stat sb;
	enum status st;
	int fd;

	if (strcmp(name, ".") == 0)
		return ST_OK;
	if (strcmp(name, "..") == 0)
		return step_up(w);
	fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &sb) != 0)
		return failed(w, strerror(errno));
	if (n + strlen(name) + 2 > sizeof w->path)
		st = failed(w, strerror(ENAMETOOLONG));
	else {
		(void)snprintf(w->path + n, sizeof w->path - n, "/%s", name);
		st = check_entry(w, &sb);
	}
	if (st == ST_OK && S_ISLNK(sb.st_mode))
		st = follow(w, fd, name);
	else if (st == ST_OK) {
		step_into(w, fd);
		return ST_OK;
	}
	(void)close(fd);
	return st;
}

static enum status go(struct walk *w)
{
	char name[NAME_MAX + 1];
	enum status st = start_at_root(w);
	struct stat sb;

	while (st == ST_OK && next_name(w, name))
		st = step(w, name);
	if (st != ST_OK)
		return st;
	if (fstat(w->at, &sb) != 0)
		return failed(w, strerror(errno));
	return S_ISREG(sb.st_mode) ? ST_OK : failed(w, "is not a file");
}

static enum status check_path(const struct keepers *k, const char *path, char out[PATH_MAX],
			      struct tlv_err *e)
{
	struct walk w = { .k = k, .asked = path, .at = -1, .e = e };
	enum status st;

	if (strlen(path) >= sizeof w.rest)
		return failed(&w, strerror(ENAMETOOLONG));
	(void)snprintf(w.rest, sizeof w.rest, "%s", path);
	w.left = w.rest;
	st = go(&w);
	if (w.at >= 0)
		(void)close(w.at);
	if (st == ST_OK)
		(void)snprintf(out, PATH_MAX, "%s", w.path);
	return st;
}

enum status tok_path_check(const char *path, char out[PATH_MAX], struct tlv_err *e)
{
	const struct keepers k = { .uid = geteuid(),
				   .words = geteuid() == 0 ? "root" : "you and root",
				   .refused = ST_USAGE };

	if (*path != '/')
		return err_set(e, ST_USAGE, "module '%s' is not an absolute path", path);
	return check_path(&k, path, out, e);
}

/* The program's folder; its path in the kernel's words, which has no links. */
static bool program_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return false;
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

static bool is_there(char out[PATH_MAX], const char *folder, const char *dir, const char *name)
{
	int n = snprintf(out, PATH_MAX, "%s/%s/%s", folder, dir, name);

	return n > 0 && n < PATH_MAX && access(out, R_OK) == 0;
}

enum status tok_part_find(const char *name, const char *dir, char out[PATH_MAX], struct tlv_err *e)
{
	struct keepers k = { .words = "root and the owner of this program", .refused = ST_TOKEN };
	char folder[PATH_MAX], path[PATH_MAX];
	struct stat sb;

	if (!program_folder(folder) || stat("/proc/self/exe", &sb) != 0)
		return err_set(e, ST_TOKEN, "/proc/self/exe cannot be read: is /proc mounted?");
	k.uid = sb.st_uid;
	if (is_there(path, folder, ".", name) || (dir != NULL && is_there(path, folder, dir, name)))
		return check_path(&k, path, out, e);
	return err_set(e, ST_TOKEN, "'%s' is not installed in '%s/%s': install ctlsign again", name,
		       folder, dir == NULL ? "." : dir);
}
