/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whether a list is believed: by which key, by whose word, and never by its own.
 * Who can attack with what is played by tests/cli/test_belief.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/crypto/certfile.h"
#include "signer/io/slurp.h"
#include "signer/trust/belief.h"
#include "signer/trust/clean.h"

#define LIST TEST_DATA_DIR "/lists/cucm.tlv"
#define PUB TEST_DATA_DIR "/cluster/pub.pem"
#define SUB TEST_DATA_DIR "/cluster/sub1.pem"
#define PUB_SHA1 "3C 3B 49 32 89 4C A8 7E 26 9B 26 A6 07 A2 A8 F0 DB BD EA 92"

static const struct tlv_warn silent = { .fn = NULL };

struct world {
	struct blob file;
	struct tlv_list list;
	struct belief belief;
	struct belief_subject subject;
	struct believed found;
	struct tlv_err e;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	w->e = TLV_ERR_INIT;
	assert_int_equal(slurp(LIST, slurp_list_max(), SLURP_REGULAR, &w->file, &w->e), ST_OK);
	assert_int_equal(tlv_list_decode(&w->list, blob_span(&w->file), &w->e), ST_OK);
	w->subject = (struct belief_subject){ LIST, &w->file.st, &w->list };
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	belief_free(&w->belief);
	tlv_list_free(&w->list);
	blob_free(&w->file);
	free(w);
	return 0;
}

static enum belief_state judge(struct world *w)
{
	assert_int_equal(belief_judge(&w->belief, &w->subject, &silent, &w->found, &w->e), ST_OK);
	return w->found.state;
}

static void trust(struct world *w, const char *arg)
{
	assert_int_equal(belief_trust(&w->belief, "--trust", arg, &silent, &w->e), ST_OK);
}

static void key_of(const char *path, struct cert *c)
{
	assert_int_equal(cert_load(c, path, NULL, &silent, NULL), ST_OK);
}

static void nobody_is_named(void **state)
{
	struct world *w = *state;

	assert_int_equal(judge(w), BELIEF_UNKNOWN);
	assert_int_equal(w->found.signer, 0);
	assert_int_equal(belief_refuse(&w->found, &w->subject, "nothing is signed", &w->e), ST_NO);
	assert_non_null(strstr(err_text(&w->e), PUB_SHA1));
	assert_non_null(strstr(err_text(&w->e), "--trust CERT"));
	assert_non_null(strstr(err_text(&w->e), "nothing is signed"));
}

static void a_key_is_a_reason(void **state)
{
	struct world *w = *state;
	struct cert sub, pub;

	key_of(SUB, &sub);
	key_of(PUB, &pub);
	assert_int_equal(belief_key(&w->belief, "-k", sub.parts.public_key, &w->e), ST_OK);
	assert_int_equal(judge(w), BELIEF_UNKNOWN);
	assert_int_equal(belief_key(&w->belief, "-k", pub.parts.public_key, &w->e), ST_OK);
	assert_int_equal(judge(w), BELIEF_GIVEN);
	assert_true(w->found.by_key);
	assert_string_equal(w->found.why, "the key of -k");
	assert_int_equal(belief_refuse(&w->found, &w->subject, "", &w->e), ST_OK);
	cert_free(&sub);
	cert_free(&pub);
}

static void a_certificate_is_a_reason(void **state)
{
	struct world *w = *state;

	trust(w, SUB);
	assert_int_equal(judge(w), BELIEF_UNKNOWN);
	trust(w, PUB);
	assert_int_equal(judge(w), BELIEF_GIVEN);
	assert_false(w->found.by_key);
	assert_string_equal(w->found.why, "--trust " PUB);
}

static void a_fingerprint_is_a_reason(void **state)
{
	static const char *const bad[] = {
		"", "3C", PUB_SHA1 " 00",
		"3C 3B 49 32 89 4C A8 7E 26 9B 26 A6 07 A2 A8 F0 DB BD EA 9", "x"
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct belief b = BELIEF_INIT;

		assert_int_equal(belief_accept_signer(&b, bad[i], &e), ST_USAGE);
		belief_free(&b);
	}
	assert_int_equal(belief_accept_signer(&w->belief, PUB_SHA1, &w->e), ST_OK);
	assert_int_equal(judge(w), BELIEF_GIVEN);
}

static void a_list_is_never_its_own_witness(void **state)
{
	struct world *w = *state;
	char copy[] = "belief-copy-XXXXXX";
	int fd = mkstemp(copy);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, w->file.p, w->file.n), (ssize_t)w->file.n);
	(void)close(fd);
	/* By its bytes, whatever the file is called. */
	trust(w, copy);
	(void)unlink(copy);
	assert_int_equal(belief_judge(&w->belief, &w->subject, &silent, &w->found, &w->e),
			 ST_USAGE);
	assert_non_null(strstr(err_text(&w->e), "cannot vouch for itself"));
}

static void nor_by_its_inode(void **state)
{
	struct world *w = *state;

	trust(w, LIST);
	/* Other bytes stand in it by now. */
	w->belief.witnesses[0].sha256[0] ^= 1;
	assert_int_equal(belief_judge(&w->belief, &w->subject, &silent, &w->found, &w->e),
			 ST_USAGE);
}

static void in_a_folder_it_only_does_not_count(void **state)
{
	struct world *w = *state;

	trust(w, TEST_DATA_DIR "/lists");
	/* Another list there has the same anchor and signer: rfc4514 and cucm-2048 have not. */
	assert_int_equal(judge(w), BELIEF_UNKNOWN);
	trust(w, TEST_DATA_DIR "/cluster");
	assert_int_equal(judge(w), BELIEF_GIVEN);
}

static void self_is_nobody(void **state)
{
	struct world *w = *state;

	assert_int_equal(belief_trust(&w->belief, "--trust", "self", &silent, &w->e), ST_USAGE);
}

static void a_changed_byte_is_bad_whoever_is_named(void **state)
{
	struct world *w = *state;

	trust(w, PUB);
	for (size_t at = 0; at < w->file.n; at += 97) {
		struct tlv_list changed;

		w->file.p[at] ^= 1;
		if (tlv_list_decode(&changed, blob_span(&w->file), NULL) == ST_OK) {
			struct belief_subject s = { LIST, &w->file.st, &changed };
			struct tlv_err e = TLV_ERR_INIT;

			if (belief_judge(&w->belief, &s, &silent, &w->found, &e) == ST_OK)
				assert_int_equal(w->found.state, BELIEF_BAD);
		}
		tlv_list_free(&changed);
		w->file.p[at] ^= 1;
	}
	assert_int_equal(judge(w), BELIEF_GIVEN);
}

/* Record 2's key becomes another one: an error, unless the record goes. */
static void an_error_stops_unless_its_record_goes(void **state)
{
	struct world *w = *state;
	struct tlv_record r = tlv_list_record(&w->list, 1);
	size_t at = r.at + span_offset(r.raw, r.public_key) + 20;
	bool gone[4] = { false, true, false, false };
	struct clean_options opt = { .name = "x", .what = "nothing is signed", .is_old = true };
	int64_t now = 1426000000;

	assert_int_equal(clean_check(&w->list, &opt, now, &w->e), ST_OK);
	w->file.p[at] ^= 1;
	assert_int_equal(clean_check(&w->list, &opt, now, &w->e), ST_NO);
	assert_non_null(strstr(err_text(&w->e), "record 2: public key"));
	opt.gone = gone;
	opt.ngone = COUNT(gone);
	w->e = TLV_ERR_INIT;
	assert_int_equal(clean_check(&w->list, &opt, now, &w->e), ST_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(nobody_is_named),
		TEST(a_key_is_a_reason),
		TEST(a_certificate_is_a_reason),
		TEST(a_fingerprint_is_a_reason),
		TEST(a_list_is_never_its_own_witness),
		TEST(nor_by_its_inode),
		TEST(in_a_folder_it_only_does_not_count),
		TEST(self_is_nobody),
		TEST(a_changed_byte_is_bad_whoever_is_named),
		TEST(an_error_stops_unless_its_record_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
