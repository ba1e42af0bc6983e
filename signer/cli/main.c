/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/pin.h"
#include "signer/cli/complete.h"
#include "signer/cli/help.h"
#include "signer/cli/network.h"
#include "signer/crypto/memory.h"
#include "signer/io/out.h"
#include "signer/io/slurp.h"
#include "signer/net/net.h"
#include "signer/text/hints.h"
#include "signer/cli/verb.h"

enum { STDERR = 2 };

/* What rebuilds printed lists: read when the first one is met. */
static enum status set_hints(const struct opts *o, struct tlv_err *e)
{
	enum status st = ST_OK;

	for (size_t i = 0; i < o->n && st == ST_OK; i++)
		if (o->items[i].row->id == OPT_LIST_CERTS || o->items[i].row->id == OPT_CERTS)
			st = hints_add_certs(o->items[i].value, e);
		else if (o->items[i].row->id == OPT_ADDRESS)
			st = hints_add_address(o->items[i].value, e);
	return st;
}

static enum status set_level(const struct opts *o, struct tlv_err *e)
{
	bool quiet = opt_given(o, OPT_QUIET), verbose = opt_given(o, OPT_VERBOSE);

	if (quiet && verbose)
		return err_set(e, ST_USAGE, "'--quiet' and '--verbose' contradict each other");
	if (opt_given(o, OPT_ALLOW_LARGE) || opt_given(o, OPT_READ_LARGE))
		slurp_allow_large();
	if (set_hints(o, e) != ST_OK)
		return e->status;
	msg_set_level(quiet ? MSG_QUIET : verbose ? MSG_VERBOSE : MSG_NORMAL);
	return ST_OK;
}

static enum status run_verb(const struct verb_row *v, int argc, char **argv, struct tlv_err *e)
{
	struct opts o;
	enum status st = opts_parse(&o, v->mask, argc, argv, e);

	if (opt_given(&o, OPT_HELP)) {
		*e = TLV_ERR_INIT;
		help_verb(v);
		st = ST_OK;
	} else if (st == ST_OK && (int)o.nargs < v->min_args) {
		st = err_set(e, ST_USAGE, "%s: a file is missing: 'ctlsign %s %s'", v->name,
			     v->name, v->args);
	} else if (st == ST_OK && v->max_args >= 0 && (int)o.nargs > v->max_args) {
		st = err_set(e, ST_USAGE, "%s: '%s' is one argument too many", v->name,
			     o.args[v->max_args]);
	} else if (st == ST_OK) {
		st = set_level(&o, e);
		if (st == ST_OK)
			st = network_prepare(&o, v->mask, e);
		if (st == ST_OK)
			st = v->run(&o, e);
	}
	net_end();
	hints_free();
	opts_free(&o);
	return st;
}

static enum status run(int argc, char **argv, struct tlv_err *e)
{
	const struct verb_row *v;

	if (argc < 2) {
		help_first();
		return ST_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		help_version();
		return ST_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_all();
		return ST_OK;
	}
	if (strcmp(argv[1], "--complete") == 0) {
		complete(argc - 2, argv + 2);
		return ST_OK;
	}
	v = verb_find(argv[1]);
	if (v == NULL)
		return help_unknown_verb(argv[1], e);
	return run_verb(v, argc - 2, argv + 2, e);
}

/* A closed descriptor 1 would become the next file that is opened, and receive what is printed. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	struct tlv_err e = TLV_ERR_INIT;
	enum status st, flushed;

	hold_standard_descriptors();
	memory_watch();
	tok_pin_harden_process();
	tok_pin_sources_of(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	/* A file over the limit of its size is one that cannot be written, as on a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
	st = memory_verdict(run(argc, argv, &e), &e);
	flushed = out_flush(e.status == ST_OK ? &e : NULL);
	if (e.status != ST_OK)
		msg_error(&e);
	return err_exit_status(st != ST_OK ? st : flushed);
}
