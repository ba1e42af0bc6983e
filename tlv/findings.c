/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tlv/bytes.h"
#include "tlv/sentence.h"

enum level { WARNING, ERROR, FORM, WEAK };

static const struct {
	const char *text;
	enum level level;
} finding_rows[] = {
#define FINDING(name, code, level) [TLV_FIND_##name] = { code, level },
#include "tlv/findings.def"
#undef FINDING
};

const char *tlv_finding_text(enum tlv_finding_code code)
{
	return finding_rows[code].text;
}

bool tlv_finding_is_weak(enum tlv_finding_code code)
{
	return finding_rows[code].level == WEAK;
}

static bool goes(const struct tlv_lenience *l, size_t record)
{
	return l->gone != NULL && record > 0 && record <= l->ngone && record != l->signer &&
	       l->gone[record - 1];
}

static bool is_error(const struct tlv_lenience *l, enum tlv_finding_code code, size_t record)
{
	enum level level = finding_rows[code].level;

	if (level == WARNING || goes(l, record))
		return false;
	if (level == FORM && record == 0)
		return !l->signed_anew;
	return level != WEAK || !l->weak_keys;
}

static struct tlv_finding *slot(struct tlv_findings *f)
{
	if (!ARRAY_ROOM(f->v, f->n, f->cap)) {
		f->nomem = true;
		return NULL;
	}
	return &f->v[f->n];
}

static void add(struct tlv_findings *f, const struct tlv_finding *x, const char *text)
{
	struct tlv_finding *s = slot(f);

	if (s == NULL)
		return;
	*s = *x;
	s->text = span_dup(span_str(text));
	if (s->text == NULL)
		f->nomem = true;
	else
		f->n++;
}

/* The line in the place of the first that is not listed. */
static void add_more(struct tlv_findings *f, bool error)
{
	if (error)
		add(f, &(struct tlv_finding){ .code = TLV_FIND_MORE_ERRORS, .error = true },
		    "more errors than are listed");
	else
		add(f, &(struct tlv_finding){ .code = TLV_FIND_MORE },
		    "more warnings than are listed");
}

void tlv_find(struct tlv_findings *f, enum tlv_finding_code code, size_t record, int64_t at,
	      const char *fmt, ...)
{
	struct tlv_finding x = { .code = code,
				 .error = is_error(&f->lenience, code, record),
				 .record = record,
				 .has_at = at >= 0,
				 .at = at >= 0 ? (size_t)at : 0 };
	size_t found = x.error ? ++f->errors : ++f->warnings;
	char text[1024];
	va_list ap;

	if (found > TLV_FINDINGS_MAX) {
		if (found == TLV_FINDINGS_MAX + 1)
			add_more(f, x.error);
		return;
	}
	va_start(ap, fmt);
	sentence_format(text, sizeof text, fmt, ap);
	va_end(ap);
	add(f, &x, text);
}

const struct tlv_finding *tlv_findings_first_error(const struct tlv_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].error)
			return &f->v[i];
	return NULL;
}

void tlv_findings_free(struct tlv_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].text);
	free(f->v);
	*f = TLV_FINDINGS_INIT;
}
