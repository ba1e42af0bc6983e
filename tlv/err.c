/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/err.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tlv/sentence.h"

void err_begin(struct tlv_err *e)
{
	e->status = ST_OK;
	e->has_at = false;
	e->at = 0;
	e->said[0] = '\0';
}

/* The first error wins: false if there is one already, or nobody wants to know. */
static bool say_first(struct tlv_err *e, enum status st, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static bool say_first(struct tlv_err *e, enum status st, const char *fmt, va_list ap)
{
	if (e == NULL || e->status != ST_OK)
		return false;
	e->status = st;
	sentence_format(e->said, sizeof e->said, fmt, ap);
	return true;
}

enum status err_set(struct tlv_err *e, enum status st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)say_first(e, st, fmt, ap);
	va_end(ap);
	return e == NULL ? st : e->status;
}

enum status err_set_at(struct tlv_err *e, enum status st, uint64_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (say_first(e, st, fmt, ap)) {
		e->has_at = true;
		e->at = at;
	}
	va_end(ap);
	return e == NULL ? st : e->status;
}

enum status err_in(struct tlv_err *e, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	size_t n;
	va_list ap;

	if (e == NULL)
		return ST_BUG;
	if (e->status == ST_OK)
		return ST_OK;
	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	n = strlen(text);
	(void)snprintf(text + n, sizeof text - n, ": %s", e->said);
	(void)snprintf(e->said, sizeof e->said, "%s", text);
	return e->status;
}

void err_line(struct tlv_err *e, const char *fmt, ...)
{
	size_t n = e != NULL ? strlen(e->said) : 0;
	va_list ap;

	if (e == NULL || e->status == ST_OK || n + 4 > sizeof e->said)
		return;
	(void)snprintf(e->said + n, sizeof e->said - n, "\n  ");
	va_start(ap, fmt);
	sentence_format(e->said + n + 3, sizeof e->said - n - 3, fmt, ap);
	va_end(ap);
}

enum status err_copy(struct tlv_err *e, const struct tlv_err *from)
{
	if (e == NULL)
		return from->status;
	if (e->status == ST_OK)
		*e = *from;
	return e->status;
}

enum status err_receive(struct tlv_err *e, enum status st, const void *text, size_t n)
{
	if (e == NULL)
		return st;
	if (e->status != ST_OK)
		return e->status;
	e->status = st;
	e->said[0] = '\0';
	sentence_append(e->said, sizeof e->said, text, n);
	return st;
}

const char *err_text(const struct tlv_err *e)
{
	return e->said;
}

int err_exit_status(enum status st)
{
	return (int)(st == ST_NOMEM || st == ST_MACHINE ? ST_BUG : st);
}

const char *err_cure(enum status st)
{
	if (st == ST_BUG)
		return "this is a bug of ctlsign: please report it with this message, the command line and what 'ctlsign --version' prints";
	if (st == ST_NOMEM)
		return "raise the limit of memory (of the service, of the container, 'ulimit -v'), or give less at a time";
	return NULL;
}

static atomic_bool nomem_seen;

enum status err_nomem(struct tlv_err *e)
{
	atomic_store(&nomem_seen, true);
	return err_set(e, ST_NOMEM, "out of memory");
}

bool err_nomem_seen(void)
{
	return atomic_load(&nomem_seen);
}

void err_format(const struct tlv_err *e, char *out, size_t cap)
{
	if (e->has_at)
		(void)snprintf(out, cap, "%s (at byte %llu)", e->said, (unsigned long long)e->at);
	else
		(void)snprintf(out, cap, "%s", e->said);
}

void warn_put(const struct tlv_warn *w, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	if (w == NULL || w->fn == NULL)
		return;
	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	w->fn(w->arg, text);
}

void warn_receive(const struct tlv_warn *w, const void *text, size_t n)
{
	char safe[ERR_TEXT_MAX] = "";

	if (w == NULL || w->fn == NULL)
		return;
	sentence_append(safe, sizeof safe, text, n);
	w->fn(w->arg, safe);
}
