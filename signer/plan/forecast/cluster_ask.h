/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of a cluster: the words of '--renew', and '--blank-itl'.
 */
#ifndef CTL_CLUSTER_ASK_H
#define CTL_CLUSTER_ASK_H

#include "signer/plan/forecast/cluster.h"

/*
 * Marks what is to be renewed: "tvs", "callmanager@sub1". ST_USAGE if it is
 * no such word, ST_NO_MATCH if the lists show no such certificate.
 */
enum status cluster_ask(struct cluster *c, const char *what, struct tlv_err *e);

/*
 * Asks for blank ITLs while certificates change. ST_USAGE if there is a CTL, which stays as it is.
 */
enum status cluster_blank(struct cluster *c, struct tlv_err *e);

#endif
