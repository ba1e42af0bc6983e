/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists that are given as URLs, for every verb that reads lists.
 */
#ifndef CTL_NETWORK_H
#define CTL_NETWORK_H

#include "signer/cli/opt.h"
#include "signer/list/heard.h"

/* --timeout, as seconds; NET_SECONDS if it is not given. */
enum status network_timeout(const struct opts *o, unsigned *seconds, struct tlv_err *e);

/*
 * --tvs, each of them: parses it into h and starts the network's process, before the sandbox is
 * entered. ST_USAGE if one of the others was given, which say what TVS knows or presents. Nothing
 * without --tvs.
 */
enum status network_tvs(const struct opts *o, struct heard *h, const enum opt_id *others, size_t n,
			struct tlv_err *e);

/*
 * Before the sandbox is entered: starts the network's process if an argument that is read as a list
 * is a URL, and asks for all of them at once. Nothing if there is none. verb: its bit.
 */
enum status network_prepare(const struct opts *o, unsigned verb, struct tlv_err *e);

#endif
