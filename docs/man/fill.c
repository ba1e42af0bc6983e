/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: ctlsign-man-fill PAGE.scd FILLED.scd
 *
 * Puts the program's own tables into a manual page, where lines ask for it:
 *
 *   @VERBS             every verb and what it does
 *   @SYNOPSIS verb     its line of the usage
 *   @OPTIONS verb      its options
 *   @STATUS 0 1 2 …    these exit statuses and what they mean
 *
 * So that the manual cannot drift from the parser and the help. Literal blocks
 * are taken as they stand.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signer/cli/opt.h"

static const struct {
	const char *name, *args, *summary;
	unsigned mask;
} verbs[] = {
#define VERB(NAME, name, run, args, min, max, summary) { name, args, summary, V_##NAME },
#include "signer/cli/verbs.def"
#undef VERB
};

static const struct {
	const char *number;
	const char *meaning;
} statuses[] = {
#define STATUS(name, number, meaning) { #number, meaning },
#include "tlv/status.def"
#undef STATUS
};

static const char *page;
static unsigned line_number;

__attribute__((noreturn)) static void die(const char *what, const char *about)
{
	(void)fprintf(stderr, "%s:%u: %s '%s'\n", page, line_number, what, about);
	exit(1);
}

/* Text as it is, whatever scdoc means by its characters. */
static void put_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("_*\\", *s) != NULL)
			(void)fputc('\\', out);
		(void)fputc(*s, out);
	}
}

/* The same with what stands for something, FILE or X.Y, underlined. */
static void put_usage(FILE *out, const char *s)
{
	bool word = false;

	while (*s != '\0') {
		size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (n > 0 && !word && !isalnum((unsigned char)s[n])) {
			(void)fprintf(out, "_%.*s_", (int)n, s);
			s += n;
			continue;
		}
		word = isalnum((unsigned char)*s) != 0;
		put_text(out, (const char[]){ *s++, '\0' });
	}
}

static size_t find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return i;
	die("no such verb", name);
}

static void put_verbs(FILE *out, char *words)
{
	(void)words;
	for (size_t i = 0; i < COUNT(verbs); i++) {
		(void)fprintf(out, "*%s* ", verbs[i].name);
		put_usage(out, verbs[i].args);
		(void)fprintf(out, "\n\t");
		put_text(out, verbs[i].summary);
		(void)fprintf(out, "\n\n");
	}
}

static void put_synopsis(FILE *out, char *words)
{
	size_t v = find_verb(words);

	(void)fprintf(out, "*ctlsign %s* [_options_] ", verbs[v].name);
	put_usage(out, verbs[v].args);
	(void)fprintf(out, "\n");
}

static void put_options(FILE *out, char *words)
{
	size_t n;
	const struct opt_row *o = opt_rows(&n);
	unsigned mask = verbs[find_verb(words)].mask;
	struct buf help = BUF_INIT;

	for (; n > 0; n--, o++) {
		if ((o->verbs & mask) == 0)
			continue;
		if (o->short_name != 0)
			(void)fprintf(out, "*-%c*, ", o->short_name);
		(void)fprintf(out, "*--%s*", o->name);
		if (o->metavar != NULL) {
			(void)fprintf(out, " ");
			put_usage(out, o->metavar);
		}
		(void)fprintf(out, "\n\t");
		buf_truncate(&help, 0);
		opt_put_help(&help, o);
		put_text(out, buf_cstr(&help));
		(void)fprintf(out, "%s\n\n", o->repeatable ? ". May be given more than once" : "");
	}
	buf_free(&help);
}

static void put_statuses(FILE *out, char *words)
{
	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
		size_t i = 0;

		while (i < COUNT(statuses) && strcmp(statuses[i].number, word) != 0)
			i++;
		if (i == COUNT(statuses))
			die("no such status", word);
		(void)fprintf(out, "*%s*\n\t", statuses[i].number);
		put_text(out, statuses[i].meaning);
		(void)fprintf(out, "\n\n");
	}
}

static const struct {
	const char *name;
	void (*put)(FILE *out, char *words);
} directives[] = {
	{ "@VERBS", put_verbs },
	{ "@SYNOPSIS", put_synopsis },
	{ "@OPTIONS", put_options },
	{ "@STATUS", put_statuses },
};

/* scdoc takes a backslash for an escape also in literal text, and sessions would lose theirs. */
static void put_literal(FILE *out, const char *line)
{
	for (; *line != '\0'; line++)
		(void)fputs(*line == '\\' ? "\\\\" : (const char[]){ *line, '\0' }, out);
	(void)fputc('\n', out);
}

static void put_line(FILE *out, char *line)
{
	static bool literal;
	char *words;

	if (strncmp(line, "```", 3) == 0)
		literal = !literal;
	if (literal) {
		put_literal(out, line);
		return;
	}
	if (line[0] != '@') {
		(void)fprintf(out, "%s\n", line);
		return;
	}
	words = line + strcspn(line, " ");
	if (*words != '\0')
		*words++ = '\0';
	for (size_t i = 0; i < COUNT(directives); i++) {
		if (strcmp(directives[i].name, line) == 0) {
			directives[i].put(out, words);
			return;
		}
	}
	die("no such directive", line);
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *in, *out;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: ctlsign-man-fill PAGE.scd FILLED.scd\n");
		return 2;
	}
	page = argv[1];
	in = fopen(argv[1], "r");
	out = fopen(argv[2], "w");
	if (in == NULL || out == NULL)
		die("cannot open", in == NULL ? argv[1] : argv[2]);
	while (fgets(line, sizeof line, in) != NULL) {
		line_number++;
		line[strcspn(line, "\n")] = '\0';
		put_line(out, line);
	}
	(void)fclose(in);
	if (fclose(out) != 0)
		die("cannot write", argv[2]);
	return 0;
}
