/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line, parsed by the rows of options.def and roles.def.
 */
#ifndef CTL_OPT_H
#define CTL_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlv/bytes.h"
#include "tlv/err.h"
#include "tlv/text.h"

enum verb_index {
#define VERB(NAME, name, run, args, min, max, summary) VI_##NAME,
#include "signer/cli/verbs.def"
#undef VERB
	VI_COUNT
};

enum verb_mask {
#define VERB(NAME, name, run, args, min, max, summary) V_##NAME = 1 << VI_##NAME,
#include "signer/cli/verbs.def"
#undef VERB
	V_ALL = (1 << VI_COUNT) - 1,
#define GROUP(NAME, verbs) V_##NAME = (verbs),
#include "signer/cli/verb_groups.def"
#undef GROUP
};

enum opt_id {
#define OPTION(NAME, name, short_name, metavar, repeatable, verbs, values, help) OPT_##NAME,
#include "signer/cli/options.def"
#undef OPTION
	OPT_RECORD /* --sast, --ccm-tftp, …: the role goes with it */
};

struct opt_row {
	enum opt_id id;
	const char *name;
	char short_name;     /* 0: none */
	const char *metavar; /* NULL: takes no value */
	bool repeatable;
	unsigned verbs;
	const char *values; /* all that it takes, blanks between; "": not to be listed */
	const char *help;   /* with '@' for the values: opt_put_help() */
	uint16_t role;	    /* of OPT_RECORD */
};

const struct opt_row *opt_rows(size_t *n);

/* Appends the help, with the values put in. */
void opt_put_help(struct buf *b, const struct opt_row *row);
/* Whether the option takes the value: one of its row's, or any if the row lists none. */
bool opt_takes(enum opt_id id, const char *value);
/* Appends "must be cucm, ctl-client or rfc4514". */
void opt_put_must_be(struct buf *b, enum opt_id id);

struct opt_item {
	const struct opt_row *row;
	const char *value;
};

/* Borrows argv. */
struct opts {
	unsigned verb;		/* its bit in the rows' masks */
	struct opt_item *items; /* in the order of the command line */
	size_t n;
	const char **args; /* what is no option */
	size_t nargs;
};

/*
 * ST_USAGE if an option is unknown, which names the nearest one, or was given twice. ST_USAGE also
 * if its value is missing, not wanted, or not one that the row lists.
 */
enum status opts_parse(struct opts *o, unsigned verb, int argc, char **argv, struct tlv_err *e);
void opts_free(struct opts *o);

/* The option's value, or NULL. */
const char *opt_value(const struct opts *o, enum opt_id id);
bool opt_given(const struct opts *o, enum opt_id id);
/* Whether the verb has the option: no message advises another. */
bool opt_is_offered(const struct opts *o, enum opt_id id);
/* ST_USAGE if one of these was given, which do not go with the option `with` ("--renew"). */
enum status opt_refuse(const struct opts *o, const enum opt_id *ids, size_t n, const char *with,
		       struct tlv_err *e);
/* ST_USAGE if a value of the option has control characters, which nobody means to type. */
enum status opt_plain(const struct opts *o, enum opt_id id, struct tlv_err *e);
/* A whole number from 0 to max; *out keeps its value if the option is not given. */
enum status opt_number(const struct opts *o, enum opt_id id, uint64_t max, uint64_t *out,
		       struct tlv_err *e);

#endif
