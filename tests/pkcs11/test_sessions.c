/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Several sessions under one login, asked by several threads at once.
 */
#include <pthread.h>
#include <string.h>

#include "lab.h"

#define TOKEN "SAST-ADN008580ef"
enum { THREADS = 8, EACH = 20, INFO = 35 };

/* A thread that signs, and how it went. */
struct signer {
	pthread_t thread;
	struct tok *t;
	uint8_t info[EACH][INFO]; /* what it signs */
	uint8_t sig[EACH][TOK_SIG_MAX];
	size_t n[EACH];
	unsigned good;
	struct tlv_err err; /* the first failure's */
};

static struct signer signers[THREADS];

static void *sign_some(void *arg)
{
	struct signer *s = arg;

	for (uint32_t i = 0; i < EACH; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		if (tok_sign(s->t, span_of(s->info[i], INFO), s->sig[i], &s->n[i], &e) == ST_OK)
			s->good++;
		else if (s->err.status == ST_OK)
			s->err = e;
	}
	return NULL;
}

/* Opens, logs in once, signs in all threads; the number of good signatures. */
static unsigned sign_all(struct lab *l, unsigned sessions)
{
	struct tlv_err e = TLV_ERR_INIT;
	unsigned good = 0;
	struct tok *t;

	assert_int_equal(lab_digest_info(0).n, INFO);
	l->opt.sessions = sessions;
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	memset(signers, 0, sizeof signers);
	for (uint32_t i = 0; i < THREADS; i++) {
		signers[i].t = t;
		for (uint32_t j = 0; j < EACH; j++)
			memcpy(signers[i].info[j], lab_digest_info(i * 1000 + j).p, INFO);
		assert_int_equal(pthread_create(&signers[i].thread, NULL, sign_some, &signers[i]),
				 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(signers[i].thread, NULL), 0);
		good += signers[i].good;
	}
	tok_free(&t);
	return good;
}

/* Each thread got its own signatures, and the key file's bytes. */
static void assert_signatures(void)
{
	for (uint32_t i = 0; i < THREADS; i++)
		for (uint32_t j = 0; j < EACH; j += 5) {
			struct span want = lab_expect(TOKEN, lab_digest_info(i * 1000 + j));

			assert_int_equal(signers[i].n[j], want.n);
			assert_memory_equal(signers[i].sig[j], want.p, want.n);
		}
}

static void each_thread_gets_its_own_signatures(void **state)
{
	struct lab *l = *state;

	for (unsigned sessions = 0; sessions <= 4; sessions += 2) {
		lab_plan(l, "%s", "");
		assert_int_equal(sign_all(l, sessions), THREADS * EACH);
		assert_signatures();
		assert_int_equal(lab_count(l, "C_Login"), 1);
		assert_int_equal(lab_count(l, "C_OpenSession"), sessions == 0 ? 1 : sessions);
		assert_int_equal(lab_count(l, "C_CloseSession"), sessions == 0 ? 1 : sessions);
		assert_int_equal(lab_count(l, "C_Sign"), THREADS * EACH);
		assert_string_equal(l->warnings, "");
	}
}

static void sessions_sign_side_by_side(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "C_Sign 1-3 meet 3");
	assert_int_equal(sign_all(l, 3), THREADS * EACH);
}

static void a_token_with_few_sessions(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "C_OpenSession 3+ fail 0xb1\nC_Sign 1-2 meet 2");
	assert_int_equal(sign_all(l, 4), THREADS * EACH);
	assert_signatures();
	assert_text(l->warnings, "opened only 2 of 4 sessions (C_OpenSession: CKR_SESSION_COUNT)");
	assert_int_equal(lab_count(l, "C_Login"), 1);
}

static void more_sessions_than_libp11_keeps(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "%s", "");
	assert_int_equal(sign_all(l, 1000), THREADS * EACH);
	assert_int_equal(lab_count(l, "C_OpenSession"), 16);
}

/* The PIN that the token refused at one signature must not be sent for the next. */
static void a_login_that_failed_is_not_made_again(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "C_SignInit * user-not-logged-in\nC_GetSessionInfo * fail 0xb3\n"
		    "C_Login 2+ fail 0xa0");
	assert_int_equal(sign_all(l, 4), 0);
	assert_int_equal(lab_count(l, "C_Login"), 2);
	/* One signature of each thread may be under way then. No other one is asked for. */
	assert_true(lab_count(l, "C_SignInit") <= 2 * THREADS);
}

static void a_key_that_wants_a_login_each_time(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "always-authenticate " LAB_PIN);
	assert_int_equal(sign_all(l, 4), THREADS * EACH);
	assert_signatures();
	assert_text(l->warnings, "one at a time");
	assert_int_equal(lab_count(l, "C_OpenSession"), 1);
}

static void a_login_is_asked_for_on_the_way(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "C_Sign 30 user-not-logged-in");
	assert_int_equal(sign_all(l, 4), THREADS * EACH);
	assert_signatures();
	assert_int_equal(lab_count(l, "C_Login"), 2);
}

static unsigned threads_told(const char *text)
{
	unsigned n = 0;

	for (size_t i = 0; i < THREADS; i++)
		n += strstr(err_text(&signers[i].err), text) != NULL;
	return n;
}

static void a_failed_signature_is_one_threads_matter(void **state)
{
	struct lab *l = *state;

	lab_plan(l, "C_Sign 30 fail 0x30");
	assert_int_equal(sign_all(l, 4), THREADS * EACH - 1);
	assert_int_equal(threads_told("C_Sign: CKR_DEVICE_ERROR"), 1);
}

static void a_crash_or_a_hang_ends_it_for_all(void **state)
{
	static const struct {
		const char *plan, *text;
		bool waits;
	} rows[] = {
		{ "C_Sign 30 crash", "the token's module crashed in", false },
		/* Others may still use what exit takes away: they crash, or wait for ever. */
		{ "C_Sign 30 exit 0", "the token", true },
		{ "C_Sign 30 sleep 30", "s in C_Sign", true },
		{ "C_Sign 30 scribble 46ff00", "malformed answer", false },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		lab_plan(l, "%s", rows[i].plan);
		l->opt.timeout = rows[i].waits ? LAB_TIMEOUT : 60;
		assert_in_range(sign_all(l, 4), 10, THREADS * EACH - 1);
		assert_in_range(threads_told(rows[i].text), 1, THREADS);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_thread_gets_its_own_signatures),
		TEST(sessions_sign_side_by_side),
		TEST(a_token_with_few_sessions),
		TEST(more_sessions_than_libp11_keeps),
		TEST(a_login_that_failed_is_not_made_again),
		TEST(a_key_that_wants_a_login_each_time),
		TEST(a_login_is_asked_for_on_the_way),
		TEST(a_failed_signature_is_one_threads_matter),
		TEST(a_crash_or_a_hang_ends_it_for_all),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
