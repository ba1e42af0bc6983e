/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Many pieces of work, each through the same stages, several at once:
 * prepared ahead, signed by as many at once as may be, finished, committed in
 * groups, reported in the order in which they came.
 */
#ifndef CTL_BATCH_H
#define CTL_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "tlv/err.h"

enum {
	BATCH_JOBS_MAX = 64,
	BATCH_SIGNERS_MAX = BATCH_JOBS_MAX + 1,
	BATCH_WORKERS_MAX = BATCH_JOBS_MAX + BATCH_SIGNERS_MAX,
	BATCH_GROUP = 256,	   /* pieces that are committed at once, or what a second brings */
	BATCH_AHEAD = 8,	   /* pieces for each worker to be ahead of the signatures */
	BATCH_AHEAD_UNSIGNED = 64, /* the same if nothing is signed */
	BATCH_DESCRIPTORS = 4	   /* that a piece may hold open */
};

/*
 * The stages. A slot is a number below batch_slots() and belongs to one piece
 * from feed to report. A stage that is NULL costs nothing; without signing
 * there is nothing to finish.
 */
struct batch_ops {
	/* By the caller of batch_run: the next piece; false: there is none. */
	bool (*feed)(void *arg, size_t slot);
	void (*prepare)(void *arg, size_t slot); /* by a worker */
	void (*sign)(void *arg, size_t slot);	 /* by a worker, begun in order */
	void (*finish)(void *arg, size_t slot);	 /* by a worker */
	/* Slots first, first + 1, … (modulo batch_slots) in order, by one thread of its own. */
	void (*commit)(void *arg, size_t first, size_t n);
	void (*report)(void *arg, size_t slot); /* by the caller, in order */
	void (*idle)(void *arg);		/* by the caller, between two pieces */
};

struct batch;

/*
 * workers: threads that prepare, sign and finish; at least one, at most BATCH_WORKERS_MAX.
 * signers: how many of them may be in the stage sign at once. As many slots as the descriptors
 * suffice for.
 */
enum status batch_new(struct batch **out, const struct batch_ops *ops, void *arg, unsigned workers,
		      unsigned signers, struct tlv_err *e);
size_t batch_slots(const struct batch *b);

/*
 * Until feed has nothing more and all is reported. ST_BUG if no thread can
 * be started; nothing was fed then.
 */
enum status batch_run(struct batch *b, struct tlv_err *e);
void batch_free(struct batch **b);

/*
 * While a batch runs, SIGINT, SIGTERM and SIGHUP only ask for an end: the
 * number of the signal that came, 0 for none.
 */
void batch_catch_signals(void);
int batch_signal(void);
/* Ends the process by that signal, if one came. */
void batch_end_by_signal(void);

#endif
