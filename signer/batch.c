/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/batch.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "signer/env.h"

enum { OWN_DESCRIPTORS = 64, TICK_MS = 200, GROUP_MS = 1000 };

/*
 * Pieces are numbered as they come. Each stage has the number of its next
 * one: fed >= taken >= signed >= finish_taken >= committed >= reported.
 */
struct batch {
	struct batch_ops ops;
	void *arg;
	unsigned jobs;
	size_t slots, group, ahead;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t fed, taken, signed_, finish_taken, committed, reported;
	bool *prepared, *finished; /* by slot */
	int64_t *finished_at;	   /* by slot, ms */
	bool closed;		   /* nothing more is fed */
	bool ends;		   /* threads go home */
};

static volatile sig_atomic_t signal_seen;

size_t batch_slots(const struct batch *b)
{
	return b->slots;
}

/* The hard limit is ours to use; what is left of it bounds the pieces under way. */
static size_t descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 256;
	if (r.rlim_cur < 4096 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max < 4096 ? r.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &r);
		(void)getrlimit(RLIMIT_NOFILE, &r);
	}
	return r.rlim_cur > 1 << 16 ? 1 << 16 : (size_t)r.rlim_cur;
}

static void set_sizes(struct batch *b)
{
	size_t room = descriptors(), want;

	b->ahead = (size_t)b->jobs * BATCH_AHEAD;
	b->group = b->ops.commit != NULL ? BATCH_GROUP : 1;
	want = 2 * b->group + b->ahead;
	room = room > OWN_DESCRIPTORS ? (room - OWN_DESCRIPTORS) / BATCH_DESCRIPTORS : 1;
	b->slots = want < room ? want : room;
	if (b->slots == 0)
		b->slots = 1;
	if (b->slots < want)
		b->group = (b->slots + 2) / 3;
}

enum status batch_new(struct batch **out, const struct batch_ops *ops, void *arg, unsigned jobs,
		      struct tlv_err *e)
{
	struct batch *b = calloc(1, sizeof *b);
	pthread_condattr_t attr;

	*out = b;
	if (b == NULL)
		return err_nomem(e);
	b->ops = *ops;
	b->arg = arg;
	b->jobs = jobs < 1 ? 1 : jobs > BATCH_JOBS_MAX ? BATCH_JOBS_MAX : jobs;
	set_sizes(b);
	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&b->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	b->prepared = calloc(b->slots, sizeof *b->prepared);
	b->finished = calloc(b->slots, sizeof *b->finished);
	b->finished_at = calloc(b->slots, sizeof *b->finished_at);
	if (b->prepared == NULL || b->finished == NULL || b->finished_at == NULL) {
		batch_free(out);
		return err_nomem(e);
	}
	return ST_OK;
}

void batch_free(struct batch **b)
{
	if (*b == NULL)
		return;
	(void)pthread_cond_destroy(&(*b)->changed);
	(void)pthread_mutex_destroy(&(*b)->lock);
	free((*b)->prepared);
	free((*b)->finished);
	free((*b)->finished_at);
	free(*b);
	*b = NULL;
}

static void wait_a_while(struct batch *b)
{
	int64_t until = env_ticks_ms() + TICK_MS;
	struct timespec t = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

	(void)pthread_cond_timedwait(&b->changed, &b->lock, &t);
}

/* A stage runs without the lock. */
static void run_stage(struct batch *b, void (*stage)(void *, size_t), size_t number)
{
	if (stage == NULL)
		return;
	(void)pthread_mutex_unlock(&b->lock);
	stage(b->arg, number % b->slots);
	(void)pthread_mutex_lock(&b->lock);
}

static void finish_next(struct batch *b)
{
	size_t number = b->finish_taken++;

	run_stage(b, b->ops.finish, number);
	b->finished_at[number % b->slots] = env_ticks_ms();
	b->finished[number % b->slots] = true;
	(void)pthread_cond_broadcast(&b->changed);
}

static void prepare_next(struct batch *b)
{
	size_t number = b->taken++;

	run_stage(b, b->ops.prepare, number);
	b->prepared[number % b->slots] = true;
	(void)pthread_cond_broadcast(&b->changed);
}

/* What is nearer to its end comes first. */
static void *work(void *arg)
{
	struct batch *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->ends) {
		if (b->finish_taken < b->signed_)
			finish_next(b);
		else if (b->taken < b->fed)
			prepare_next(b);
		else
			(void)pthread_cond_wait(&b->changed, &b->lock);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* How many wait for their commit, and whether it is time for it. */
static size_t ready(const struct batch *b)
{
	size_t n = 0;
	bool all;

	while (b->committed + n < b->finish_taken && n < b->group &&
	       b->finished[(b->committed + n) % b->slots])
		n++;
	all = b->closed && b->committed + n == b->fed;
	if (n == 0 || n == b->group || all)
		return n;
	return env_ticks_ms() - b->finished_at[b->committed % b->slots] >= GROUP_MS ? n : 0;
}

static void commit_group(struct batch *b, size_t n)
{
	size_t first = b->committed;

	if (b->ops.commit != NULL) {
		(void)pthread_mutex_unlock(&b->lock);
		b->ops.commit(b->arg, first % b->slots, n);
		(void)pthread_mutex_lock(&b->lock);
	}
	for (size_t i = first; i < first + n; i++)
		b->prepared[i % b->slots] = b->finished[i % b->slots] = false;
	b->committed = first + n;
	(void)pthread_cond_broadcast(&b->changed);
}

static void *commit(void *arg)
{
	struct batch *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->ends) {
		size_t n = ready(b);

		if (n > 0)
			commit_group(b, n);
		else
			wait_a_while(b);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

static bool feed_one(struct batch *b)
{
	bool more;

	if (b->closed || b->fed - b->reported >= b->slots || b->fed - b->signed_ >= b->ahead)
		return false;
	(void)pthread_mutex_unlock(&b->lock);
	more = b->ops.feed(b->arg, b->fed % b->slots);
	(void)pthread_mutex_lock(&b->lock);
	b->closed = !more;
	b->fed += more;
	(void)pthread_cond_broadcast(&b->changed);
	return true;
}

static bool sign_one(struct batch *b)
{
	if (b->signed_ >= b->taken || !b->prepared[b->signed_ % b->slots])
		return false;
	run_stage(b, b->ops.sign, b->signed_);
	b->signed_++;
	(void)pthread_cond_broadcast(&b->changed);
	return true;
}

static bool report_one(struct batch *b)
{
	if (b->reported == b->committed)
		return false;
	run_stage(b, b->ops.report, b->reported);
	b->reported++;
	return true;
}

static void idle(struct batch *b)
{
	if (b->ops.idle == NULL)
		return;
	(void)pthread_mutex_unlock(&b->lock);
	b->ops.idle(b->arg);
	(void)pthread_mutex_lock(&b->lock);
}

static void loop(struct batch *b)
{
	(void)pthread_mutex_lock(&b->lock);
	while (!b->closed || b->reported < b->fed) {
		bool busy = feed_one(b);

		busy = sign_one(b) || busy;
		busy = report_one(b) || busy;
		if (!busy)
			wait_a_while(b);
		idle(b);
	}
	b->ends = true;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
}

static void end_threads(struct batch *b, const pthread_t *threads, unsigned n)
{
	(void)pthread_mutex_lock(&b->lock);
	b->ends = true;
	(void)pthread_cond_broadcast(&b->changed);
	(void)pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
}

enum status batch_run(struct batch *b, struct tlv_err *e)
{
	pthread_t threads[BATCH_JOBS_MAX + 1];
	unsigned n = 0;

	while (n <= b->jobs && pthread_create(&threads[n], NULL, n == 0 ? commit : work, b) == 0)
		n++;
	if (n > 1)
		loop(b); /* with fewer workers than were asked for, where the system gives no more */
	end_threads(b, threads, n);
	return n > 1 ? ST_OK :
		       err_set(e, ST_BUG,
			       "no thread can be started: the system's limit of processes is "
			       "reached");
}

static void on_signal(int number)
{
	signal_seen = number;
}

void batch_catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;

	(void)sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &act, NULL);
}

int batch_signal(void)
{
	return (int)signal_seen;
}

void batch_end_by_signal(void)
{
	int number = batch_signal();

	if (number == 0)
		return;
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}
