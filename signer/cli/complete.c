/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/token.h"
#include "signer/io/out.h"
#include "signer/cli/verb.h"
#include "tlv/tables.h"

enum { C_NONE = 0, C_FILES = 1, C_DIRS = 2, C_TOKENS = 4, C_OPEN = 8, C_VERBS = 16, C_ROLES = 32 };

enum {
	CALL_SECONDS = 2, /* of one call into a module */
	ALL_SECONDS = 4	  /* of everything: somebody waits at the keyboard */
};

struct offer {
	unsigned kinds;
	const char *patterns, *words;
};

static const struct {
	enum opt_id id;
	struct offer offer;
} values[] = {
#define VALUE(OPTION, kinds, patterns, words) { OPT_##OPTION, { kinds, patterns, words } },
#define ARGUMENT(VERB, first, kinds, patterns, words)
#include "signer/cli/complete.def"
#undef VALUE
#undef ARGUMENT
};

static const struct {
	unsigned verb;
	size_t first;
	struct offer offer;
} arguments[] = {
#define VALUE(OPTION, kinds, patterns, words)
#define ARGUMENT(VERB, first, kinds, patterns, words) \
	{ V_##VERB, first, { kinds, patterns, words } },
#include "signer/cli/complete.def"
#undef VALUE
#undef ARGUMENT
};

/* What stands on the line before the word that is typed. */
struct line {
	const struct verb_row *verb;
	const struct opt_row *wants; /* the option whose value comes next */
	bool only_arguments;	     /* after "--" */
	size_t arguments;
	bool given[256]; /* by row of the options table */
	const char *module;
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void candidate(const char *current, const char *word, const char *what)
{
	if (begins(word, current)) {
		out_safe(span_str(word));
		out_printf("\t");
		out_safe(span_str(what));
		out_printf("\n");
	}
}

static void offer_words(const char *current, const char *words)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");
		char *word = span_dup(span_of(words, n));

		if (word != NULL)
			candidate(current, word, "");
		free(word);
		words += n + (words[n] == ' ');
	}
}

static void offer_verbs(const char *current)
{
	size_t n;
	const struct verb_row *v = verbs(&n);

	for (size_t i = 0; i < n; i++)
		candidate(current, v[i].name, v[i].summary);
}

static void offer_options(const struct line *l, const char *current)
{
	size_t n;
	const struct opt_row *o = opt_rows(&n);
	struct buf help = BUF_INIT;
	char word[64];

	for (size_t i = 0; i < n; i++) {
		if ((o[i].verbs & l->verb->mask) == 0 || (l->given[i] && !o[i].repeatable))
			continue;
		(void)snprintf(word, sizeof word, "--%s", o[i].name);
		buf_truncate(&help, 0);
		opt_put_help(&help, &o[i]);
		candidate(current, word, buf_cstr(&help));
	}
	buf_free(&help);
}

/* "SAST=" and the others, of update's --add. */
static void offer_roles(const char *current)
{
	size_t n;
	const struct tlv_role_row *r = tlv_roles(&n);
	char word[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(word, sizeof word, "%s=", r[i].text);
		candidate(current, word, "");
	}
}

/* The "token=..." of a canonical URI; n bytes. */
static const char *label_of(const char *uri, size_t *n)
{
	const char *at = strstr(uri, "token=");

	*n = at != NULL ? strcspn(at, ";") : 0;
	return at;
}

static bool is_unique(const struct tok_info *list, size_t n, size_t which)
{
	for (size_t i = 0; i < n; i++)
		if (i != which && strcmp(list[i].label, list[which].label) == 0)
			return false;
	return true;
}

/* "pkcs11:token=LABEL" if that selects it, and what the user began otherwise. */
static void offer_token(const struct tok_info *list, size_t n, size_t which, const char *current)
{
	struct buf uri = BUF_INIT;
	size_t length;
	const char *label = label_of(list[which].uri, &length);

	if (length > 0 && is_unique(list, n, which))
		buf_printf(&uri, "pkcs11:%.*s", (int)length, label);
	if (uri.n == 0 || !begins(buf_cstr(&uri), current)) {
		buf_truncate(&uri, 0);
		buf_str(&uri, list[which].uri);
	}
	candidate(current, buf_cstr(&uri), list[which].model);
	buf_free(&uri);
}

static void offer_tokens(const struct line *l, const char *current)
{
	struct tok_options opt = { .module = l->module, .timeout = CALL_SECONDS };
	struct tok_info *list = NULL;
	size_t n = 0;

	/* A word that cannot become a URI costs no look at the tokens. */
	if (!begins(current, "pkcs11:") && !begins("pkcs11:", current))
		return;
	(void)alarm(ALL_SECONDS);
	if (tok_scan(&list, &n, &opt, NULL) == ST_OK)
		for (size_t i = 0; i < n; i++)
			if (list[i].pin != TOK_PIN_NOT_INITIALISED)
				offer_token(list, n, i, current);
	tok_infos_free(&list, n);
}

static void offer(const struct line *l, const struct offer *what, const char *current)
{
	if ((what->kinds & C_DIRS) != 0)
		out_printf(":dirs\n");
	if ((what->kinds & C_FILES) != 0)
		out_printf(":files %s\n", what->patterns);
	if ((what->kinds & C_OPEN) != 0)
		out_printf(":open\n");
	if ((what->kinds & C_VERBS) != 0)
		offer_verbs(current);
	if ((what->kinds & C_ROLES) != 0)
		offer_roles(current);
	offer_words(current, what->words);
	if ((what->kinds & C_TOKENS) != 0)
		offer_tokens(l, current);
}

/* CERT,name=NAME,address=IP: what may stand behind the certificate. */
static bool offer_parts(const struct opt_row *o, const char *current)
{
	const char *comma = strrchr(current, ',');
	struct buf begun = BUF_INIT;

	if (comma == NULL || o->metavar == NULL || strstr(o->metavar, ",name=") == NULL)
		return false;
	out_printf(":open\n");
	for (int i = 0; i < 2; i++) {
		buf_truncate(&begun, 0);
		buf_put(&begun, span_of(current, (size_t)(comma - current)));
		buf_str(&begun, i == 0 ? ",name=" : ",address=");
		candidate(current, buf_cstr(&begun), "");
	}
	buf_free(&begun);
	return true;
}

static const struct offer *offer_of(enum opt_id id)
{
	for (size_t i = 0; i < COUNT(values); i++)
		if (values[i].id == id)
			return &values[i].offer;
	return NULL;
}

/* skip: what stands before the value in the same word. */
static void offer_value(const struct line *l, const struct opt_row *o, const char *current,
			size_t skip)
{
	const struct offer *what = offer_of(o->id);
	const char *equals = strchr(current, '=');

	/* ROLE=CERT: behind the role it is a record's. */
	if (what != NULL && (what->kinds & C_ROLES) != 0 && equals != NULL) {
		skip += (size_t)(equals + 1 - current);
		current = equals + 1;
		what = offer_of(OPT_RECORD);
	}
	if (o->id == OPT_PIN_SOURCE && begins(current, "file:")) {
		skip += strlen("file:");
		current += strlen("file:");
		what = offer_of(OPT_FILES_FROM);
	}
	if (skip > 0)
		out_printf(":skip %zu\n", skip);
	if (what != NULL && !offer_parts(o, current))
		offer(l, what, current);
	offer_words(current, o->values);
}

static void offer_argument(const struct line *l, const char *current)
{
	const struct offer *found = NULL;

	for (size_t i = 0; i < COUNT(arguments); i++)
		if (arguments[i].verb == l->verb->mask && arguments[i].first <= l->arguments)
			found = &arguments[i].offer;
	if (found != NULL)
		offer(l, found, current);
}

/* The option that a word is, of those that the verb takes; *value behind '=', or NULL. */
static const struct opt_row *option_of(const struct line *l, const char *word, const char **value)
{
	size_t n, length;
	const struct opt_row *o = opt_rows(&n);

	*value = NULL;
	for (size_t i = 0; i < n; i++) {
		if ((o[i].verbs & l->verb->mask) == 0)
			continue;
		length = strlen(o[i].name);
		if (word[1] != '-' && word[1] != '\0' && word[1] == o[i].short_name) {
			*value = word[2] != '\0' ? word + 2 : NULL;
			return &o[i];
		}
		if (begins(word, "--") && begins(word + 2, o[i].name) &&
		    (word[2 + length] == '\0' || word[2 + length] == '=')) {
			*value = word[2 + length] == '=' ? word + 3 + length : NULL;
			return &o[i];
		}
	}
	return NULL;
}

static void take_option(struct line *l, const char *word)
{
	const char *value;
	const struct opt_row *all, *o = option_of(l, word, &value);
	size_t n;

	if (o == NULL)
		return;
	all = opt_rows(&n);
	if ((size_t)(o - all) < COUNT(l->given))
		l->given[o - all] = true;
	if (o->id == OPT_MODULE && value != NULL)
		l->module = value;
	if (o->metavar != NULL && value == NULL)
		l->wants = o;
}

static void take_word(struct line *l, const char *word)
{
	if (l->wants != NULL) {
		if (l->wants->id == OPT_MODULE)
			l->module = word;
		l->wants = NULL;
	} else if (!l->only_arguments && strcmp(word, "--") == 0) {
		l->only_arguments = true;
	} else if (!l->only_arguments && word[0] == '-' && word[1] != '\0') {
		take_option(l, word);
	} else {
		l->arguments++;
	}
}

static void complete_word(const struct line *l, const char *current)
{
	const char *value = NULL;
	const struct opt_row *o = NULL;
	bool option = !l->only_arguments && current[0] == '-';

	if (l->wants == NULL && option && begins(current, "--"))
		o = option_of(l, current, &value);
	if (l->wants != NULL)
		offer_value(l, l->wants, current, 0);
	else if (o != NULL && value != NULL)
		offer_value(l, o, value, (size_t)(value - current));
	else if (option)
		offer_options(l, current);
	else
		offer_argument(l, current);
}

void complete(int argc, char **argv)
{
	struct line l = { .verb = NULL };

	if (argc < 1)
		return;
	if (argc == 1) {
		offer_verbs(argv[0]);
		candidate(argv[0], "--help", "");
		candidate(argv[0], "--version", "");
		return;
	}
	l.verb = verb_find(argv[0]);
	if (l.verb == NULL)
		return;
	for (int i = 1; i < argc - 1; i++)
		take_word(&l, argv[i]);
	complete_word(&l, argv[argc - 1]);
}
