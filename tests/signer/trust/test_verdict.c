/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * "Good" cannot be had but from zero errors, a verified signature and a trusted signer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signer/trust/verdict.h"
#include "tlv/bytes.h"

/* Whatever a memory full of anything holds, only one value in it is good. */
static void nothing_is_good_by_itself(void **state)
{
	struct verdict v = { 0 };
	struct tlv_findings none = TLV_FINDINGS_INIT;
	struct verdict good = verdict_make(&none, true, true);
	unsigned n = 0;

	(void)state;
	assert_true(verdict_is_bad(v));
	assert_string_equal(verdict_text(v), "bad");
	for (unsigned i = 0; i < 256; i++) {
		memset(&v, (int)i, sizeof v);
		n += verdict_is_good(v);
		assert_int_equal(verdict_is_good(v) + verdict_is_untrusted(v) + verdict_is_bad(v),
				 1);
		assert_int_equal(verdict_is_good(v), memcmp(&v, &good, sizeof v) == 0);
	}
	assert_int_equal(n, 1);
}

static void the_whole_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		struct tlv_findings f = TLV_FINDINGS_INIT;
		bool verified = (i & 1) != 0, trusted = (i & 2) != 0, error = (i & 4) != 0;
		struct verdict v;

		tlv_find(&f, TLV_FIND_LONE_SAST, 0, TLV_NO_OFFSET, "a warning");
		if (error)
			tlv_find(&f, TLV_FIND_EMPTY, 0, TLV_NO_OFFSET, "an error");
		f.nomem = (i & 8) != 0;
		v = verdict_make(&f, verified, trusted);
		assert_int_equal(verdict_is_good(v), i == 3);
		assert_int_equal(verdict_is_untrusted(v), i == 1);
		assert_string_equal(verdict_text(v), i == 3 ? "good" :
						     i == 1 ? "untrusted" :
							      "bad");
		tlv_findings_free(&f);
	}
	assert_true(verdict_is_bad(verdict_make(NULL, true, true)));
}

/* Every error alone, of the header and of a record, before and behind any number of warnings. */
static void no_error_can_hide(void **state)
{
	static const size_t crowds[] = { 0,
					 1,
					 TLV_FINDINGS_MAX - 1,
					 TLV_FINDINGS_MAX,
					 TLV_FINDINGS_MAX + 1,
					 5 * TLV_FINDINGS_MAX };
	static const enum tlv_finding_code errors[] = {
#define ERROR true
#define FORM true
#define WEAK true
#define WARNING false
#define FINDING(name, code, level) (level) ? TLV_FIND_##name : TLV_FIND_EMPTY,
#include "tlv/findings.def"
#undef FINDING
	};

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		for (size_t k = 0; k < 4 * sizeof crowds / sizeof crowds[0]; k++) {
			struct tlv_findings f = TLV_FINDINGS_INIT;
			size_t crowd = crowds[k / 4];
			const struct tlv_finding *first;

			if (k % 2 == 0)
				tlv_find(&f, errors[i], k % 4 / 2, 7, "hidden");
			for (size_t n = 0; n < crowd; n++)
				tlv_find(&f, TLV_FIND_UNKNOWN_TAG, 1, 9, "in front");
			if (k % 2 == 1)
				tlv_find(&f, errors[i], k % 4 / 2, 7, "hidden");
			assert_int_equal(f.errors, 1);
			assert_int_equal(f.warnings, crowd);
			assert_true(verdict_is_bad(verdict_make(&f, true, true)));
			first = tlv_findings_first_error(&f);
			assert_non_null(first);
			assert_string_equal(first->text, "hidden");
			tlv_findings_free(&f);
		}
}

static void what_is_not_listed_is_told(void **state)
{
	struct tlv_findings f = TLV_FINDINGS_INIT;

	(void)state;
	for (size_t i = 0; i < 3 * TLV_FINDINGS_MAX; i++) {
		tlv_find(&f, TLV_FIND_CERT_MISMATCH, i, 0, "an error");
		tlv_find(&f, TLV_FIND_UNKNOWN_TAG, i, 0, "a warning");
	}
	assert_int_equal(f.errors, 3 * TLV_FINDINGS_MAX);
	assert_int_equal(f.warnings, 3 * TLV_FINDINGS_MAX);
	assert_int_equal(f.n, 2 * TLV_FINDINGS_MAX + 2);
	assert_int_equal(f.v[f.n - 2].code, TLV_FIND_MORE_ERRORS);
	assert_true(f.v[f.n - 2].error);
	assert_int_equal(f.v[f.n - 1].code, TLV_FIND_MORE);
	assert_false(f.v[f.n - 1].error);
	tlv_findings_free(&f);
}

/* What stops a list from being signed over: by code, by record, and by what is done with it. */
static void lenience_forgives_what_it_names(void **state)
{
	static const bool gone[3] = { false, true, true };
	static const struct {
		enum tlv_finding_code code;
		size_t record;
		struct tlv_lenience lenience;
		bool error;
	} rows[] = {
		{ TLV_FIND_PADDING, 0, { .weak_keys = true, .gone = gone, .ngone = 3 }, true },
		{ TLV_FIND_PADDING, 0, { .signed_anew = true }, false },
		{ TLV_FIND_REPEATED, 0, { .signed_anew = true }, false },
		{ TLV_FIND_REPEATED, 1, { .signed_anew = true }, true },
		{ TLV_FIND_SIGNATURE_PLACE, 0, { .signed_anew = true, .weak_keys = true }, true },
		{ TLV_FIND_BAD_SIGNATURE, 0, { .signed_anew = true, .weak_keys = true }, true },
		{ TLV_FIND_WEAK_KEY, 1, { .signed_anew = true }, true },
		{ TLV_FIND_WEAK_KEY, 1, { .weak_keys = true }, false },
		{ TLV_FIND_WEAK_EXPONENT, 0, { .weak_keys = true }, false },
		{ TLV_FIND_KEY_UNUSABLE, 1, { .weak_keys = true }, true },
		{ TLV_FIND_CERT_MISMATCH, 1, { .gone = gone, .ngone = 3 }, true },
		{ TLV_FIND_CERT_MISMATCH, 2, { .gone = gone, .ngone = 3 }, false },
		{ TLV_FIND_CERT_MISMATCH, 2, { .gone = gone, .ngone = 3, .signer = 2 }, true },
		{ TLV_FIND_CERT_MISMATCH, 4, { .gone = gone, .ngone = 3 }, true },
		{ TLV_FIND_MISSING, 0, { .gone = gone, .ngone = 3 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct tlv_findings f = TLV_FINDINGS_INIT;

		f.lenience = rows[i].lenience;
		tlv_find(&f, rows[i].code, rows[i].record, TLV_NO_OFFSET, "x");
		assert_int_equal(f.v[0].error, rows[i].error);
		assert_int_equal(f.errors, rows[i].error);
		assert_int_equal(f.warnings, !rows[i].error);
		assert_int_equal(verdict_is_good(verdict_make(&f, true, true)), !rows[i].error);
		tlv_findings_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_good_by_itself),
		cmocka_unit_test(the_whole_table),
		cmocka_unit_test(no_error_can_hide),
		cmocka_unit_test(what_is_not_listed_is_told),
		cmocka_unit_test(lenience_forgives_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
