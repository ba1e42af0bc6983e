/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a new list does to a cluster that runs an old one: the changes, what
 * each kind of phone will do, and the steps in their order.
 */
#ifndef CTL_PLAN_H
#define CTL_PLAN_H

#include <jansson.h>

#include "signer/trust/lockout.h"
#include "signer/trust/release.h"
#include "tlv/list.h"

struct heard;
struct plan_lines;

/* The rollback parameter, which makes CUCM write blank ITLs. */
enum plan_parameter { PLAN_PARAMETER_KEPT, PLAN_PARAMETER_SET, PLAN_PARAMETER_UNSET };

/* The mode of a cluster whose ITLs are planned for: an ITL does not show it. */
enum plan_mode { PLAN_MODE_NOT_MIXED, PLAN_MODE_TOKENLESS, PLAN_MODE_TOKENS };

/* Everything is borrowed, and outlives the plan. The lists are of one kind, CTL or ITL. */
struct plan_input {
	const struct tlv_list *old_list, *new_list;
	const struct tlv_list *bridge;	 /* published before new_list; NULL: none */
	const struct tlv_list *way_back; /* signed by new_list's signer; NULL: none */
	/* File names as the steps say them, "2-final/CTLFile.tlv"; NULL: the list's own name. */
	const char *old_name, *new_name, *bridge_name, *way_back_name;
	/* RSAPublicKey that will sign, if a list is not signed yet; else empty. */
	struct span new_key, bridge_key;
	struct phone tvs;	       /* what TVS holds; its lists are ignored */
	const struct heard *not_asked; /* TVS that were named, and nothing hangs on them; or NULL */
	const struct release *release; /* NULL: unknown */
	const char
		*uploads; /* folder with certificates to upload, "Phone-SAST-trust"; NULL: none */
	int64_t now;	  /* seconds since 1970 UTC */
	/*
	 * new_list does not exist yet, and CUCM will write it: these say what phones will do with
	 * it.
	 */
	bool foreseen, foreseen_refuses[LOCKOUT_CLASSES];
	/*
	 * … and whose certificates are renewed: labels of nodes; NULL: those that the lists show.
	 */
	const struct plan_lines *renewed;
	enum plan_parameter parameter; /* what the change does to it */
	enum plan_mode mode;	       /* of ITLs; a CTL says it itself */
};

struct plan_model;

struct plan {
	struct plan_model *model; /* owned */
};

/*
 * ST_USAGE if the lists are not of one kind, ST_NOMEM if memory runs out; the
 * struct is to be freed all the same. Lists that phones refuse make a plan
 * too: plan_refused() says so.
 */
enum status plan_make(struct plan *out, const struct plan_input *in, struct tlv_err *e);

/* Whether this class of phones refuses on the way: old to new, or old to bridge to new. */
bool plan_refuses(const struct plan *p, enum lockout_class phones);
/* Whether any class does. */
bool plan_refused(const struct plan *p);
/* Whether a verdict about the new list may change with what TVS says of its signer. */
bool plan_hangs_on_tvs(const struct plan *p);

/* Appends the plan as text, escaped for a terminal. out's own failure says that memory ended. */
void plan_text(const struct plan *p, struct buf *out);
/* NULL if memory runs out. */
json_t *plan_json(const struct plan *p);
/* Appends a page that needs nothing but itself, every value escaped. */
enum status plan_html(const struct plan *p, struct buf *out, struct tlv_err *e);
void plan_free(struct plan *p);

#endif
