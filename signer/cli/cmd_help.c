/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "signer/crypto/digest.h"
#include "signer/cli/help.h"
#include "signer/io/out.h"
#include "signer/io/sandbox.h"
#include "tlv/near.h"

enum { COLUMN = 28, WIDTH = 96 };

static const struct verb_row rows[] = {
#define VERB(NAME, name, run, args, min, max, summary) \
	{ name, args, summary, min, max, run, V_##NAME },
#include "signer/cli/verbs.def"
#undef VERB
};

static const struct {
	enum status status;
	const char *meaning;
} statuses[] = {
#define STATUS(name, number, meaning) { ST_##name, meaning },
#include "tlv/status.def"
#undef STATUS
};

const struct verb_row *verbs(size_t *n)
{
	*n = COUNT(rows);
	return rows;
}

const struct verb_row *verb_find(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* Words from column `at` on, which wrap to the column `left`. */
static void wrap(int at, int left, const char *text)
{
	bool first = true;

	while (*text != '\0') {
		int n = (int)strcspn(text, " ");

		if (!first && at + 1 + n > WIDTH) {
			out_printf("\n%*s", left, "");
			at = left;
		} else if (!first) {
			out_printf(" ");
			at++;
		}
		out_printf("%.*s", n, text);
		at += n;
		text += n;
		text += strspn(text, " ");
		first = false;
	}
	out_printf("\n");
}

/* A left column and words that wrap under each other. */
static void columns(const char *left, const char *text)
{
	int at = (int)strlen(left);

	out_printf("%s", left);
	if (at >= COLUMN) {
		out_printf("\n");
		at = 0;
	}
	out_printf("%*s", COLUMN - at, "");
	wrap(COLUMN, COLUMN, text);
}

static void print_option(const struct opt_row *o)
{
	struct buf help = BUF_INIT;
	char left[128];
	char short_text[8] = "    ";

	if (o->short_name != 0)
		(void)snprintf(short_text, sizeof short_text, "-%c, ", o->short_name);
	(void)snprintf(left, sizeof left, "  %s--%s%s%s", short_text, o->name,
		       o->metavar != NULL ? " " : "", o->metavar != NULL ? o->metavar : "");
	opt_put_help(&help, o);
	columns(left, buf_cstr(&help));
	buf_free(&help);
}

void help_verb(const struct verb_row *v)
{
	size_t n;
	const struct opt_row *o = opt_rows(&n);

	out_printf("usage: ctlsign %s [options] ", v->name);
	wrap((int)strlen("usage: ctlsign  [options] ") + (int)strlen(v->name),
	     (int)strlen("usage: ctlsign "), v->args);
	out_printf("\n");
	wrap(0, 0, v->summary);
	out_printf("\noptions:\n");
	for (size_t i = 0; i < n; i++)
		if ((o[i].verbs & v->mask) != 0)
			print_option(&o[i]);
	out_printf("\nexamples and more: 'man ctlsign-%s'\n", v->name);
}

void help_all(void)
{
	char left[32];

	out_printf("usage: ctlsign [--help | --version] <verb> [options] [files]\n\n"
		   "Builds, signs, shows and verifies the trust lists (CTL, ITL) of CUCM and of\n"
		   "other telephone systems, with hardware tokens or key files.\n\nverbs:\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(left, sizeof left, "  %s", rows[i].name);
		columns(left, rows[i].summary);
	}
	out_printf("\nKEY and CERT are files, or tokens as URIs: 'pkcs11:token=SAST-ADN008580ef'.\n"
		   "\nexit status:\n");
	for (size_t i = 0; i < COUNT(statuses); i++) {
		(void)snprintf(left, sizeof left, "  %d", (int)statuses[i].status);
		columns(left, statuses[i].meaning);
	}
	out_printf("\n");
	wrap(0, 0,
	     "examples and more: 'man ctlsign', 'man ctlsign-build' and so on; a first hour: 'man ctlsign-tutorial'");
}

void help_first(void)
{
	static const struct {
		const char *command, *what;
	} next[] = {
		{ "ctlsign show CTLFile.tlv", "look at a list" },
		{ "ctlsign verify --trust CERT CTLFile.tlv", "is it whole, and did CERT sign it" },
		{ "ctlsign tokens", "which tokens are plugged in" },
		{ "ctlsign doctor", "what is wrong on this machine, and how to mend it" },
		{ "ctlsign help", "all verbs; 'ctlsign help build' for one" },
		{ "man ctlsign-tutorial", "the first hour, step by step" },
	};

	msg_note("usage: ctlsign [--help | --version] <verb> [options] [files]");
	for (size_t i = 0; i < COUNT(next); i++)
		msg_note("  %-42s%s", next[i].command, next[i].what);
}

void help_version(void)
{
	struct sandbox s = sandbox_enter(SANDBOX_ALL, NULL);
	char text[64];

	/* It is entered to find out: a container may refuse what its kernel claims to have. */
	sandbox_text(&s, text);
	out_printf("ctlsign %s (%s)\nsandbox: %s\n", CTLSIGN_VERSION, digest_library(), text);
}

/* What other tools call a verb. */
static const char *meant_by(const char *word)
{
	static const struct {
		const char *word, *meant;
	} synonyms[] = {
#define SYNONYM(word, meant) { word, meant },
#include "signer/cli/synonyms.def"
#undef SYNONYM
	};

	for (size_t i = 0; i < COUNT(synonyms); i++)
		if (strcmp(synonyms[i].word, word) == 0)
			return synonyms[i].meant;
	return NULL;
}

enum status help_unknown_verb(const char *word, struct tlv_err *e)
{
	const char *names[COUNT(rows)];
	const char *near = meant_by(word);

	if (word[0] == '-' && word[1] != '\0')
		return err_set(
			e, ST_USAGE,
			"unknown option '%s' in front of the verb: options of a verb stand behind it",
			word);
	if (near != NULL)
		return err_set(e, ST_USAGE, "unknown verb '%s': did you mean %s?", word, near);

	for (size_t i = 0; i < COUNT(rows); i++)
		names[i] = rows[i].name;
	near = near_word(word, names, COUNT(rows));
	if (near != NULL)
		return err_set(e, ST_USAGE, "unknown verb '%s': did you mean '%s'?", word, near);
	return err_set(e, ST_USAGE, "unknown verb '%s': see 'ctlsign help'", word);
}

enum status cmd_help(const struct opts *o, struct tlv_err *e)
{
	const struct verb_row *v;

	if (o->nargs == 0) {
		help_all();
		return ST_OK;
	}
	v = verb_find(o->args[0]);
	if (v == NULL)
		return help_unknown_verb(o->args[0], e);
	help_verb(v);
	return ST_OK;
}
