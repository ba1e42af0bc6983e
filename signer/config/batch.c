/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/config/batch.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "signer/io/env.h"

enum { OWN_DESCRIPTORS = 64, TICK_MS = 200, GROUP_MS = 1000, AT_ONCE = 4 };

/* Where a piece stands. */
enum stage { FED, PREPARED, SIGNED, FINISHED };

/*
 * Pieces are numbered as they come. Each stage has the number of its next
 * one: fed >= taken >= sign_taken >= finished >= committed >= reported. To be
 * finished is what has been signed, in the order in which that happened.
 */
struct batch {
	struct batch_ops ops;
	void *arg;
	unsigned workers, signers;
	size_t slots, group, ahead;
	pthread_mutex_t lock;
	pthread_cond_t work, main, commit; /* for whom something has changed */
	unsigned idle;			   /* workers that wait */
	unsigned signing;
	size_t fed, taken, sign_taken, signed_, finished, committed, reported;
	size_t *to_finish, to_finish_first, to_finish_n; /* a ring of numbers */
	enum stage *stage;				 /* by slot */
	int64_t *finished_at;				 /* by slot, ms */
	bool closed;					 /* nothing more is fed */
	bool ends;					 /* threads go home */
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

	/* What is not signed takes microseconds: the feeder is woken for more of them at once. */
	b->ahead = (size_t)b->workers * (b->signers > 0 ? BATCH_AHEAD : BATCH_AHEAD_UNSIGNED);
	b->group = b->ops.commit != NULL ? BATCH_GROUP : 1;
	want = 2 * b->group + b->ahead;
	room = room > OWN_DESCRIPTORS ? (room - OWN_DESCRIPTORS) / BATCH_DESCRIPTORS : 1;
	b->slots = want < room ? want : room;
	if (b->slots == 0)
		b->slots = 1;
	if (b->slots < want)
		b->group = (b->slots + 2) / 3;
}

static void init_locks(struct batch *b)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&b->work, &attr);
	(void)pthread_cond_init(&b->main, &attr);
	(void)pthread_cond_init(&b->commit, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static unsigned at_most(unsigned n, unsigned most)
{
	return n < most ? n : most;
}

enum status batch_new(struct batch **out, const struct batch_ops *ops, void *arg, unsigned workers,
		      unsigned signers, struct tlv_err *e)
{
	struct batch *b = calloc(1, sizeof *b);

	*out = b;
	if (b == NULL)
		return err_nomem(e);
	b->ops = *ops;
	b->arg = arg;
	b->signers = ops->sign == NULL ? 0 : at_most(signers < 1 ? 1 : signers, BATCH_SIGNERS_MAX);
	b->workers = at_most(workers < 1 ? 1 : workers, BATCH_WORKERS_MAX);
	set_sizes(b);
	init_locks(b);
	b->stage = calloc(b->slots, sizeof *b->stage);
	b->to_finish = calloc(b->slots, sizeof *b->to_finish);
	b->finished_at = calloc(b->slots, sizeof *b->finished_at);
	if (b->stage == NULL || b->to_finish == NULL || b->finished_at == NULL) {
		batch_free(out);
		return err_nomem(e);
	}
	return ST_OK;
}

void batch_free(struct batch **b)
{
	if (*b == NULL)
		return;
	(void)pthread_cond_destroy(&(*b)->work);
	(void)pthread_cond_destroy(&(*b)->main);
	(void)pthread_cond_destroy(&(*b)->commit);
	(void)pthread_mutex_destroy(&(*b)->lock);
	free((*b)->stage);
	free((*b)->to_finish);
	free((*b)->finished_at);
	free(*b);
	*b = NULL;
}

static void wait_until(struct batch *b, pthread_cond_t *cond, int64_t until)
{
	struct timespec t = { .tv_sec = until / 1000, .tv_nsec = (long)(until % 1000) * 1000000 };

	(void)pthread_cond_timedwait(cond, &b->lock, &t);
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

static enum stage *stage_of(const struct batch *b, size_t number)
{
	return &b->stage[number % b->slots];
}

/* The caller looks here when he feeds. Nothing but the last piece wakes him when all is fed. */
static void needs_no_commit(struct batch *b)
{
	b->committed = b->finished;
	if (b->closed && b->finished == b->fed)
		(void)pthread_cond_signal(&b->main);
}

/* The committer is called when its group is full, or when nothing more will come. */
static void has_finished(struct batch *b, size_t number)
{
	*stage_of(b, number) = FINISHED;
	b->finished_at[number % b->slots] = env_ticks_ms();
	while (b->finished < b->fed && *stage_of(b, b->finished) == FINISHED &&
	       b->finished - b->committed < b->slots)
		b->finished++;
	if (b->ops.commit == NULL)
		needs_no_commit(b);
	else if (b->finished - b->committed >= b->group || (b->closed && b->finished == b->fed))
		(void)pthread_cond_signal(&b->commit);
}

/* The caller of batch_run is woken for several pieces at once. */
static void has_signed(struct batch *b)
{
	b->signed_++;
	if (!b->closed && b->fed - b->signed_ <= b->ahead / 2)
		(void)pthread_cond_signal(&b->main);
}

static bool can_sign(const struct batch *b)
{
	return b->signing < b->signers && b->sign_taken < b->taken &&
	       *stage_of(b, b->sign_taken) == PREPARED;
}

/*
 * Whoever takes a piece looks whether another should work too. A signer that
 * comes back does what it finds: beside it another is worth waking only for
 * several pieces at once.
 */
static void call_another(struct batch *b)
{
	size_t waiting = b->to_finish_n + (b->fed - b->taken);

	if (b->idle > 0 && (can_sign(b) || waiting >= (b->signing > 0 ? AT_ONCE : 1)))
		(void)pthread_cond_signal(&b->work);
}

static void sign_next(struct batch *b)
{
	size_t number = b->sign_taken++;

	b->signing++;
	call_another(b);
	run_stage(b, b->ops.sign, number);
	b->signing--;
	*stage_of(b, number) = SIGNED;
	b->to_finish[(b->to_finish_first + b->to_finish_n++) % b->slots] = number;
	has_signed(b);
}

static void finish_next(struct batch *b)
{
	size_t number = b->to_finish[b->to_finish_first];

	b->to_finish_first = (b->to_finish_first + 1) % b->slots;
	b->to_finish_n--;
	call_another(b);
	run_stage(b, b->ops.finish, number);
	has_finished(b, number);
}

static void prepare_next(struct batch *b)
{
	size_t number = b->taken++;

	call_another(b);
	run_stage(b, b->ops.prepare, number);
	*stage_of(b, number) = PREPARED;
	if (b->signers > 0)
		return;
	has_signed(b);
	has_finished(b, number);
}

/* Signing first, for it takes longest; then what is nearer to its end. */
static void *work(void *arg)
{
	struct batch *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	while (!b->ends) {
		if (can_sign(b)) {
			sign_next(b);
		} else if (b->to_finish_n > 0) {
			finish_next(b);
		} else if (b->taken < b->fed) {
			prepare_next(b);
		} else {
			b->idle++;
			(void)pthread_cond_wait(&b->work, &b->lock);
			b->idle--;
		}
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* How many are to be committed now: a group, the rest, or what has waited for long. */
static size_t ready(const struct batch *b)
{
	size_t n = b->finished - b->committed;

	if (n >= b->group)
		return b->group;
	if (n == 0 || (b->closed && b->finished == b->fed))
		return n;
	return env_ticks_ms() - b->finished_at[b->committed % b->slots] >= GROUP_MS ? n : 0;
}

static void commit_group(struct batch *b, size_t n)
{
	size_t first = b->committed;

	(void)pthread_mutex_unlock(&b->lock);
	b->ops.commit(b->arg, first % b->slots, n);
	(void)pthread_mutex_lock(&b->lock);
	b->committed = first + n;
	(void)pthread_cond_signal(&b->main);
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
			wait_until(b, &b->commit, env_ticks_ms() + TICK_MS);
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
	if (more) {
		*stage_of(b, b->fed++) = FED;
		call_another(b);
	} else {
		(void)pthread_cond_signal(&b->commit);
	}
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

		busy = report_one(b) || busy;
		if (!busy)
			wait_until(b, &b->main, env_ticks_ms() + TICK_MS);
		idle(b);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

static void end_threads(struct batch *b, const pthread_t *threads, unsigned n)
{
	(void)pthread_mutex_lock(&b->lock);
	b->ends = true;
	(void)pthread_cond_broadcast(&b->work);
	(void)pthread_cond_broadcast(&b->commit);
	(void)pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
}

enum status batch_run(struct batch *b, struct tlv_err *e)
{
	pthread_t threads[BATCH_WORKERS_MAX + 1];
	unsigned n = 0, committers = b->ops.commit != NULL;

	while (n < b->workers + committers &&
	       pthread_create(&threads[n], NULL, n < committers ? commit : work, b) == 0)
		n++;
	if (n > committers)
		loop(b); /* with fewer workers than were asked for, if the system gives no more */
	end_threads(b, threads, n);
	return n > committers ?
		       ST_OK :
		       err_set(e, ST_BUG,
			       "no thread can be started: the system's limit of processes is reached");
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
	for (size_t i = 0; i < COUNT(numbers); i++)
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
