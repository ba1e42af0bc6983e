/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_plan.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Which use of its call this thread is in. */
static _Thread_local unsigned long use;

static void fault_count(enum call c)
{
	char line[64];
	int fd, n = snprintf(line, sizeof line, "%s\n", fault_call_names[c]);

	use = ++fault.uses[c];
	fault.clock++;
	if (fault.counter[0] == '\0')
		return;
	fd = open(fault.counter, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n)
		perror(fault.counter);
	(void)close(fd);
}

bool fault_applies(const struct rule *r, enum call c)
{
	return r->call == c && use >= r->from && use <= r->to;
}

bool fault_is_planned(enum call call, enum action action)
{
	for (size_t i = 0; i < fault.n; i++)
		if (fault.rules[i].action == action && fault_applies(&fault.rules[i], call))
			return true;
	return false;
}

unsigned long fault_claim(enum call call)
{
	for (size_t i = 0; i < fault.n; i++)
		if (fault.rules[i].action == CLAIM && fault_applies(&fault.rules[i], call))
			return strtoul(fault.rules[i].text, NULL, 0);
	return 0;
}

static void do_sleep(const char *text)
{
	double seconds = strtod(text, NULL);
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) != 0)
		continue;
}

static bool do_meet(const char *text)
{
	static _Atomic long here;
	const struct timespec tick = { .tv_nsec = 1000000 };
	long n = strtol(text, NULL, 10);

	here++;
	for (int ms = 0; here < n && ms < 20000; ms++)
		(void)nanosleep(&tick, NULL);
	return here >= n;
}

static void do_scribble(const char *hex)
{
	static unsigned char bytes[4096];
	unsigned long repeat;
	unsigned byte = 0;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1 && *hex != '*'; hex += 2)
		bytes[n++] = (unsigned char)byte;
	repeat = *hex == '*' ? strtoul(hex + 1, NULL, 10) : 0;
	while (repeat-- > 0 && n < sizeof bytes)
		bytes[n++] = (unsigned char)byte;
	if (write(3, bytes, n) != (ssize_t)n)
		perror("scribble");
}

static void tenth_of_a_second(void)
{
	const struct timespec ts = { .tv_nsec = 100000000 };

	(void)nanosleep(&ts, NULL);
}

static const unsigned char warning[] = { 0x41, 'd', 'r', 'i', 'p' };

static void do_flood(const char *many)
{
	for (long n = strtol(many, NULL, 10); n > 0; n--)
		if (write(3, warning, sizeof warning) < 0)
			return;
}

static void do_drip(const char *seconds)
{
	for (long n = strtol(seconds, NULL, 10) * 10; n > 0; n--) {
		if (write(3, warning, sizeof warning) < 0)
			return;
		tenth_of_a_second();
	}
}

/* Where the page is mapped; NULL: nowhere. */
static void *pulse_page(size_t *n)
{
	unsigned long from, to;
	void *page = NULL;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f != NULL && page == NULL && fgets(line, sizeof line, f) != NULL)
		if (strstr(line, "ctlsign-pulse") != NULL &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2) {
			page = (void *)(uintptr_t)from;
			*n = to - from;
		}
	if (f != NULL)
		(void)fclose(f);
	return page;
}

/* All of the future, in every call and module at once. */
static void do_forge(const char *seconds)
{
	size_t n = 0;
	void *page = pulse_page(&n);

	if (page == NULL) {
		(void)fprintf(stderr, "fault module: there is no page to forge\n");
		abort();
	}
	for (long i = strtol(seconds, NULL, 10) * 10; i > 0; i--) {
		memset(page, i % 2 != 0 ? 0x7f : 0xff, n);
		tenth_of_a_second();
	}
}

static void do_grandchild(const char *how)
{
	char path[300];
	pid_t pid = fork();
	FILE *f;

	if (pid == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		if (strcmp(how, "away") == 0)
			(void)setsid();
		(void)sleep(60);
		_exit(0);
	}
	(void)snprintf(path, sizeof path, "%s.pids", fault.counter);
	f = fopen(path, "ae");
	if (f != NULL) {
		(void)fprintf(f, "%d\n", (int)pid);
		(void)fclose(f);
	}
}

static void do_crash(void)
{
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
	abort();
}

bool fault_before(enum call c, CK_RV *rv)
{
	fault_count(c);
	for (size_t i = 0; i < fault.n; i++) {
		const struct rule *r = &fault.rules[i];

		if (!fault_applies(r, c))
			continue;
		if (r->action == SLEEP)
			do_sleep(r->text);
		else if (r->action == MEET && !do_meet(r->text))
			return (*rv = CKR_FUNCTION_FAILED, true);
		else if (r->action == PRINT)
			(void)(puts(r->text), fflush(stdout));
		else if (r->action == CRASH)
			do_crash();
		else if (r->action == SCRIBBLE)
			do_scribble(r->text);
		else if (r->action == DRIP)
			do_drip(r->text);
		else if (r->action == FLOOD)
			do_flood(r->text);
		else if (r->action == FORGE)
			do_forge(r->text);
		else if (r->action == GRANDCHILD)
			do_grandchild(r->text);
		else if (r->action == EXIT)
			exit(atoi(r->text));
		if (r->action != FAIL && r->action != NOT_LOGGED_IN)
			continue;
		*rv = r->action == FAIL ? strtoul(r->text, NULL, 0) : CKR_USER_NOT_LOGGED_IN;
		return true;
	}
	return false;
}

void fault_after(enum call c)
{
	for (size_t i = 0; i < fault.n; i++)
		if (fault_applies(&fault.rules[i], c) && fault.rules[i].action == CRASH_AFTER)
			do_crash();
}
