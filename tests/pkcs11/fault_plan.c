/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_plan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault fault;

const char *const fault_call_names[NCALLS] = {
#define X(name) #name,
	CALLS(X)
#undef X
};

static const struct {
	const char *name;
	enum action action;
} actions[] = {
	{ "fail", FAIL },
	{ "sleep", SLEEP },
	{ "meet", MEET },
	{ "print", PRINT },
	{ "crash", CRASH },
	{ "exit", EXIT },
	{ "crash-after", CRASH_AFTER },
	{ "flags", FLAGS },
	{ "flip", FLIP },
	{ "shorten", SHORTEN },
	{ "lengthen", LENGTHEN },
	{ "zero-strip", ZERO_STRIP },
	{ "serial", SERIAL },
	{ "nul-pad", NUL_PAD },
	{ "claim", CLAIM },
	{ "scribble", SCRIBBLE },
	{ "drip", DRIP },
	{ "flood", FLOOD },
	{ "forge", FORGE },
	{ "grandchild", GRANDCHILD },
	{ "user-not-logged-in", NOT_LOGGED_IN },
};

static bool parse_which(const char *text, struct rule *r)
{
	char *end = NULL;

	if (strcmp(text, "*") == 0) {
		r->from = 1;
		r->to = ULONG_MAX;
		return true;
	}
	r->from = r->to = strtoul(text, &end, 10);
	if (*end == '+')
		r->to = ULONG_MAX;
	else if (*end == '-')
		r->to = strtoul(end + 1, NULL, 10);
	return r->from != 0;
}

static bool parse_rule(const char *call, char *rest)
{
	struct rule *r = &fault.rules[fault.n];
	char *save = NULL, *which = strtok_r(rest, " ", &save),
	     *action = strtok_r(NULL, " ", &save);
	const char *text = strtok_r(NULL, "", &save);
	bool known = false;

	if (fault.n == sizeof fault.rules / sizeof *fault.rules || action == NULL ||
	    !parse_which(which, r))
		return false;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, action) == 0) {
			r->action = actions[i].action;
			known = true;
		}
	for (size_t i = 0; i < NCALLS && known; i++)
		if (strcmp(fault_call_names[i], call) == 0) {
			r->call = (enum call)i;
			(void)snprintf(r->text, sizeof r->text, "%s", text == NULL ? "" : text);
			fault.n++;
			return true;
		}
	return false;
}

static void copy(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%s", text);
}

static bool parse_line(char *line)
{
	char *save = NULL, *word, *rest;

	line[strcspn(line, "\n")] = '\0';
	word = strtok_r(line, " ", &save);
	if (word == NULL || *word == '#')
		return true;
	rest = strtok_r(NULL, "", &save);
	rest = rest == NULL ? word + strlen(word) : rest;
	fault.is_pad = fault.is_pad || strcmp(word, "pad") == 0;
	fault.is_always = fault.is_always || strcmp(word, "always-authenticate") == 0;
	fault.hide_exponent = fault.hide_exponent || strcmp(word, "hide-public-exponent") == 0;
	if (strcmp(word, "module") == 0)
		copy(fault.module, sizeof fault.module, rest);
	else if (strcmp(word, "counter") == 0)
		copy(fault.counter, sizeof fault.counter, rest);
	else if (strcmp(word, "init-args") == 0)
		copy(fault.init_args, sizeof fault.init_args, rest);
	else if (strcmp(word, "pad") == 0)
		copy(fault.pad, sizeof fault.pad, rest);
	else if (strcmp(word, "always-authenticate") == 0)
		copy(fault.always, sizeof fault.always, rest);
	else if (strcmp(word, "hide-public-exponent") != 0)
		return parse_rule(word, rest);
	return true;
}

bool fault_read_plan(const char *path)
{
	char line[1024];
	bool ok = true;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		perror(path);
		return false;
	}
	while (ok && fgets(line, sizeof line, f) != NULL)
		ok = parse_line(line);
	if (!ok)
		(void)fprintf(stderr, "fault plan '%s': a line is not understood\n", path);
	(void)fclose(f);
	return ok;
}
