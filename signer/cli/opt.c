/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/opt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tlv/near.h"
#include "tlv/tables.h"

static const struct opt_row rows[] = {
#define ROLE(NAME, number, text, option, shown) \
	{ OPT_RECORD, option,  0,  "CERT[,name=NAME][,address=IP]", \
	  true,	      V_BUILD, "", "a record of role " text, \
	  number },
#include "tlv/roles.def"
#undef ROLE
#define OPTION(NAME, name, short_name, metavar, repeatable, verbs, values, help) \
	{ OPT_##NAME, name, short_name, metavar, repeatable, verbs, values, help, 0 },
#include "signer/cli/options.def"
#undef OPTION
};

const struct opt_row *opt_rows(size_t *n)
{
	*n = COUNT(rows);
	return rows;
}

static const struct opt_row *row_of(enum opt_id id)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/* The first word of values; *rest is what follows it. */
static struct span first_word(const char *values, const char **rest)
{
	size_t n = strcspn(values, " ");

	*rest = values + n + (values[n] == ' ');
	return span_of(values, n);
}

/* "cucm, ctl-client or rfc4514"; a sign alone stands in quotes. */
static void put_values(struct buf *b, const char *values)
{
	const char *rest = values;

	while (*rest != '\0') {
		const char *at = rest;
		struct span word = first_word(at, &rest);
		bool sign = word.n == 1 && ispunct((unsigned char)*at);

		if (at != values)
			buf_str(b, *rest == '\0' ? " or " : ", ");
		buf_str(b, sign ? "'" : "");
		buf_put(b, word);
		buf_str(b, sign ? "'" : "");
	}
}

void opt_put_help(struct buf *b, const struct opt_row *row)
{
	size_t n = strcspn(row->help, "@");

	buf_put(b, span_of(row->help, n));
	if (row->help[n] == '\0')
		return;
	put_values(b, row->values);
	buf_str(b, row->help + n + 1);
}

static bool takes(const struct opt_row *row, const char *value)
{
	const char *rest = row->values;

	while (*rest != '\0')
		if (span_eq(first_word(rest, &rest), span_str(value)))
			return true;
	return row->values[0] == '\0';
}

bool opt_takes(enum opt_id id, const char *value)
{
	return takes(row_of(id), value);
}

void opt_put_must_be(struct buf *b, enum opt_id id)
{
	const struct opt_row *row = row_of(id);

	buf_str(b, "must be ");
	if (row != NULL)
		put_values(b, row->values);
}

static enum status not_taken(const struct opt_row *row, const char *value, struct tlv_err *e)
{
	struct buf must = BUF_INIT;

	opt_put_must_be(&must, row->id);
	(void)err_set(e, ST_USAGE, "option '--%s': unknown value '%s': %s", row->name, value,
		      buf_cstr(&must));
	buf_free(&must);
	return ST_USAGE;
}

static const char *verb_name(unsigned verb)
{
	static const char *const names[] = {
#define VERB(NAME, name, run, args, min, max, summary) name,
#include "signer/cli/verbs.def"
#undef VERB
	};
	size_t i = 0;

	while (i + 1 < COUNT(names) && (1U << i) != verb)
		i++;
	return names[i];
}

/* What other tools call an option, or what it is called elsewhere. */
static const char *meant_by(unsigned verb, const char *word, size_t n)
{
	static const struct {
		const char *word, *meant;
		unsigned verbs;
	} synonyms[] = {
#define OPT_SYNONYM(word, meant, verbs) { word, meant, verbs },
#include "signer/cli/opt_synonyms.def"
#undef OPT_SYNONYM
	};

	for (size_t i = 0; i < COUNT(synonyms); i++)
		if ((synonyms[i].verbs & verb) != 0 &&
		    span_eq(span_of(word, n), span_str(synonyms[i].word)))
			return synonyms[i].meant;
	return NULL;
}

static enum status unknown(unsigned verb, const char *word, size_t n, struct tlv_err *e)
{
	const char *names[COUNT(rows)];
	const char *near = meant_by(verb, word, n);
	char *plain;
	size_t count = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		if ((rows[i].verbs & verb) != 0)
			names[count++] = rows[i].name;
	plain = span_dup(span_of(word, n));
	if (near == NULL && plain != NULL)
		near = near_word(plain, names, count);
	free(plain);
	if (near != NULL)
		return err_set(e, ST_USAGE, "unknown option '--%.*s': did you mean '--%s'?", (int)n,
			       word, near);
	return err_set(e, ST_USAGE, "unknown option '--%.*s': see 'ctlsign %s --help'", (int)n,
		       word, verb_name(verb));
}

static const struct opt_row *find_long(unsigned verb, const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((rows[i].verbs & verb) != 0 && strlen(rows[i].name) == n &&
		    strncmp(rows[i].name, name, n) == 0)
			return &rows[i];
	return NULL;
}

static const struct opt_row *find_short(unsigned verb, char c)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((rows[i].verbs & verb) != 0 && c != 0 && rows[i].short_name == c)
			return &rows[i];
	return NULL;
}

static enum status add(struct opts *o, const struct opt_row *row, const char *value,
		       struct tlv_err *e)
{
	for (size_t i = 0; i < o->n && !row->repeatable; i++)
		if (o->items[i].row == row)
			return err_set(e, ST_USAGE, "option '--%s' is given twice", row->name);
	if (row->metavar != NULL && !takes(row, value))
		return not_taken(row, value, e);
	o->items[o->n++] = (struct opt_item){ .row = row, .value = value };
	return ST_OK;
}

/* argv[*i] is an option with its own value, or takes the next word. */
static enum status take_value(struct opts *o, const struct opt_row *row, const char *own, int argc,
			      char **argv, int *i, struct tlv_err *e)
{
	if (row->metavar == NULL && own != NULL)
		return err_set(e, ST_USAGE, "option '--%s' takes no value", row->name);
	if (row->metavar != NULL && own == NULL) {
		if (*i + 1 >= argc)
			return err_set(e, ST_USAGE, "option '--%s' needs a value: %s", row->name,
				       row->metavar);
		own = argv[++*i];
	}
	return add(o, row, own, e);
}

static enum status parse_long(struct opts *o, unsigned verb, int argc, char **argv, int *i,
			      struct tlv_err *e)
{
	const char *name = argv[*i] + 2;
	const char *equals = strchr(name, '=');
	size_t n = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct opt_row *row = find_long(verb, name, n);

	if (row == NULL)
		return unknown(verb, name, n, e);
	return take_value(o, row, equals != NULL ? equals + 1 : NULL, argc, argv, i, e);
}

static enum status parse_short(struct opts *o, unsigned verb, int argc, char **argv, int *i,
			       struct tlv_err *e)
{
	const char *word = argv[*i];
	const struct opt_row *row = find_short(verb, word[1]);
	size_t n = strcspn(word + 1, "=");

	/* With one '-' too few, "-key KEY" would be a key called "ey". */
	if (find_long(verb, word + 1, n) != NULL)
		return err_set(e, ST_USAGE, "unknown option '-%.*s': did you mean '--%.*s'?",
			       (int)n, word + 1, (int)n, word + 1);
	if (row == NULL)
		return err_set(e, ST_USAGE, "unknown option '-%c': see 'ctlsign %s --help'",
			       word[1], verb_name(verb));
	return take_value(o, row, word[2] != '\0' ? word + 2 : NULL, argc, argv, i, e);
}

enum status opts_parse(struct opts *o, unsigned verb, int argc, char **argv, struct tlv_err *e)
{
	enum status st = ST_OK;
	bool only_args = false;

	*o = (struct opts){ .verb = verb,
			    .items = calloc((size_t)argc + 1, sizeof *o->items),
			    .args = calloc((size_t)argc + 1, sizeof *o->args) };
	if (o->items == NULL || o->args == NULL)
		return err_nomem(e);
	for (int i = 0; i < argc && st == ST_OK; i++) {
		if (only_args || argv[i][0] != '-' || argv[i][1] == '\0')
			o->args[o->nargs++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			only_args = true;
		else if (argv[i][1] == '-')
			st = parse_long(o, verb, argc, argv, &i, e);
		else
			st = parse_short(o, verb, argc, argv, &i, e);
	}
	return st;
}

void opts_free(struct opts *o)
{
	free(o->items);
	free(o->args);
	*o = (struct opts){ .n = 0 };
}

const char *opt_value(const struct opts *o, enum opt_id id)
{
	for (size_t i = o->n; i > 0; i--)
		if (o->items[i - 1].row->id == id)
			return o->items[i - 1].value;
	return NULL;
}

bool opt_is_offered(const struct opts *o, enum opt_id id)
{
	const struct opt_row *row = row_of(id);

	return row != NULL && (row->verbs & o->verb) != 0;
}

bool opt_given(const struct opts *o, enum opt_id id)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].row->id == id)
			return true;
	return false;
}

enum status opt_refuse(const struct opts *o, const enum opt_id *ids, size_t n, const char *with,
		       struct tlv_err *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < o->n; j++)
			if (o->items[j].row->id == ids[i])
				return err_set(e, ST_USAGE,
					       "option '--%s' does not go with '%s': leave it out",
					       o->items[j].row->name, with);
	return ST_OK;
}

enum status opt_plain(const struct opts *o, enum opt_id id, struct tlv_err *e)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].row->id == id && span_has_control(span_str(o->items[i].value)))
			return err_set(
				e, ST_USAGE,
				"option '--%s': '%s' has control characters inside, such as a line break: type it without them",
				o->items[i].row->name, o->items[i].value);
	return ST_OK;
}

enum status opt_number(const struct opts *o, enum opt_id id, uint64_t max, uint64_t *out,
		       struct tlv_err *e)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].row->id == id && !parse_number(o->items[i].value, max, out))
			return err_set(
				e, ST_USAGE, "option '--%s': '%s' is no number from 0 to %llu",
				o->items[i].row->name, o->items[i].value, (unsigned long long)max);
	return ST_OK;
}
