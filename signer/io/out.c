/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/out.h"

#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/io/env.h"
#include "tlv/sentence.h"

/* UTF-8 is what comes out; a terminal that does not speak it gets its bytes as \xNN. */
static bool speaks_utf8(void)
{
	static int known = -1;

	if (known < 0) {
		locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

		known = l != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, l), "UTF-8") == 0;
		if (l != (locale_t)0)
			freelocale(l);
	}
	return known == 1;
}

/* A terminal that does not speak UTF-8. */
static bool is_plain(int fd)
{
	static int known[STDERR_FILENO + 1];

	if (known[fd] == 0)
		known[fd] = isatty(fd) == 1 && !speaks_utf8() ? 1 : -1;
	return known[fd] == 1;
}

static struct buf held;
static bool holds;

static void write_to(FILE *to, struct span text)
{
	if (to == stdout && holds)
		buf_put(&held, text);
	else
		(void)fwrite(text.n > 0 ? text.p : (const uint8_t *)"", 1, text.n, to);
}

/* In one write, so that lines of several processes do not mix. */
static void put(struct span text, FILE *to, int fd)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < text.n && is_plain(fd); i++) {
		int c = span_at(text, i);

		if (c < 0x80)
			buf_u8(&b, (uint8_t)c);
		else
			buf_printf(&b, "\\x%02x", (unsigned)c);
	}
	if (is_plain(fd))
		text = buf_span(&b);
	write_to(to, text);
	buf_free(&b);
}

void out_hold(void)
{
	holds = true;
}

enum status out_release(bool print, struct tlv_err *e)
{
	enum status st = buf_failed(&held, e);

	holds = false;
	if (print && st == ST_OK)
		write_to(stdout, buf_span(&held));
	buf_free(&held);
	return st;
}

void out_printf(const char *fmt, ...)
{
	char text[4 * PATH_MAX + 1024];
	va_list ap;

	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	out_text(span_str(text));
}

void out_text(struct span text)
{
	put(text, stdout, STDOUT_FILENO);
}

static bool may_colour(int fd)
{
	const char *no = env_get("NO_COLOR"), *term = env_get("TERM");

	return isatty(fd) == 1 && (no == NULL || *no == '\0') && term != NULL && *term != '\0' &&
	       strcmp(term, "dumb") != 0;
}

static const char *const colours[] = { "\033[0m", "\033[32m", "\033[33m", "\033[1;31m" };

void out_colour(enum out_colour c)
{
	if (may_colour(STDOUT_FILENO))
		write_to(stdout, span_str(colours[c]));
}

void out_safe(struct span text)
{
	struct buf b = BUF_INIT;

	safe_text(&b, text);
	put(buf_span(&b), stdout, STDOUT_FILENO);
	buf_free(&b);
}

enum { JSON_FORM = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII | JSON_ENCODE_ANY };

/*
 * jansson's ASCII leaves one control character as it is: DEL. JSON allows it, and terminals obey
 * it.
 */
static int put_json(const char *text, size_t n, void *arg)
{
	const int *indent = arg;
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] != 0x7f && (text[i] != '\n' || *indent == 0))
			continue;
		(void)fwrite(text + from, 1, i - from, stdout);
		if (text[i] == '\n')
			(void)printf("\n%*s", *indent, "");
		else
			(void)printf("\\u007f");
		from = i + 1;
	}
	(void)fwrite(text + from, 1, n - from, stdout);
	return ferror(stdout) ? -1 : 0;
}

/* Its lines but the first begin at the indent. */
static bool dump(const json_t *value, int indent)
{
	return value != NULL && json_dump_callback(value, put_json, &indent, JSON_FORM) == 0;
}

static enum status told_json(bool ok, struct tlv_err *e)
{
	if (err_nomem_seen())
		return err_nomem(e);
	return ok ? ST_OK : err_set(e, ST_OUTPUT, "standard output: %s", strerror(errno));
}

/* The first version had none; CHANGELOG.md says what changed. */
enum { JSON_VERSION = 2 };

json_t *out_json_answer(json_t *value)
{
	json_t *answer = json_pack("{s:i}", "version", JSON_VERSION);

	if (value != NULL && answer != NULL && json_object_update(answer, value) == 0) {
		json_decref(value);
		return answer;
	}
	json_decref(answer);
	json_decref(value);
	return NULL;
}

void out_json_begin(void)
{
	(void)printf("{\n  \"version\": %d,\n", JSON_VERSION);
}

enum status out_json(json_t *value, struct tlv_err *e)
{
	return out_json_part(out_json_answer(value), e);
}

enum status out_json_part(json_t *value, struct tlv_err *e)
{
	bool ok;

	/* Objects are built without looking whether each member found room. */
	if (value == NULL || err_nomem_seen()) {
		json_decref(value);
		return err_nomem(e);
	}
	ok = dump(value, 0);
	json_decref(value);
	(void)putchar('\n');
	return told_json(ok, e);
}

enum status out_json_end(json_t *members, struct tlv_err *e)
{
	bool ok = true;
	const char *key;
	json_t *v;

	if (members == NULL || err_nomem_seen()) {
		json_decref(members);
		return err_nomem(e);
	}
	json_object_foreach(members, key, v)
	{
		(void)printf(",\n  \"%s\": ", key);
		ok = ok && dump(v, 2);
	}
	(void)printf("\n}\n");
	json_decref(members);
	return told_json(ok, e);
}

static bool dump_array(out_json_next *next, void *arg)
{
	bool ok = true, first = true;
	json_t *x;

	(void)putchar('[');
	while (ok && !err_nomem_seen() && (x = next(arg)) != NULL) {
		(void)printf(first ? "\n    " : ",\n    ");
		ok = dump(x, 4);
		json_decref(x);
		first = false;
	}
	(void)printf(first ? "]" : "\n  ]");
	return ok;
}

enum status out_json_with(json_t *value, const char *member, out_json_next *next, void *arg,
			  struct tlv_err *e)
{
	bool ok = true, first = true;
	const char *key;
	json_t *v;

	value = out_json_answer(value);
	if (value == NULL || err_nomem_seen()) {
		json_decref(value);
		return err_nomem(e);
	}
	json_object_foreach(value, key, v)
	{
		(void)printf("%s\n  \"%s\": ", first ? "{" : ",", key);
		ok = ok && (strcmp(key, member) == 0 ? dump_array(next, arg) : dump(v, 2));
		first = false;
	}
	(void)printf("\n}\n");
	json_decref(value);
	return told_json(ok, e);
}

enum status out_flush(struct tlv_err *e)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_set(e, ST_OUTPUT, "standard output: %s", strerror(errno));
	return ST_OK;
}

static enum msg_level level = MSG_NORMAL;

void msg_set_level(enum msg_level l)
{
	level = l;
}

/* A progress bar stands on the last line. */
static bool bar_is_drawn;

bool out_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

bool msg_can_draw(void)
{
	return level != MSG_QUIET && may_colour(STDERR_FILENO);
}

void msg_progress(const char *text)
{
	if (text == NULL && !bar_is_drawn)
		return;
	(void)fprintf(stderr, "\r\033[K%s", text != NULL ? text : "");
	(void)fflush(stderr);
	bar_is_drawn = text != NULL;
}

/* Without memory: a message is worth more than its foreign letters. */
static void say_plainly(const char *prefix, const char *text)
{
	char line[2100];
	size_t n;

	(void)snprintf(line, sizeof line, "%s%s", prefix, text);
	n = strlen(line);
	for (size_t i = 0; i < n; i++)
		if (line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n] = '\n';
	(void)fwrite(line, 1, n + 1, stderr);
}

/* The prefix in its colour, and the text. */
static void say(enum out_colour c, const char *prefix, const char *text)
{
	bool paint = c != OUT_PLAIN && may_colour(STDERR_FILENO);
	struct buf b = BUF_INIT;
	struct span rest = span_str(text);

	buf_printf(&b, "%s%s%s", paint ? colours[c] : "", prefix, paint ? colours[OUT_PLAIN] : "");
	/*
	 * Only a line break that indents what follows is ours: text from files
	 * must not begin a line that looks like a message.
	 */
	while (rest.n > 0) {
		size_t n = 0;

		while (n < rest.n && !span_starts(span_slice(rest, n, 3), SPAN_LIT("\n  ")))
			n++;
		safe_text(&b, span_slice(rest, 0, n));
		if (n < rest.n)
			buf_u8(&b, '\n');
		rest = span_slice(rest, n + 1, rest.n);
	}
	buf_u8(&b, '\n');
	msg_progress(NULL);
	(void)fflush(stdout);
	if (buf_failed(&b, NULL) == ST_OK)
		put(buf_span(&b), stderr, STDERR_FILENO);
	else
		say_plainly(prefix, text);
	buf_free(&b);
}

void msg_error(const struct tlv_err *e)
{
	const char *cure = err_cure(e->status);
	char text[2048];

	err_format(e, text, sizeof text);
	if (cure != NULL)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "\n  %s", cure);
	say(OUT_BAD, "ctlsign: ", text);
}

static void warn(void *arg, const char *text)
{
	(void)arg;
	if (level != MSG_QUIET)
		say(OUT_DOUBTFUL, "ctlsign: warning: ", text);
}

const struct tlv_warn msg_warnings = { .fn = warn, .arg = NULL };

__attribute__((format(printf, 1, 0))) static void vsay(const char *fmt, va_list ap)
{
	char text[2048];

	sentence_format(text, sizeof text, fmt, ap);
	say(OUT_PLAIN, "", text);
}

void msg_warn(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	warn(NULL, text);
}

void msg_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (level != MSG_QUIET)
		vsay(fmt, ap);
	va_end(ap);
}

void msg_ground(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

bool msg_is_verbose(void)
{
	return level == MSG_VERBOSE;
}

void msg_step(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (level == MSG_VERBOSE)
		vsay(fmt, ap);
	va_end(ap);
}

bool msg_can_ask(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool msg_ask(const char *question)
{
	char answer[16] = "";

	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	if (fgets(answer, sizeof answer, stdin) == NULL)
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0;
}

void out_hex(struct span s, enum hex_case digits, const char *between)
{
	struct buf b = BUF_INIT;

	buf_hex(&b, s, digits, between);
	out_printf("%s", buf_cstr(&b));
	buf_free(&b);
}

static json_t *hex(struct span s, enum hex_case digits)
{
	struct buf b = BUF_INIT;
	json_t *v;

	buf_hex(&b, s, digits, "");
	v = buf_failed(&b, NULL) == ST_OK ? json_string(buf_cstr(&b)) : NULL;
	buf_free(&b);
	return v;
}

json_t *out_json_hex(struct span s)
{
	return hex(s, HEX_LOWER);
}

json_t *out_json_hex_upper(struct span s)
{
	return hex(s, HEX_UPPER);
}

void out_json_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

void out_json_set_text(json_t *object, const char *key, struct span text)
{
	char name[64];

	if (span_is_utf8(text)) {
		(void)json_object_set_new(object, key,
					  text.n == 0 ? json_string("") :
							json_stringn((const char *)text.p, text.n));
		return;
	}
	(void)json_object_set_new(object, key, json_null());
	(void)snprintf(name, sizeof name, "%s_hex", key);
	(void)json_object_set_new(object, name, out_json_hex(text));
}
