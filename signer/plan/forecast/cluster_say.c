/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/forecast/cluster_say.h"

/* The first list of today that the release does not write so; NULL: none. */
static const struct tlv_list *unlike_release(const struct cluster *c)
{
	if (c->ctl != NULL && release_is_unlike(c->release, c->ctl))
		return c->ctl;
	for (size_t i = 0; i < c->nnodes; i++)
		if (c->nodes[i].itl != NULL && release_is_unlike(c->release, c->nodes[i].itl))
			return c->nodes[i].itl;
	return NULL;
}

bool cluster_doubts_release(const struct cluster *c)
{
	return unlike_release(c) != NULL;
}

void cluster_say_doubt(struct plan_lines *l, const struct cluster *c)
{
	const struct tlv_list *unlike = unlike_release(c);

	if (unlike != NULL)
		plan_say_unlike(l, c->release, unlike, "a list of today");
}

/* Of a list that was printed as bad nobody takes the signature to be good. */
void cluster_note_printed(struct cluster_printed *p, const struct tlv_list *l)
{
	p->any = p->any || l->stand_in;
	p->good = p->good || (l->stand_in && !l->known_bad);
}

/* The first is the line that scripts look for. */
void cluster_say_printed(struct plan_lines *l, const struct cluster_printed *p)
{
	const struct accept_assumption_row *row = accept_assumption(TVS_ASSUMES_SIGNATURE);

	if (p->good)
		buf_printf(plan_fact_line(l, PLAN_LINE_ASSUMED, row->word, row->fact), "%s: %s.",
			   row->text, row->how);
	if (p->any)
		buf_str(plan_fact_line(l, PLAN_LINE_ASSUMED, "printed", row->fact),
			"Keys, dates and addresses are not printed: certificates are told apart by their SHA-1, nodes by their names, and none of the certificates has expired.");
}
