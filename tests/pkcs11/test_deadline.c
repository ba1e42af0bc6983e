/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The deadline is the parent's: what a module does to live beyond it, and that
 * it does not.
 */
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/process.h"

/* LAB_TIMEOUT is the deadline of a request, and of the teardown. */
enum { SLACK_MS = 4000 };

/* The one that was left behind; it is killed here where nobody did before. */
static bool grandchild_lived(const struct lab *l)
{
	char path[200], line[32] = "";
	bool lived = false;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s.pids", l->counter);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		long pid = strtol(line, NULL, 10);

		assert_true(pid > 1);
		for (int i = 0; i < 10 && lab_is_alive(pid); i++)
			(void)usleep(50000);
		lived = lived || lab_is_alive(pid);
		(void)kill((pid_t)pid, SIGKILL);
	}
	(void)fclose(f);
	return lived;
}

/* Signs with this plan; it must be over in the time, whatever comes of it. */
static enum status sign_in_time(struct lab *l, const char *plan, struct tlv_err *e)
{
	int64_t begin;
	enum status st;

	lab_plan(l, "%s", plan);
	l->opt.timeout = LAB_TIMEOUT;
	begin = process_now();
	st = lab_sign(l, e);
	if (process_now() - begin > 2000 * LAB_TIMEOUT + SLACK_MS)
		fail_msg("plan '%s' took %d ms", plan, (int)(process_now() - begin));
	return st;
}

static void a_forged_page_moves_no_deadline(void **state)
{
	static const char *const calls[] = { "C_GetTokenInfo 1", "C_Login 1", "C_Sign 1" };
	struct lab *l = *state;
	char plan[64];

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		(void)snprintf(plan, sizeof plan, "%s forge 30", calls[i]);
		assert_status(sign_in_time(l, plan, &e), ST_TOKEN, &e);
		assert_text(err_text(&e), "did not answer within");
	}
}

static void warnings_that_drip_move_no_deadline(void **state)
{
	static const char *const calls[] = { "C_GetTokenInfo 1", "C_FindObjects 1", "C_Login 1",
					     "C_Sign 1" };
	struct lab *l = *state;
	char plan[64];

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		(void)snprintf(plan, sizeof plan, "%s drip 30", calls[i]);
		assert_status(sign_in_time(l, plan, &e), ST_TOKEN, &e);
		assert_text(err_text(&e), "s in C_");
		assert_text(l->warnings, "drip");
	}
}

static void a_scan_has_one_deadline(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	int64_t begin = process_now();
	struct tok_info *list;
	size_t n;

	lab_plan(l, "C_GetTokenInfo * drip 30");
	l->opt.timeout = LAB_TIMEOUT;
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_TOKEN, &e);
	assert_in_range(process_now() - begin, 900 * LAB_TIMEOUT, 1000 * LAB_TIMEOUT + SLACK_MS);
}

/* Each call is quick, all together are not. */
static void many_short_calls_are_one_request(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	char plan[64];

	(void)snprintf(plan, sizeof plan, "C_GetTokenInfo * sleep %g", LAB_TIMEOUT * 0.6);
	assert_status(sign_in_time(l, plan, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "s in C_GetTokenInfo");
}

/* The signature is there; a process that holds the line open is not waited for. */
static void a_grandchild_keeps_nobody_waiting(void **state)
{
	static const char *const plans[] = { "C_Finalize 1 grandchild stay",
					     "C_Finalize 1 grandchild away" };
	struct lab *l = *state;

	(void)signal(SIGTERM, SIG_IGN);
	for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		assert_status(sign_in_time(l, plans[i], &e), ST_OK, &e);
		(void)grandchild_lived(l);
	}
	(void)signal(SIGTERM, SIG_DFL);
}

static void at_the_deadline_the_whole_group_is_killed(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	assert_status(sign_in_time(l, "C_Sign 1 grandchild stay\nC_Sign 1 sleep 30", &e), ST_TOKEN,
		      &e);
	assert_false(grandchild_lived(l));
	e = TLV_ERR_INIT;
	assert_status(sign_in_time(l, "C_Finalize 1 grandchild stay\nC_Finalize 1 sleep 30", &e),
		      ST_OK, &e);
	assert_text(l->warnings, "s in C_Finalize");
	assert_false(grandchild_lived(l));
	e = TLV_ERR_INIT;
	assert_status(sign_in_time(l, "C_Finalize 1 grandchild stay\nC_Finalize 1 drip 30", &e),
		      ST_OK, &e);
	assert_false(grandchild_lived(l));
}

/* A flood of them is a module gone wrong, long before the time is over. */
static void warnings_without_end_are_not_believed(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_plan(l, "C_GetTokenInfo 1 flood 2000");
	assert_status(lab_sign(l, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "malformed answer");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_forged_page_moves_no_deadline),
		TEST(warnings_that_drip_move_no_deadline),
		TEST(a_scan_has_one_deadline),
		TEST(many_short_calls_are_one_request),
		TEST(a_grandchild_keeps_nobody_waiting),
		TEST(at_the_deadline_the_whole_group_is_killed),
		TEST(warnings_without_end_are_not_believed),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
