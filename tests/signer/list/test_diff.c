/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The diff engine against a table: two lists in, what became of each record out.
 */
#include <stdio.h>
#include <time.h>

#include "tests/signer/list/diff_lists.h"

static const char *const field_keys[] = {
#define DIFF_FIELD(NAME, key, label, differs, put, respelled) key,
#include "signer/list/diff.def"
#undef DIFF_FIELD
};

/* "same 1>1; renewed 2>2 serial,key; added 3; removed 4" */
static void describe(struct buf *b, const struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diff_entry *x = &d->v[i];

		buf_printf(b, "%s%s ", i > 0 ? "; " : "", diff_kind_text(x->kind));
		if (x->old != DIFF_NO_RECORD)
			buf_printf(b, "%zu", x->old + 1);
		if (x->new != DIFF_NO_RECORD)
			buf_printf(b, ">%zu", x->new + 1);
		if (x->moved)
			buf_str(b, "!");
		if (x->fields != 0)
			buf_str(b, " ");
		put_bits_text(b, x->fields, field_keys, COUNT(field_keys));
	}
}

/* What another certificate of the same name and size changes. */
#define RENEWAL "serial,key,certificate"
#define NEW_NAME "subject,issuer," RENEWAL

static const struct {
	const char *what;
	struct rec old[MOST + 1], new[MOST + 1];
	const char *expected;
} cases[] = {
	{ "nothing in nothing", { END }, { END }, "" },
	{ "the same list",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "same 1>1; same 2>2" },
	{ "all new", { END }, { { CAPF, 'A', "x", "x", 1, CUCM }, END }, "added >1" },
	{ "all gone", { { CAPF, 'A', "x", "x", 1, CUCM }, END }, { END }, "removed 1" },

	/* Renewed: by role and address. */
	{ "CallManager renewed: both of its rows",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "pub", "pub", 1, CUCM }, { BOTH, 'B', "pub", "pub", 1, CUCM }, END },
	  "renewed 1>1 " RENEWAL "; renewed 2>2 " RENEWAL },
	{ "renewed with a longer key",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'b', "pub", "pub", 1, CUCM }, END },
	  "renewed 1>1 serial,key,key_size,certificate" },
	{ "CAPF renewed has a new subject",
	  { { CAPF, 'A', "CAPF-1111", "pub", 1, CUCM }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", 1, CUCM }, END },
	  "renewed 1>1 " NEW_NAME },
	{ "CAPF renewed, at another place in the list",
	  { { CAPF, 'A', "CAPF-1111", "pub", 1, CUCM },
	    { BOTH, 'B', "pub", "pub", 1, CUCM },
	    { BOTH, 'C', "sub", "sub", 2, CUCM },
	    END },
	  { { BOTH, 'B', "pub", "pub", 1, CUCM },
	    { BOTH, 'C', "sub", "sub", 2, CUCM },
	    { CAPF, 'D', "CAPF-2222", "pub", 1, CUCM },
	    END },
	  "same 2>1; same 3>2; renewed 1>3! " NEW_NAME },
	{ "a node renamed: name and certificate",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "west", "west", 2, CUCM }, END },
	  "renewed 1>1 name," NEW_NAME },
	{ "TVS renewed",
	  { { TVS, 'A', "pub", "pub", 1, CUCM }, { TVS, 'B', "sub", "sub", 2, CUCM }, END },
	  { { TVS, 'A', "pub", "pub", 1, CUCM }, { TVS, 'C', "sub", "sub", 2, CUCM }, END },
	  "same 1>1; renewed 2>2 " RENEWAL },
	{ "one certificate of two nodes renewed",
	  { { BOTH, 'A', "pub-ms", "pub", 1, CUCM }, { BOTH, 'A', "pub-ms", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "pub-ms", "sub", 2, CUCM }, { BOTH, 'B', "pub-ms", "pub", 1, CUCM }, END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
	{ "IPADDRESS missing: the CTL Client's name is the address",
	  { { CAPF, 'A', "CAPF-1111", "10.48.47.1", -1, CLIENT }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", 1, CUCM }, END },
	  "renewed 1>1 name,address," NEW_NAME ",dialect" },
	{ "a wrong address length in both",
	  { { CAPF, 'A', "CAPF-1111", NULL, 1, LONG_ADDRESS }, END },
	  { { CAPF, 'B', "CAPF-2222", NULL, 1, LONG_ADDRESS }, END },
	  "renewed 1>1 " NEW_NAME },

	/* Renewed: by role and subject, or name. */
	{ "renewed and re-addressed",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'B', "sub", "sub", 3, CUCM }, END },
	  "renewed 1>1 address," RENEWAL },
	{ "renewed without addresses",
	  { { BOTH, 'A', "pub", NULL, -1, RFC4514 }, { BOTH, 'B', "sub", NULL, -1, RFC4514 }, END },
	  { { BOTH, 'C', "sub", NULL, -1, RFC4514 }, { BOTH, 'A', "pub", NULL, -1, RFC4514 }, END },
	  "renewed 2>1! " RENEWAL "; same 1>2" },
	{ "renewed, new subject, no address: by its node's name",
	  { { CAPF, 'A', "CAPF-1111", "pub", -1, CUCM }, END },
	  { { CAPF, 'B', "CAPF-2222", "pub", -1, CUCM }, END },
	  "renewed 1>1 " NEW_NAME },
	{ "new subject, no address, no name: nothing tells that it is the same",
	  { { CAPF, 'A', "CAPF-1111", NULL, -1, RFC4514 }, END },
	  { { CAPF, 'B', "CAPF-2222", NULL, -1, RFC4514 }, END },
	  "added >1; removed 1" },
	{ "another role: no renewal",
	  { { CCM, 'A', "pub", "pub", 1, CUCM }, END },
	  { { TFTP, 'B', "pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1" },
	{ "a node replaced by another elsewhere",
	  { { BOTH, 'A', "sub1", "sub1", 2, CUCM }, END },
	  { { BOTH, 'B', "sub2", "sub2", 3, CUCM }, END },
	  "added >1; removed 1" },

	/* Anchors: several SAST records at one address. */
	{ "the old anchor kept one generation",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "pub", "pub", 1, CUCM },
	    { SAST, 'A', "pub", "pub", 1, CUCM },
	    { BOTH, 'B', "pub", "pub", 1, CUCM },
	    END },
	  "added >1; same 1>2; renewed 2>3 " RENEWAL },
	{ "CallManager and ITLRecovery renewed, exchanged",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'C', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    { SAST, 'D', "pub", "pub", 1, CUCM },
	    END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
	{ "both renewed and renamed",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'C', "ITLRECOVERY_w", "w", 1, CUCM }, { SAST, 'D', "w", "w", 1, CUCM }, END },
	  "renewed 2>1! name," NEW_NAME "; renewed 1>2 name," NEW_NAME },
	{ "ITLRecovery is no CallManager's successor",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'B', "ITLRECOVERY_pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1" },
	{ "tokenless to tokens",
	  { { SAST, 'A', "pub", "pub", 1, CUCM },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    { CAPF, 'B', "CAPF-1111", "pub", 1, CUCM },
	    END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    { CAPF, 'B', "CAPF-1111", "pub", 1, CUCM },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    END },
	  "added >1; removed 1; same 2>2; same 3>3; added >4" },
	{ "tokens to tokenless",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    { BOTH, 'A', "pub", "pub", 1, CUCM },
	    END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "added >1; removed 1; removed 2; same 3>2" },
	{ "a lost token and its replacement",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'U', "T:SAST-2", "", 0, CLIENT },
	    END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT },
	    { SAST, 'V', "T:SAST-3", "", 0, CLIENT },
	    END },
	  "same 1>1; added >2; removed 2" },
	{ "an address of tokens says nothing",
	  { { SAST, 'T', "T:SAST-1", "", 1, CLIENT }, { SAST, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'U', "T:SAST-2", "", 1, CLIENT }, END },
	  "added >1; removed 1; removed 2" },
	{ "a token certified anew",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'U', "T:SAST-1", "", 0, CLIENT }, END },
	  "renewed 1>1 " RENEWAL },
	{ "one row of a certificate gone",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "removed 1; same 2>1" },

	/* Changed: the same certificate. */
	{ "re-addressed",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'A', "sub", "sub", 9, CUCM }, END },
	  "changed 1>1 address" },
	{ "another name in the record alone",
	  { { BOTH, 'A', "sub", "sub", 2, CUCM }, END },
	  { { BOTH, 'A', "sub", "west", 2, CUCM }, END },
	  "changed 1>1 name" },
	{ "two nodes exchange their addresses",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 2, CUCM }, { BOTH, 'B', "b", "b", 1, CUCM }, END },
	  "changed 1>1 address; changed 2>2 address" },
	{ "the certificate's role",
	  { { CCM, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  "changed 1>1 role" },
	{ "name, address and place",
	  { { CAPF, 'B', "c", "c", 1, CUCM },
	    { BOTH, 'A', "sub", "sub", 2, CUCM },
	    { TFTP, 'C', "t", "t", 3, CUCM },
	    END },
	  { { BOTH, 'A', "sub", "w", 9, CUCM },
	    { CAPF, 'B', "c", "c", 1, CUCM },
	    { TFTP, 'C', "t", "t", 3, CUCM },
	    END },
	  "changed 2>1! name,address; same 1>2; same 3>3" },
	{ "the dialect",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "10.48.47.1", 1, CLIENT }, END },
	  "changed 1>1 name,dialect" },
	{ "a token's serial read the other way round",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'T', "T:SAST-1", "", 0, CUCM }, END },
	  "changed 1>1 subject,issuer,serial,dialect" },
	{ "mixed to non-secure",
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { SAST, 'A', "pub", "pub", 1, CUCM }, { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END },
	  "same 1>1; changed 2>2 certificate" },
	{ "non-secure to mixed, with another certificate meanwhile",
	  { { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, CUCM }, END },
	  "changed 1>1 certificate" },
	{ "non-secure without addresses",
	  { { BOTH, NOBODY, NULL, "pub", -1, CUCM }, { BOTH, NOBODY, NULL, "sub", -1, CUCM }, END },
	  { { BOTH, 'A', "sub", "sub", -1, CUCM }, { BOTH, 'B', "pub", "pub", -1, CUCM }, END },
	  "changed 2>1! certificate; changed 1>2 certificate" },
	{ "a hash in the certificate's place",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, HASHED }, END },
	  "changed 1>1 certificate,certificate_hash" },
	{ "another hash",
	  { { BOTH, 'A', "pub", "pub", 1, HASHED }, END },
	  { { BOTH, 'B', "pub", "pub", 1, HASHED }, END },
	  "renewed 1>1 serial,certificate_hash" },
	{ "another certificate's hash in the certificate's place",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, HASHED }, END },
	  "renewed 1>1 serial,certificate,certificate_hash" },
	{ "an unknown tag",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, UNKNOWN_TAG }, END },
	  "changed 1>1 other" },
	{ "an unknown tag, renewed",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'B', "pub", "pub", 1, UNKNOWN_TAG }, END },
	  "renewed 1>1 " RENEWAL ",other" },
	{ "the order of fields",
	  { { BOTH, 'A', "pub", "pub", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "pub", 1, OTHER_ORDER }, END },
	  "changed 1>1 other" },
	{ "a name without its NUL",
	  { { BOTH, 'A', "pub", "", 1, CUCM }, END },
	  { { BOTH, 'A', "pub", "", 1, NO_NUL }, END },
	  "changed 1>1 name" },

	/* Order and duplicates. */
	{ "one put in front moves nothing",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  { { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  "added >1; same 1>2; same 2>3" },
	{ "one taken from the middle moves nothing",
	  { { BOTH, 'A', "a", "a", 1, CUCM },
	    { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 2, CUCM }, END },
	  "same 1>1; removed 2; same 3>2" },
	{ "the last put in front: one has moved",
	  { { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    { CAPF, 'C', "c", "c", 3, CUCM },
	    END },
	  { { CAPF, 'C', "c", "c", 3, CUCM },
	    { BOTH, 'A', "a", "a", 1, CUCM },
	    { BOTH, 'B', "b", "b", 2, CUCM },
	    END },
	  "moved 3>1!; same 1>2; same 2>3" },
	{ "one of two equal records gone",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  "same 1>1; removed 2" },
	{ "a record doubled",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  "same 1>1; added >2" },
	{ "equal records renewed: the first with the first",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'A', "a", "a", 1, CUCM }, END },
	  { { BOTH, 'B', "a", "a", 1, CUCM }, { BOTH, 'B', "a", "a", 1, CUCM }, END },
	  "renewed 1>1 " RENEWAL "; renewed 2>2 " RENEWAL },
	{ "the unchanged one of two similar records",
	  { { BOTH, 'A', "a", "x", 1, CUCM }, { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  { { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  "removed 1; same 2>1" },
	{ "one certificate at two addresses: by address",
	  { { BOTH, 'A', "a", "x", 1, CUCM }, { BOTH, 'A', "a", "x", 2, CUCM }, END },
	  { { BOTH, 'A', "a", "y", 2, CUCM }, { BOTH, 'A', "a", "y", 1, CUCM }, END },
	  "changed 2>1! name; changed 1>2 name" },
	{ "two certificates of one serial number: by certificate",
	  { { SAST, 'T', "T:1", "x", 0, CUCM }, { SAST, 'T', "T:2", "x", 0, CUCM }, END },
	  { { SAST, 'T', "T:2", "y", 0, CUCM }, { SAST, 'T', "T:1", "y", 0, CUCM }, END },
	  "changed 2>1! name; changed 1>2 name" },
	{ "two of one subject, hashes now: by serial number",
	  { { BOTH, 'A', "pub", NULL, 1, CUCM }, { BOTH, 'B', "pub", NULL, 2, CUCM }, END },
	  { { BOTH, 'B', "pub", NULL, 3, HASHED }, { BOTH, 'A', "pub", NULL, 4, HASHED }, END },
	  "changed 2>1! address,certificate,certificate_hash; "
	  "changed 1>2 address,certificate,certificate_hash" },
	{ "a token certified anew, in another dialect",
	  { { SAST, 'T', "T:SAST-1", "", 0, CLIENT }, END },
	  { { SAST, 'U', "T:SAST-1", "", 0, CUCM }, END },
	  "renewed 1>1 subject,issuer," RENEWAL ",dialect" },
	{ "a new certificate's hash, without address: by the subject as written",
	  { { BOTH, 'A', "pub", NULL, -1, RFC4514 }, END },
	  { { BOTH, 'B', "pub", NULL, -1, HASHED }, END },
	  "renewed 1>1 serial,certificate,certificate_hash" },
	{ "of two at one address that of the same subject",
	  { { BOTH, 'A', "a", "a", 1, CUCM }, { BOTH, 'B', "b", "b", 1, CUCM }, END },
	  { { BOTH, 'C', "b", "b", 1, CUCM }, { BOTH, 'D', "a", "a", 1, CUCM }, END },
	  "renewed 2>1! " RENEWAL "; renewed 1>2 " RENEWAL },
};

static void test_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct buf said = BUF_INIT;
		struct made old, new;
		struct diff d;

		make(&old, &plain_header, cases[i].old);
		make(&new, &plain_header, cases[i].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		describe(&said, &d);
		if (strcmp(buf_cstr(&said), cases[i].expected) != 0)
			fail_msg("%s:\n  got    %s\n  wanted %s", cases[i].what, buf_cstr(&said),
				 cases[i].expected);
		assert_int_equal(d.same, span_eq(old.list.bytes, new.list.bytes));
		diff_free(&d);
		buf_free(&said);
		made_free(&old);
		made_free(&new);
	}
}

/* Each old record and each new one appears once, whatever the lists. */
static void test_every_record_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(cases); i++) {
		size_t seen_old[MOST] = { 0 }, seen_new[MOST] = { 0 }, total = 0;
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;

		make(&old, &plain_header, cases[i / COUNT(cases)].old);
		make(&new, &plain_header, cases[i % COUNT(cases)].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		for (size_t k = 0; k < d.n; k++) {
			if (d.v[k].old != DIFF_NO_RECORD)
				seen_old[d.v[k].old]++;
			if (d.v[k].new != DIFF_NO_RECORD)
				seen_new[d.v[k].new]++;
		}
		for (size_t k = 0; k < MOST; k++) {
			assert_int_equal(seen_old[k], k < old.list.nrecords);
			assert_int_equal(seen_new[k], k < new.list.nrecords);
		}
		for (size_t k = 0; k < DIFF_KINDS; k++)
			total += d.count[k];
		assert_int_equal(total, d.n);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

/* All that thousands of records may do to the clock; a square of them would take minutes. */
static void compare_many(bool reversed, bool same_place, char new_cert)
{
#ifdef __SANITIZE_ADDRESS__
	enum { MANY = 2000 };
#else
	enum { MANY = 10000 };
#endif
	struct tlv_err e = TLV_ERR_INIT;
	struct made old, new;
	struct diff d;
	clock_t begun;

	start(&old, &plain_header);
	start(&new, &plain_header);
	for (int i = 0; i < MANY; i++) {
		char a[16], b[16];
		int k = reversed ? MANY - 1 - i : i;

		(void)snprintf(a, sizeof a, "n%d", i);
		(void)snprintf(b, sizeof b, "n%d", k);
		put_record(&old.bytes, &(struct rec){ BOTH, 'A', same_place ? "x" : a,
						      same_place ? "x" : a, 1, CUCM });
		put_record(&new.bytes, &(struct rec){ BOTH, new_cert, same_place ? "x" : b,
						      same_place ? "x" : b, 1, CUCM });
	}
	finish(&old);
	finish(&new);
	begun = clock();
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < 10);
	assert_int_equal(d.n, MANY);
	assert_int_equal(d.count[DIFF_ADDED] + d.count[DIFF_REMOVED], 0);
	if (new_cert != 'A')
		assert_int_equal(d.count[DIFF_RENEWED], MANY);
	else
		assert_int_equal(d.count[DIFF_SAME], reversed && !same_place ? 1 : MANY);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

static void test_many(void **state)
{
	(void)state;
	compare_many(false, false, 'A');
	compare_many(true, false, 'A');
	compare_many(true, false, 'B');
	compare_many(false, true, 'A');
	compare_many(false, true, 'B');
}

static void test_json_has_every_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;
		json_t *o;

		make(&old, &plain_header, cases[i].old);
		make(&new, &plain_header, cases[i].new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		o = diff_json(&d);
		assert_non_null(o);
		assert_int_equal(json_array_size(json_object_get(o, "records")), d.n);
		for (size_t k = 0; k < d.n; k++) {
			json_t *x = json_array_get(json_object_get(o, "records"), k);
			json_t *changes = json_object_get(x, "changes");

			assert_string_equal(json_string_value(json_object_get(x, "kind")),
					    diff_kind_text(d.v[k].kind));
			assert_int_equal(
				json_array_size(changes),
				(size_t)__builtin_popcount(d.v[k].fields & ~d.v[k].respelled));
		}
		json_decref(o);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_every_record_once),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_json_has_every_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
