/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/err.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void record(struct tlv_err *e, enum status st,
							 const char *fmt, va_list ap)
{
	e->status = st;
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
}

enum status err_set(struct tlv_err *e, enum status st, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return st;
	if (e->status != ST_OK)
		return e->status;
	va_start(ap, fmt);
	record(e, st, fmt, ap);
	va_end(ap);
	return st;
}

enum status err_set_at(struct tlv_err *e, enum status st, uint64_t at, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return st;
	if (e->status != ST_OK)
		return e->status;
	va_start(ap, fmt);
	record(e, st, fmt, ap);
	va_end(ap);
	e->has_at = true;
	e->at = at;
	return st;
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
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	n = strlen(text);
	(void)snprintf(text + n, sizeof text - n, ": %s", e->text);
	(void)snprintf(e->text, sizeof e->text, "%s", text);
	return e->status;
}

int err_exit_status(enum status st)
{
	return (int)(st == ST_NOMEM ? ST_BUG : st);
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
		(void)snprintf(out, cap, "%s (at byte %llu)", e->text, (unsigned long long)e->at);
	else
		(void)snprintf(out, cap, "%s", e->text);
}

void warn_put(const struct tlv_warn *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (w == NULL || w->fn == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	w->fn(w->arg, text);
}
