/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One run of config over any number of files: what its options say, where its results go,
 * what is told of them.
 */
#ifndef CTL_CONFIG_RUN_H
#define CTL_CONFIG_RUN_H

#include <stdint.h>

#include "signer/cli/names.h"
#include "signer/cli/opt.h"
#include "signer/config/batch.h"
#include "signer/config/config.h"

/* What became of a file. */
enum config_outcome {
#define CONFIG_OUTCOME(NAME, word) CONFIG_##NAME,
#include "signer/cli/config_outcomes.def"
#undef CONFIG_OUTCOME
	CONFIG_OUTCOMES
};

struct config_run {
	const struct opts *o;
	struct config c;
	struct tok_options tok;
	struct names names;
	struct batch *batch;
	struct config_file *files; /* by slot */
	struct buf record;	   /* whose names the header has */
	char *root;		   /* owned */
	void *results;		   /* tsearch tree */
	size_t counts[CONFIG_OUTCOMES], done;
	unsigned jobs;
	bool token, nomem; /* a file failed of that */
	bool many, bar, lines, json;
	bool asks_tvs;	      /* a file is good if the phone asks TVS */
	int64_t began, drawn; /* ms */
};

/* Everything that can be said before a PIN is asked for. */
enum status config_read_options(struct config_run *r, struct tlv_err *e);

/*
 * The same file once more counts once: true. Another file whose result would have the same
 * place gets an error.
 */
bool config_is_named_twice(struct config_run *r, struct config_file *f);
void config_results_free(struct config_run *r);

/* What is told: before the files, of each (a batch's report and idle), and behind them. */
void config_report_begin(struct config_run *r);
void config_report_file(void *arg, size_t slot);
void config_report_idle(void *arg);
void config_report_end(struct config_run *r, bool whole);

#endif
