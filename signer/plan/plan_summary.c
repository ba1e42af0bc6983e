/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/plan/plan_model.h"

void plan_put_resets(struct buf *b, const struct plan_model *m)
{
	bool lscs = m->counts[PLAN_KIND_CAPF][PLAN_EVENT_RENEWED] > 0;

	if (m->resets == 0)
		buf_str(b, "No phone is reset.");
	else if (m->resets <= 2)
		buf_printf(b, "All phones are reset %s.", m->resets == 1 ? "once" : "twice");
	else
		buf_printf(b, "All phones are reset %zu times.", m->resets);
	if (lscs)
		buf_str(b, " Phones with an LSC are reset once more.");
}

static bool rests_on_assumptions(const struct plan_model *m)
{
	for (size_t i = 0; i < m->nverdicts; i++)
		if (m->verdicts[i].counts && plan_accepts(&m->verdicts[i]) &&
		    m->verdicts[i].a.assumptions != 0)
			return true;
	return false;
}

bool plan_is_dangerous(const struct plan_model *m)
{
	for (size_t i = 0; i < m->warnings.n; i++)
		if (m->warnings.v[i].kind == PLAN_LINE_DANGER)
			return true;
	return false;
}

void plan_put_summary(struct buf *b, const struct plan_model *m)
{
	bool sbd = m->refuses[LOCKOUT_SBD], plain = m->refuses[LOCKOUT_NO_SBD];

	if (m->diff.same)
		buf_printf(b, "Nothing to do: both lists are the same, %s",
			   m->diff.known == DIFF_KNOWN_BYTES ? "byte for byte" :
							       diff_known_text(&m->diff));
	else if ((sbd || plain) && plan_phases_help(m))
		buf_str(b, "REFUSED, if published at once: ITLRecovery is renewed in two phases");
	else if (sbd && plain)
		buf_str(b, "REFUSED: no phone that holds the old list takes this way");
	else if (sbd || plain)
		buf_printf(b, "REFUSED by %s",
			   lockout_class_text(sbd ? LOCKOUT_SBD : LOCKOUT_NO_SBD));
	else
		buf_printf(b, "Every class of phone takes the new list%s%s",
			   m->facts[PLAN_BRIDGE].list != NULL ? ", by way of the bridge" : "",
			   rests_on_assumptions(m) ? ", under the assumptions below" : "");
}
