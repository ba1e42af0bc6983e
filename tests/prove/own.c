/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * signer/trust/own.c: whose certificates any record and any list have. Lists have any number of
 * records: a loop over them keeps nothing but its counter.
 */
#include "signer/trust/own.h"

#include "any.h"
#include "lists.h"

bool release_has_one_itlrecovery(const struct release *r)
{
	/* A record is only ITLRecovery's own if the release is known. */
	/*@ assert known: \valid_read(r); */
	(void)r;
	return any_bool();
}

static void asked(const struct tlv_list *ctl, const struct tlv_list *itl,
		  const struct tlv_list *new_list, const struct release *release, uint16_t role)
{
	struct phone p = { .ctl = ctl,
			   .itl = itl,
			   .goes_back = any_bool(),
			   .foreign = any_bool(),
			   .release = release };
	struct tlv_record r = any_record();

	r.role = role;
	(void)own_is_known(&p, new_list, &r);
	(void)own_is_phones(&p, new_list);
	(void)own_is_foreign(new_list, new_list);
}

/* A record is one role's or another's, whoever asks. */
static void each_role(const struct tlv_list *ctl, const struct tlv_list *itl,
		      const struct tlv_list *new_list)
{
	struct release release = { .itl_signer = (enum release_signer)any_size(
					   RELEASE_NOBODY, RELEASE_ITLRECOVERY) };
	uint16_t other = (uint16_t)any_size(TLV_ROLE_SAST + 1, UINT16_MAX);

	asked(ctl, itl, new_list, NULL, TLV_ROLE_SAST);
	asked(ctl, itl, new_list, NULL, other);
	asked(ctl, itl, new_list, &release, TLV_ROLE_SAST);
	asked(ctl, itl, new_list, &release, other);
}

/* Lists that have a record or none, and two that are longer than is compared. */
static void all(size_t held, size_t newer)
{
	struct tlv_list ctl = any_list(held), itl = any_list(held), new_list = any_list(newer);

	each_role(NULL, NULL, &new_list);
	each_role(&ctl, NULL, &new_list);
	each_role(NULL, &itl, &new_list);
	each_role(&ctl, &itl, &new_list);
}

int main(void)
{
	static const size_t records[] = { 0, 1, OWN_RECORDS_TRIED, ANY_RECORDS };

	for (size_t i = 0; i < COUNT(records); i++)
		for (size_t k = 0; k < COUNT(records); k++)
			all(records[i], records[k]);
	return 0;
}
