/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signer/cli/common.h"
#include "signer/doctor/doctor.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/sentence.h"

enum { PATIENCE = 10 }; /* seconds for each call into a module, if --timeout does not say */

static const struct {
	const char *name;
	void (*run)(struct doctor *d);
} checks[] = {
#define CHECK(NAME, name, function) { name, function },
#include "signer/doctor/doctor.def"
#undef CHECK
};

static const char *const levels[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_NOTE] = "note",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_ERROR] = "error",
};

static char *copy(struct doctor *d, const char *text)
{
	char *s = text == NULL ? NULL : strdup(text);

	d->failed = d->failed || (text != NULL && s == NULL);
	return s;
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *subject, const char *mend,
		const char *found, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (!ARRAY_ROOM(d->lines, d->n, d->cap)) {
		d->failed = true;
		return;
	}
	va_start(ap, found);
	sentence_format(text, sizeof text, found, ap);
	va_end(ap);
	d->lines[d->n++] = (struct doctor_line){ .level = level,
						 .check = d->check,
						 .subject = copy(d, subject),
						 .found = copy(d, text),
						 .mend = copy(d, mend) };
}

static size_t count(const struct doctor *d, enum doctor_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->lines[i].level == level ? 1 : 0;
	return n;
}

static void print_line(const struct doctor_line *l)
{
	out_printf("%s: %s", levels[l->level], l->check);
	if (l->subject != NULL) {
		out_printf(" '");
		out_safe(span_str(l->subject));
		out_printf("'");
	}
	out_printf(": ");
	out_safe(span_str(l->found));
	if (l->mend != NULL) {
		out_printf(": ");
		out_safe(span_str(l->mend));
	}
	out_printf("\n");
}

static void set_text_or_null(json_t *o, const char *key, const char *text)
{
	if (text == NULL)
		(void)json_object_set_new(o, key, json_null());
	else
		out_json_set_text(o, key, span_str(text));
}

static json_t *line_json(const struct doctor_line *l)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "level", json_string(levels[l->level]));
	(void)json_object_set_new(o, "check", json_string(l->check));
	set_text_or_null(o, "subject", l->subject);
	set_text_or_null(o, "found", l->found);
	set_text_or_null(o, "mend", l->mend);
	return o;
}

static enum status print_json(const struct doctor *d, struct tlv_err *e)
{
	json_t *o = json_object(), *lines = json_array();

	for (size_t i = 0; i < d->n; i++)
		(void)json_array_append_new(lines, line_json(&d->lines[i]));
	(void)json_object_set_new(o, "checks", lines);
	(void)json_object_set_new(o, "errors", json_integer((json_int_t)count(d, DOCTOR_ERROR)));
	(void)json_object_set_new(o, "warnings",
				  json_integer((json_int_t)count(d, DOCTOR_WARNING)));
	return out_json(o, e);
}

static void print_text(const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++)
		print_line(&d->lines[i]);
}

/* What the module layer warns of is found of the tokens. */
static void take_warning(void *arg, const char *text)
{
	struct doctor *d = arg;

	d->check = "token";
	doctor_say(d, DOCTOR_WARNING, NULL, NULL, "%s", text);
}

static enum status prepare(struct doctor *d, const struct opts *o, struct tlv_err *e)
{
	enum status st = common_token_options(o, &d->tok, e);

	d->uri = o->nargs > 0 ? o->args[0] : NULL;
	d->list_path = opt_value(o, OPT_LIST);
	d->tok.uri = d->uri;
	d->tok.warn = (struct tlv_warn){ .fn = take_warning, .arg = d };
	if (d->tok.timeout == 0)
		d->tok.timeout = PATIENCE;
	if (st == ST_OK && d->uri != NULL && !tok_is_uri(d->uri))
		st = err_set(e, ST_USAGE, "'%s' is no pkcs11: URI", d->uri);
	if (st == ST_OK && d->uri != NULL)
		st = tok_uri_check(d->uri, true, e);
	if (st == ST_OK && d->list_path != NULL)
		st = list_file_read(&d->list, d->list_path, 0, e);
	return st;
}

static void examine(struct doctor *d)
{
	for (size_t i = 0; i < COUNT(checks); i++) {
		d->check = checks[i].name;
		checks[i].run(d);
	}
}

static void doctor_free(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->lines[i].subject);
		free(d->lines[i].found);
		free(d->lines[i].mend);
	}
	free(d->lines);
	tok_survey_free(&d->tokens);
	list_file_free(&d->list);
}

enum status cmd_doctor(const struct opts *o, struct tlv_err *e)
{
	struct doctor d = { .survey = TLV_ERR_INIT, .list = { .fault = TLV_ERR_INIT } };
	enum status st = prepare(&d, o, e);

	if (st == ST_OK) {
		examine(&d);
		st = d.failed ? err_nomem(e) : ST_OK;
	}
	if (st == ST_OK && opt_given(o, OPT_JSON))
		st = print_json(&d, e);
	else if (st == ST_OK)
		print_text(&d);
	if (st == ST_OK && count(&d, DOCTOR_ERROR) > 0)
		st = ST_NO;
	doctor_free(&d);
	return st;
}
