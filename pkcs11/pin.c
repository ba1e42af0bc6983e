/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/pin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/shared/env.h"
#include "pkcs11/shared/uri_text.h"
#include "pkcs11/tty.h"
#include "tlv/bytes.h"

static const char forms[] = "file:PATH, env:NAME, fd:N or prompt";

bool tok_pin_is_default(const struct tok_pin *p)
{
	return strcmp(tok_pin_bytes(p), "Cisco123") == 0;
}

static enum status parse_file(const char *arg, struct tok_pin_source *out, struct tlv_err *e)
{
	if (*arg == '\0')
		return err_set(e, ST_USAGE, "pin source 'file:' names no file");
	*out = (struct tok_pin_source){ .kind = TOK_PIN_FROM_FILE, .arg = arg, .fd = -1 };
	return ST_OK;
}

static enum status parse_env(const char *arg, struct tok_pin_source *out, struct tlv_err *e)
{
	if (*arg == '\0' || strchr(arg, '=') != NULL)
		return err_set(e, ST_USAGE, "pin source 'env:' names no variable");
	tok_env_is_secret(arg);
	*out = (struct tok_pin_source){ .kind = TOK_PIN_FROM_ENV, .arg = arg, .fd = -1 };
	return ST_OK;
}

static enum status parse_fd(const char *arg, struct tok_pin_source *out, struct tlv_err *e)
{
	char *end = NULL;
	long fd;

	errno = 0;
	fd = strtol(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end != '\0' || errno != 0 || fd > INT_MAX)
		return err_set(e, ST_USAGE, "pin source 'fd:' wants the number of a descriptor");
	*out = (struct tok_pin_source){ .kind = TOK_PIN_FROM_FD, .fd = (int)fd };
	return ST_OK;
}

static enum status parse_prompt(const char *arg, struct tok_pin_source *out, struct tlv_err *e)
{
	if (*arg != '\0')
		return err_set(e, ST_USAGE, "pin source is none of %s", forms);
	*out = (struct tok_pin_source){ .kind = TOK_PIN_FROM_PROMPT, .fd = -1 };
	return ST_OK;
}

static const struct {
	const char *prefix;
	enum status (*parse)(const char *arg, struct tok_pin_source *out, struct tlv_err *e);
} sources[] = {
	{ "file:", parse_file },
	{ "env:", parse_env },
	{ "fd:", parse_fd },
	{ "prompt", parse_prompt },
};

/* The text itself is in no message: it may be a PIN in the wrong place. */
enum status tok_pin_source_parse(const char *text, struct tok_pin_source *out, struct tlv_err *e)
{
	if (text == NULL)
		return parse_prompt("", out, e);
	if (*text == '|')
		return err_set(e, ST_USAGE, "a pin source that runs a command is refused; use %s",
			       forms);
	for (size_t i = 0; i < COUNT(sources); i++) {
		size_t n = strlen(sources[i].prefix);

		if (strncmp(text, sources[i].prefix, n) == 0)
			return sources[i].parse(text + n, out, e);
	}
	return err_set(e, ST_USAGE, "pin source is none of %s", forms);
}

enum status tok_pin_source_parse_uri(const char *text, struct tok_pin_source *out,
				     struct tlv_err *e)
{
	if (text != NULL && *text == '/')
		return parse_file(text, out, e);
	if (text != NULL && strncmp(text, "file:///", 8) == 0)
		return parse_file(text + 7, out, e);
	return tok_pin_source_parse(text, out, e);
}

static void keep_source(const char *text, bool is_uri)
{
	struct tok_uri_text uri = { .pin_source = NULL };
	struct tlv_err unsaid = TLV_ERR_INIT;
	struct tok_pin_source src;

	if (!is_uri)
		(void)tok_pin_source_parse(text, &src, NULL);
	else if (tok_uri_read(text, &uri, &unsaid) == ST_OK && uri.pin_source != NULL)
		(void)tok_pin_source_parse_uri(uri.pin_source, &src, NULL);
	tok_uri_text_free(&uri);
}

void tok_pin_sources_of(int argc, char *const *argv)
{
	for (int i = 0; i < argc; i++) {
		const char *uri = strcasestr(argv[i], "pkcs11:"), *value = strchr(argv[i], '=');

		value = argv[i][0] == '-' && value != NULL ? value + 1 : argv[i];
		if (uri != NULL)
			keep_source(uri, true);
		else if (strncmp(value, "env:", 4) == 0)
			keep_source(value, false);
	}
}

bool tok_pin_source_untyped(const struct tok_pin_source *src)
{
	return src->kind != TOK_PIN_FROM_PROMPT;
}

void tok_pin_source_scrub(const struct tok_pin_source *src)
{
	char *value = src->kind == TOK_PIN_FROM_ENV ? tok_env(src->arg) : NULL;

	if (value != NULL)
		explicit_bzero(value, strlen(value));
}

/* A token has a PIN, a key file a passphrase. */
static const char *noun_of(const struct tok_pin_source *src)
{
	return src->noun != NULL ? src->noun : "PIN";
}

/* "what" names the kind of source in messages: never the secret. */
static enum status check(const struct tok_pin_source *src, const struct tok_pin *p,
			 const char *what, struct tlv_err *e)
{
	const char *noun = noun_of(src);

	if (tok_pin_length(p) == 0)
		return err_set(e, ST_PIN, "%s: the %s is empty", what, noun);
	if (tok_pin_length(p) > TOK_PIN_MAX)
		return err_set(e, ST_PIN, "%s: the %s is longer than %d bytes", what, noun,
			       TOK_PIN_MAX);
	if (memchr(tok_pin_bytes(p), '\0', tok_pin_length(p)) != NULL)
		return err_set(e, ST_PIN, "%s: the %s holds a NUL byte", what, noun);
	return ST_OK;
}

/*
 * One line, byte by byte: what comes behind it stays in the descriptor for
 * its next reader, and no buffer but the locked page ever holds it.
 */
static enum status read_line(const struct tok_pin_source *src, int fd, struct tok_pin *p,
			     const char *what, struct tlv_err *e)
{
	enum tok_secret_got got;

	do {
		got = tok_secret_read_byte(p, fd);
	} while ((got == TOK_SECRET_FAILED && errno == EINTR) ||
		 (got == TOK_SECRET_MORE && tok_pin_length(p) <= TOK_PIN_MAX + 1));
	if (got == TOK_SECRET_FAILED)
		return err_set(e, ST_PIN, "%s: %s", what, strerror(errno));
	if (tok_pin_length(p) > 0 && tok_pin_length(p) <= TOK_PIN_MAX + 1 &&
	    tok_pin_bytes(p)[tok_pin_length(p) - 1] == '\r')
		tok_secret_set_length(p, tok_pin_length(p) - 1);
	return check(src, p, what, e);
}

static enum status check_mode(const struct tok_pin_source *src, int fd, struct tlv_err *e)
{
	const char *path = src->arg, *noun = noun_of(src);
	struct stat sb;

	if (fstat(fd, &sb) != 0)
		return err_set(e, ST_PIN, "%s file '%s': %s", noun, path, strerror(errno));
	if (S_ISDIR(sb.st_mode))
		return err_set(e, ST_PIN, "%s file '%s' is a folder", noun, path);
	if ((sb.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0)
		return err_set(e, ST_PIN,
			       "%s file '%s' is open to group or others (mode %04o); chmod 600 it",
			       noun, path, (unsigned)(sb.st_mode & 07777));
	return ST_OK;
}

static enum status read_file(const struct tok_pin_source *src, bool insecure, struct tok_pin *p,
			     struct tlv_err *e)
{
	enum status st = ST_OK;
	int fd = open(src->arg, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(e, ST_PIN, "%s file '%s': %s", noun_of(src), src->arg,
			       strerror(errno));
	if (!insecure)
		st = check_mode(src, fd, e);
	if (st == ST_OK) {
		st = read_line(src, fd, p, "file", e);
		err_in(st == ST_OK ? NULL : e, "'%s'", src->arg);
	}
	(void)close(fd);
	return st;
}

static enum status read_env(const struct tok_pin_source *src, struct tok_pin *p, struct tlv_err *e)
{
	const char *value = tok_env(src->arg);
	size_t n = value == NULL ? 0 : strnlen(value, TOK_PIN_MAX + 1);
	enum status st;

	if (value == NULL)
		return err_set(e, ST_PIN, "no %s: variable '%s' is not set", noun_of(src),
			       src->arg);
	(void)span_copy(span_of(value, n), tok_secret_room(p), TOK_SECRET_ROOM);
	tok_secret_set_length(p, n);
	st = check(src, p, "variable", e);
	tok_pin_source_scrub(src);
	return st;
}

static enum status read_prompt(const struct tok_pin_source *src, const char *prompt,
			       struct tok_pin *p, struct tlv_err *e)
{
	enum status st = tok_tty_secret(prompt, noun_of(src), p, e);

	return st == ST_OK ? check(src, p, "terminal", e) : st;
}

static enum status read_source(const struct tok_pin_source *src, const char *prompt, bool insecure,
			       struct tok_pin *p, struct tlv_err *e)
{
	switch (src->kind) {
	case TOK_PIN_FROM_FILE:
		return read_file(src, insecure, p, e);
	case TOK_PIN_FROM_ENV:
		return read_env(src, p, e);
	case TOK_PIN_FROM_FD:
		return read_line(src, src->fd, p, "descriptor", e);
	case TOK_PIN_FROM_PROMPT:
		return read_prompt(src, prompt, p, e);
	}
	return err_set(e, ST_BUG, "unknown kind of pin source");
}

enum status tok_pin_read(const struct tok_pin_source *src, const char *prompt,
			 bool insecure_file_mode, struct tok_pin **out, struct tlv_err *e)
{
	struct tok_pin *p = tok_secret_new();
	enum status st;

	*out = NULL;
	if (p == NULL)
		return err_nomem(e);
	st = read_source(src, prompt, insecure_file_mode, p, e);
	if (st == ST_OK)
		*out = p;
	else
		tok_pin_free(&p);
	return st;
}
