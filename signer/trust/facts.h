/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The facts about phones and CUCM that advice rests on, with their sources.
 * Nothing is said of a cluster that is not a row here.
 */
#ifndef CTL_FACTS_H
#define CTL_FACTS_H

#include "tlv/bytes.h"

enum fact_id {
#define FACT(group, NAME, text, sources) FACT_##NAME,
#include "signer/trust/facts.def"
#undef FACT
	FACTS
};

struct fact {
	const char *text;    /* a sentence, lower case, without a full stop */
	const char *sources; /* "118893, 213407": tags that docs/CLUSTER.md lists */
	bool open;	     /* nobody says so: an assumption */
};

struct fact fact_row(enum fact_id id);

/* Appends "a phone keeps … 24 hours [213407]"; an open one as "assumed: … [open]". */
void fact_put(struct buf *out, enum fact_id id);
/* Appends " [118893, 213407]". */
void fact_put_sources(struct buf *out, enum fact_id id);

#endif
