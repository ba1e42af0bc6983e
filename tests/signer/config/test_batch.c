/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Many pieces through their stages at once: each stage once and in its turn, reports in the
 * order of feeding, no more signatures at once than asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "signer/config/batch.h"
#include "tlv/bytes.h"

enum { MOST = 2000 };

/* What has happened to a piece, in this order. */
enum happened { NOTHING, FED, PREPARED, SIGNED, FINISHED, COMMITTED, REPORTED };

struct world {
	pthread_mutex_t lock;
	pthread_cond_t more; /* signatures */
	struct batch *b;
	size_t total, fed, committed, reported, groups, largest, idle;
	size_t number[4 * MOST]; /* by slot: the piece in it */
	enum happened at[MOST];
	unsigned signing, most_signing;
	unsigned company; /* signatures that wait for each other */
	bool without_signing;
	int wrong; /* stages that came out of turn */
};

/* Moves the piece in the slot from one stage to the next. */
static void step(struct world *w, size_t slot, enum happened from, enum happened to)
{
	(void)pthread_mutex_lock(&w->lock);
	if (slot >= batch_slots(w->b) || w->at[w->number[slot]] != from)
		w->wrong++;
	w->at[w->number[slot]] = to;
	(void)pthread_mutex_unlock(&w->lock);
}

static bool feed(void *arg, size_t slot)
{
	struct world *w = arg;

	if (w->fed == w->total)
		return false;
	w->number[slot] = w->fed++;
	step(w, slot, NOTHING, FED);
	return true;
}

static void prepare(void *arg, size_t slot)
{
	step(arg, slot, FED, PREPARED);
}

/* Waits until as many run at once as the test wants. A batch that fails waits ten seconds. */
static void wait_for_company(struct world *w)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	while (w->most_signing < w->company)
		if (pthread_cond_timedwait(&w->more, &w->lock, &until) != 0)
			break;
}

static void sign(void *arg, size_t slot)
{
	struct world *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	w->signing++;
	if (w->signing > w->most_signing)
		w->most_signing = w->signing;
	(void)pthread_cond_broadcast(&w->more);
	wait_for_company(w);
	(void)pthread_mutex_unlock(&w->lock);
	if (w->company > 0)
		(void)usleep(1000); /* one too many has the time to be seen */
	step(w, slot, PREPARED, SIGNED);
	(void)pthread_mutex_lock(&w->lock);
	w->signing--;
	(void)pthread_mutex_unlock(&w->lock);
}

static void finish(void *arg, size_t slot)
{
	step(arg, slot, SIGNED, FINISHED);
}

static void commit(void *arg, size_t first, size_t n)
{
	struct world *w = arg;

	w->groups++;
	w->largest = n > w->largest ? n : w->largest;
	for (size_t i = 0; i < n; i++) {
		size_t slot = (first + i) % batch_slots(w->b);

		if (w->number[slot] != w->committed++)
			w->wrong++;
		step(w, slot, w->without_signing ? PREPARED : FINISHED, COMMITTED);
	}
}

static void report(void *arg, size_t slot)
{
	struct world *w = arg;

	if (w->number[slot] != w->reported++)
		w->wrong++;
	step(w, slot, COMMITTED, REPORTED);
}

/* As 'config verify' does: what is prepared is done. */
static void report_prepared(void *arg, size_t slot)
{
	struct world *w = arg;

	if (w->number[slot] != w->reported++)
		w->wrong++;
	step(w, slot, PREPARED, REPORTED);
}

static void idle(void *arg)
{
	((struct world *)arg)->idle++;
}

static const struct batch_ops all_stages = { feed, prepare, sign, finish, commit, report, idle };

static struct world *world_new(size_t total)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->more, NULL);
	w->total = total;
	return w;
}

static void run(struct world *w, const struct batch_ops *ops, unsigned workers, unsigned signers)
{
	assert_int_equal(batch_new(&w->b, ops, w, workers, signers, NULL), ST_OK);
	assert_true(batch_slots(w->b) <= COUNT(w->number));
	assert_int_equal(batch_run(w->b, NULL), ST_OK);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(w->fed, w->total);
	assert_int_equal(w->reported, w->total);
	for (size_t i = 0; i < w->total; i++)
		assert_int_equal(w->at[i], REPORTED);
	batch_free(&w->b);
	assert_null(w->b);
}

static void world_free(struct world *w)
{
	(void)pthread_cond_destroy(&w->more);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

static void every_piece_in_its_turn(void **state)
{
	static const struct {
		size_t total;
		unsigned workers, signers;
	} rows[] = {
		{ 0, 2, 1 },	       { 1, 2, 1 },
		{ 1, 16, 8 },	       { BATCH_GROUP - 1, 3, 1 },
		{ BATCH_GROUP, 4, 2 }, { BATCH_GROUP + 1, 5, 1 },
		{ MOST, 1, 1 },	       { MOST, 7, 3 },
		{ MOST, 2000, 1000 },  { 5, 0, 0 },
		{ MOST, 1, 8 },	       { MOST, 3, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world *w = world_new(rows[i].total);

		run(w, &all_stages, rows[i].workers, rows[i].signers);
		assert_int_equal(w->committed, w->total);
		assert_true(w->groups >= (w->total + BATCH_GROUP - 1) / BATCH_GROUP);
		assert_true(w->largest <= BATCH_GROUP);
		assert_true(w->idle > 0);
		world_free(w);
	}
}

/* As many at once as were asked for, and no more. */
static void signatures_side_by_side(void **state)
{
	(void)state;
	for (unsigned signers = 1; signers <= 4; signers++) {
		struct world *w = world_new(60);

		w->company = signers;
		run(w, &all_stages, 2 + signers, signers);
		assert_int_equal(w->most_signing, signers);
		world_free(w);
	}
}

/* To verify only: nothing is signed, and so nothing is there to finish. */
static void without_signing(void **state)
{
	struct batch_ops ops = all_stages;
	struct world *w = world_new(MOST);

	(void)state;
	ops.sign = NULL;
	w->without_signing = true;
	run(w, &ops, 3, 3);
	world_free(w);
}

static long waits(void)
{
	struct rusage used;

	assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
	return used.ru_nvcsw;
}

/* To wake another thread costs more than to verify. There were three to wake for each piece. */
static void many_pieces_are_handed_over_at_once(void **state)
{
	struct batch_ops ops = all_stages;
	struct world *w = world_new(MOST);
	long began = waits();

	(void)state;
	ops.sign = ops.finish = NULL;
	ops.commit = NULL;
	ops.report = report_prepared;
	run(w, &ops, 1, 0);
	assert_true(waits() - began < MOST);
	world_free(w);
}

/* Fewer descriptors mean fewer pieces under way, and every one of them still arrives. */
static void few_descriptors(void **state)
{
	const struct rlimit few = { .rlim_cur = 128, .rlim_max = 128 };
	struct world *w = world_new(MOST);

	(void)state;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0); /* for good: this is the last test */
	assert_int_equal(batch_new(&w->b, &all_stages, w, 4, 2, NULL), ST_OK);
	assert_int_equal(batch_slots(w->b), (128 - 64) / BATCH_DESCRIPTORS);
	batch_free(&w->b);
	run(w, &all_stages, 4, 2);
	assert_true(w->largest < BATCH_GROUP);
	world_free(w);
}

/* A signal only asks for an end, which the feeder can give. */
static void a_signal(void **state)
{
	(void)state;
	batch_catch_signals();
	assert_int_equal(batch_signal(), 0);
	batch_end_by_signal(); /* none came: the process goes on */
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(batch_signal(), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_piece_in_its_turn),
		cmocka_unit_test(signatures_side_by_side),
		cmocka_unit_test(without_signing),
		cmocka_unit_test(many_pieces_are_handed_over_at_once),
		cmocka_unit_test(a_signal),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
