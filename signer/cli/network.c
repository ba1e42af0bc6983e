/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/network.h"

#include "signer/net/net.h"

/* Options whose value is read as a list. */
static const enum opt_id lists[] = { OPT_TRUST,	       OPT_BELIEVE, OPT_PRESENT_LIST, OPT_INSTALLED,
				     OPT_TVS_CTL,      OPT_NEW_ITL, OPT_LIST,	      OPT_FROM,
				     OPT_CONFIG_TRUST, OPT_NODES,   OPT_PHONES_ITL };

enum { TIMEOUT_MAX = 86400 /* seconds */ };

static bool is_list(const struct opt_item *item)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		if (item->row->id == lists[i])
			return true;
	return false;
}

enum status network_timeout(const struct opts *o, unsigned *seconds, struct tlv_err *e)
{
	uint64_t n = NET_SECONDS;
	enum status st = opt_number(o, OPT_TIMEOUT, TIMEOUT_MAX, &n, e);

	if (st == ST_OK)
		st = opt_number(o, OPT_NET_TIMEOUT, TIMEOUT_MAX, &n, e);
	if (st == ST_OK && n == 0)
		st = err_set(e, ST_USAGE, "option '--timeout': at least 1 second");
	*seconds = (unsigned)n;
	return st;
}

enum status network_tvs(const struct opts *o, struct heard *h, const enum opt_id *others, size_t n,
			struct tlv_err *e)
{
	unsigned seconds;
	enum status st;

	if (!opt_given(o, OPT_ASK_TVS))
		return ST_OK;
	st = opt_refuse(o, others, n, "--tvs", e);
	if (st == ST_OK)
		st = network_timeout(o, &seconds, e);
	for (size_t i = 0; st == ST_OK && i < o->n; i++)
		if (o->items[i].row->id == OPT_ASK_TVS)
			st = heard_at(h, o->items[i].value, e);
	return st == ST_OK ? net_start(seconds, e) : st;
}

static enum status ask(const char *url, unsigned seconds, struct tlv_err *e)
{
	enum status st = net_start(seconds, e);

	if (st == ST_OK)
		net_ask_ahead(url);
	return st;
}

enum status network_prepare(const struct opts *o, unsigned verb, struct tlv_err *e)
{
	unsigned seconds;
	enum status st = network_timeout(o, &seconds, e);

	for (size_t i = 0; i < o->n && st == ST_OK; i++)
		if (is_list(&o->items[i]) && path_is_url(o->items[i].value))
			st = ask(o->items[i].value, seconds, e);
	for (size_t i = 0; (verb & V_LIST_ARGUMENTS) != 0 && i < o->nargs && st == ST_OK; i++)
		if (path_is_url(o->args[i]))
			st = ask(o->args[i], seconds, e);
	return st;
}
