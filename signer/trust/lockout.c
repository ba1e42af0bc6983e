/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/trust/lockout.h"

#include <string.h>

static const struct {
	const char *word, *text;
} classes[] = {
	[LOCKOUT_SBD] = { "sbd", "phones with Security by Default" },
	[LOCKOUT_NO_SBD] = { "no-sbd", "phones without Security by Default" },
};

const char *lockout_class_word(enum lockout_class c)
{
	return classes[c].word;
}

const char *lockout_class_text(enum lockout_class c)
{
	return classes[c].text;
}

void lockout_foresee(struct lockout *l, const struct tlv_list *old, const struct phone *tvs,
		     const struct tlv_list *new_list, struct span signing_key)
{
	struct release derived;
	bool told = tvs->release == NULL && release_derive(old, &derived);

	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		struct phone p = *tvs;

		if (told)
			p.release = &derived;
		p.ctl = tlv_list_is_itl(old) ? NULL : old;
		p.itl = tlv_list_is_itl(old) ? old : NULL;
		p.no_lists = false;
		p.no_tvs = c == LOCKOUT_NO_SBD;
		l->verdict[c] = accept_foresee(&p, new_list, signing_key);
	}
}

void lockout_lines(const struct lockout *l, void (*line)(void *arg, const char *text), void *arg)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct acceptance *a = &l->verdict[c];
		struct buf text = BUF_INIT;

		buf_printf(&text, "%s: %s: ", classes[c].text,
			   accept_row(a->reason)->accepted ? "accepted" : "refused");
		accept_reason_text(a, &text);
		line(arg, buf_cstr(&text));
		buf_free(&text);
	}
}

enum status lockout_check(const struct lockout *l, struct tlv_err *e)
{
	for (int c = 0; c < LOCKOUT_CLASSES; c++) {
		const struct accept_reason_row *row = accept_row(l->verdict[c].reason);

		if (row->accepted || l->allowed[c])
			continue;
		return err_set(
			e, ST_NO,
			"%s would refuse this list (%s): not signed\n  %s\n  to lock them out all the same, and clear each phone by hand, give --accept-lockout %s",
			classes[c].text, row->word,
			row->cure != NULL ? row->cure : row->explanation, classes[c].word);
	}
	return ST_OK;
}
