/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The cluster's own certificates, which TVS knows without an upload.
 * Source: docs/CLUSTER.md, "What TVS knows".
 */
#ifndef CTL_OWN_H
#define CTL_OWN_H

#include "signer/trust/tvs.h"

/* A list that phones load has fewer. */
enum { OWN_RECORDS_TRIED = 1000 };

/*
 * Whether the new list's record has a certificate that is taken to be the cluster's own. It is not
 * if a later list that the phone holds shows another one in its place.
 */
bool own_is_known(const struct phone *p, const struct tlv_list *new_list,
		  const struct tlv_record *r);

/*
 * Whether the lists are of two clusters: neither a node nor a server's certificate is in both.
 * False if one has no server, or more records than OWN_RECORDS_TRIED.
 */
bool own_is_foreign(const struct tlv_list *l, const struct tlv_list *other);
/* Whether the new list may be of the phone's own cluster: a list that it holds is not foreign. */
bool own_is_phones(const struct phone *p, const struct tlv_list *new_list);

#endif
