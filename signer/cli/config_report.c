/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/config_run.h"

#include <stdio.h>

#include "signer/io/env.h"
#include "signer/io/out.h"
#include "signer/trust/accept.h"
#include "tlv/text.h"

enum { BAR_WIDTH = 24, BAR_EVERY_MS = 100 };

static const char *const outcome_texts[CONFIG_OUTCOMES] = {
#define CONFIG_OUTCOME(NAME, word) word,
#include "signer/cli/config_outcomes.def"
#undef CONFIG_OUTCOME
};

static enum config_outcome outcome_of(const struct config_run *r, const struct config_file *f)
{
	static const enum config_outcome done[] = {
#define CONFIG_ACTION(NAME, word, outcome, adds, takes, missing) [CONFIG_##NAME] = CONFIG_##outcome,
#include "signer/config/config_actions.def"
#undef CONFIG_ACTION
	};

	if (f->err.status == ST_NO)
		return CONFIG_BAD;
	if (f->err.status != ST_OK)
		return CONFIG_FAILED;
	if (f->firmware)
		return CONFIG_UNVERIFIED;
	return f->unchanged ? CONFIG_UNCHANGED : done[r->c.action];
}

/* A path, with everything escaped that a terminal would obey. */
static void put_path(const char *path)
{
	out_safe(span_str(path));
	out_printf(": ");
}

/* What a signature is worth: the end of the line of verify and strip. */
static void print_worth(const struct config_file *f)
{
	if (!f->verified) {
		out_printf("not verified%s", f->firmware ? ": firmware" : "");
		return;
	}
	out_printf("good signature by ");
	out_safe(buf_span(&f->signer));
	if (!f->asks_tvs)
		return;
	out_printf(" (through TVS%s", f->assumes.n > 0 ? "; assumes " : "");
	out_safe(buf_span(&f->assumes));
	out_printf(")");
}

static bool names_output(enum config_outcome what)
{
	return what != CONFIG_GOOD && what != CONFIG_UNVERIFIED && what != CONFIG_BAD &&
	       what != CONFIG_FAILED;
}

static void print_line(struct config_file *f, enum config_outcome what)
{
	put_path(names_output(what) ? buf_cstr(&f->output) : f->path);
	if (what == CONFIG_STRIPPED || what == CONFIG_DECRYPTED)
		out_printf("%llu byte%s%s, ", (unsigned long long)f->size, plural(f->size),
			   f->encrypted && what == CONFIG_STRIPPED ? ", encrypted" : "");
	if (what == CONFIG_BAD) {
		out_printf("BAD signature: ");
		out_safe(span_str(err_text(&f->err)));
	} else if (what == CONFIG_SIGNED || what == CONFIG_ENCRYPTED || what == CONFIG_UNCHANGED) {
		out_printf("%s", outcome_texts[what]);
	} else {
		print_worth(f);
	}
	out_printf("\n");
}

static json_t *assumptions(const struct config_file *f)
{
	json_t *list = json_array();

	for (int i = 0; i < TVS_ASSUMPTIONS; i++)
		if ((f->assumptions >> i & 1U) != 0)
			(void)json_array_append_new(
				list, json_string(accept_assumption((enum tvs_assumption)i)->word));
	return list;
}

static void print_json(const struct config_run *r, struct config_file *f, enum config_outcome what)
{
	json_t *o = json_object();

	out_json_set_text(o, "file", span_str(f->path));
	if (f->output.n > 0)
		out_json_set_text(o, "output", buf_span(&f->output));
	if (f->companion != NULL)
		out_json_set_text(o, "companion", buf_span(&f->companion->output));
	out_json_set_text(o, "filename", buf_span(&f->filename));
	(void)json_object_set_new(o, "status", json_string(outcome_texts[what]));
	(void)json_object_set_new(o, "verified", json_boolean(f->verified));
	(void)json_object_set_new(o, "encrypted", json_boolean(f->encrypted));
	(void)json_object_set_new(o, "tvs", json_boolean(f->asks_tvs));
	(void)json_object_set_new(o, "assumptions", assumptions(f));
	if (f->signer.n > 0)
		out_json_set_text(o, "signer", buf_span(&f->signer));
	if (what != CONFIG_FAILED && what != CONFIG_BAD)
		(void)json_object_set_new(o, "bytes", json_integer((json_int_t)f->size));
	if (f->err.status != ST_OK)
		out_json_set_text(o, "error", span_str(err_text(&f->err)));
	if (r->done > 0)
		out_printf(",\n");
	(void)out_json_part(o, NULL);
}

/* With --quiet nothing is said of files that did not change. */
static bool has_line(const struct config_run *r, enum config_outcome what)
{
	if (what == CONFIG_FAILED || (what == CONFIG_UNCHANGED && opt_given(r->o, OPT_QUIET)))
		return false;
	return r->lines || what == CONFIG_BAD;
}

/* Of its PIN, too, at a signature that wants one. */
static bool is_tokens_fault(enum status st)
{
	return st == ST_TOKEN || st == ST_PIN || st == ST_PIN_LOCKED;
}

void config_report_file(void *arg, size_t slot)
{
	struct config_run *r = arg;
	struct config_file *f = &r->files[slot];
	enum config_outcome what;

	/* If memory ran out, a good signature may look bad. */
	if (f->err.status != ST_OK && err_nomem_seen()) {
		f->err = TLV_ERR_INIT;
		(void)err_nomem(&f->err);
		(void)err_in(&f->err, "%s", f->path);
	}
	what = outcome_of(r, f);
	/* A file that was not tried, because of a signal or a dead token, has not failed. */
	if (!f->dropped) {
		r->counts[what]++;
		r->token = r->token || is_tokens_fault(f->err.status);
		r->nomem = r->nomem || f->err.status == ST_NOMEM;
		r->asks_tvs = r->asks_tvs || (f->asks_tvs && f->verified);
		if (what == CONFIG_FAILED)
			msg_error(&f->err);
		if (r->json)
			print_json(r, f, what);
		else if (has_line(r, what))
			print_line(f, what);
		r->done++;
	}
	config_file_free(f);
}

void config_report_idle(void *arg)
{
	struct config_run *r = arg;
	int64_t now = env_ticks_ms();
	char text[160];
	double seconds, rate, left;
	int filled;

	if (!r->bar || now - r->drawn < BAR_EVERY_MS || r->names.total == 0)
		return;
	r->drawn = now;
	seconds = (double)(now - r->began) / 1000;
	rate = seconds > 0 ? (double)r->done / seconds : 0;
	left = rate > 0 ? (double)(r->names.total - r->done) / rate : 0;
	filled = (int)(r->done * BAR_WIDTH / r->names.total);
	(void)snprintf(text, sizeof text, "[%.*s%*s] %zu of %zu files, %.0f a second, %.0f s left",
		       filled, "########################", BAR_WIDTH - filled, "", r->done,
		       r->names.total, rate, left);
	msg_progress(text);
}

static void print_summary(const struct config_run *r)
{
	struct buf b = BUF_INIT;
	double seconds = (double)(env_ticks_ms() - r->began) / 1000;

	buf_printf(&b, "%zu of %zu file%s", r->done, r->names.total, plural(r->names.total));
	for (size_t i = 0; i < CONFIG_OUTCOMES; i++)
		if (r->counts[i] > 0)
			buf_printf(&b, ", %zu %s", r->counts[i], outcome_texts[i]);
	buf_printf(&b, " in %.1f s", seconds);
	msg_note("%s", buf_cstr(&b));
	buf_free(&b);
}

static void print_json_begin(void)
{
	out_json_begin();
	out_printf("\"files\": [\n");
}

/* The counts behind the files. */
static void end_json(const struct config_run *r)
{
	out_printf("],\n\"counts\": {");
	for (size_t i = 0; i < CONFIG_OUTCOMES; i++)
		out_printf("%s\"%s\": %zu", i == 0 ? "" : ", ", outcome_texts[i], r->counts[i]);
	out_printf("}}\n");
}

/* What an assumption rests on, once for all files. */
static void print_fact(const struct config_run *r)
{
	struct buf b = BUF_INIT;

	if (!r->asks_tvs)
		return;
	fact_put(&b, FACT_FILES_ASK_TVS);
	msg_note("%s", buf_cstr(&b));
	buf_free(&b);
}

void config_report_begin(struct config_run *r)
{
	r->json = opt_given(r->o, OPT_JSON);
	r->many = r->names.total > 1;
	r->bar = r->many && msg_can_draw();
	r->lines = !(r->bar && out_is_terminal());
	r->began = r->drawn = env_ticks_ms();
	if (r->json)
		print_json_begin();
}

void config_report_end(struct config_run *r, bool whole)
{
	msg_progress(NULL);
	if (r->json)
		end_json(r);
	if (r->many && whole)
		print_summary(r);
	print_fact(r);
}
