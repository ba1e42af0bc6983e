/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The two processes: what each has, knows, and leaves behind.
 */
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkcs11/pin.h"
#include "pkcs11/process.h"

/* The one child of this process, or 0. */
static pid_t the_child(void)
{
	char path[64], line[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	if (fgets(line, sizeof line, f) == NULL)
		line[0] = '\0';
	(void)fclose(f);
	return (pid_t)strtol(line, NULL, 10);
}

/* The needle is kept turned by 13 letters, so that the search does not find itself. */
static char turned(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? (c - 'a' + 13) % 26 + 'a' : c);
}

static bool has_needle(const char *p, size_t n, const char *needle)
{
	size_t len = strlen(needle);

	for (size_t i = 0; i + len <= n; i++) {
		size_t k = 0;

		while (k < len && p[i + k] == turned(needle[k]))
			k++;
		if (k == len)
			return true;
	}
	return false;
}

static bool range_has(int mem, unsigned long from, unsigned long to, const char *needle)
{
	static char page[65536 + 64];
	size_t overlap = strlen(needle);

	for (unsigned long at = from; at < to; at += 65536) {
		ssize_t got = pread(mem, page, 65536 + overlap, (off_t)at);

		if (got > 0 && has_needle(page, (size_t)got, needle))
			return true;
	}
	return false;
}

/* -1 where the memory may not be read. */
static int memory_has(pid_t pid, const char *needle)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;
	int mem;

	(void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (mem < 0 || maps == NULL)
		return -1;
	while (!found && fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' ||
		    strstr(line, "[v") != NULL)
			continue;
		found = range_has(mem, from, to, needle);
		if (found)
			print_message("found in %s", line);
	}
	(void)fclose(maps);
	(void)close(mem);
	return found ? 1 : 0;
}

/* "mnopqr-sast-pin", turned, and as the token's PIN and in the PIN file as it is. */
#define NEEDLE "zabcde-fnfg-cva"

static void set_needle_pin(struct lab *l)
{
	lab_run("echo " NEEDLE " | tr a-z n-za-m > %s && chmod 600 %s && CTLSIGN_FAULT_PLAN= "
		"pkcs11-tool --module %s --token-label SAST-ADN008580ef --login "
		"--pin " LAB_PIN " --change-pin --new-pin \"$(cat %s)\" >/dev/null 2>&1",
		l->pin, l->pin, lab_softhsm(), l->pin);
}

/* The memory of both processes, while the token is open and has signed. */
static void look_for_the_pin(struct lab *l, int in_child)
{
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct tok *t;
	size_t n;
	int in;

	if (LAB_SANITIZED)
		lab_skip("AddressSanitizer's shadow is too large to be searched");
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	in = memory_has(the_child(), NEEDLE);
	if (in != in_child)
		tok_free(&t);
	if (in < 0)
		lab_skip("another process' memory may not be read here");
	assert_int_equal(in, in_child);
	assert_int_equal(memory_has(getpid(), NEEDLE), 0);
	if (in_child == 0) {
		assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_OK, &e);
		assert_int_equal(memory_has(the_child(), NEEDLE), 0);
	}
	tok_free(&t);
	assert_int_equal(memory_has(getpid(), NEEDLE), 0);
}

static void p07_no_pin_in_memory_after_the_login(void **state)
{
	struct lab *l = *state;

	set_needle_pin(l);
	look_for_the_pin(l, 0);
}

/* That the search finds it where it is: a key that wants it at each signature. */
static void p07_the_pin_is_kept_for_an_always_authenticate_key(void **state)
{
	struct lab *l = *state;

	set_needle_pin(l);
	lab_plan(l, "always-authenticate any");
	look_for_the_pin(l, 1);
}

static void p19_a_variable_is_gone_from_both_processes(void **state)
{
	static char entry[] = "LAB_SECRET=" NEEDLE; /* setenv would leave copies of its own */
	struct lab *l = *state;

	set_needle_pin(l);
	for (char *c = strchr(entry, '=') + 1; *c != '\0'; c++)
		*c = turned(*c);
	assert_int_equal(putenv(entry), 0);
	l->opt.pin_source = "env:LAB_SECRET";
	look_for_the_pin(l, 0);
	assert_int_equal(unsetenv("LAB_SECRET"), 0);
}

static bool maps_have(pid_t pid, const char *name)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		found = found || strstr(line, name) != NULL;
	(void)fclose(f);
	return found;
}

#define NOT_ROOT "only root sees the /proc of a process that takes no core"

static void p24_the_parent_never_loads_the_module(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;

	if (geteuid() != 0)
		lab_skip(NOT_ROOT);
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	assert_false(maps_have(getpid(), "libsofthsm2"));
	assert_false(maps_have(getpid(), "ctlsign-guard"));
	assert_true(maps_have(the_child(), "libsofthsm2"));
	assert_true(maps_have(the_child(), "ctlsign-guard"));
	tok_free(&t);
	assert_int_equal(the_child(), 0);
}

static bool child_has_open(pid_t pid, const char *name)
{
	char path[64], target[512];
	bool found = false;
	struct dirent *d;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof target - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		found = found || strcmp(target, name) == 0;
	}
	(void)closedir(dir);
	return found;
}

static void the_child_has_none_of_the_parents_files(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	int fd = open(l->pin, O_RDONLY); /* and survives an exec: nobody else closes it */
	struct tok *t;

	if (geteuid() != 0)
		lab_skip(NOT_ROOT);
	assert_true(fd >= 0);
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_false(child_has_open(the_child(), l->pin));
	assert_true(child_has_open(the_child(), "/dev/null"));
	tok_free(&t);
	(void)close(fd);
}

static void it_works_with_stdin_and_stdout_closed(void **state)
{
	struct lab *l = *state;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct tlv_err e = TLV_ERR_INIT;

		(void)close(0);
		(void)close(1);
		_exit((int)lab_sign(l, &e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ST_OK);
}

/* One byte for each of the three: 'n' if it is /dev/null. */
static void say_what_the_three_are(int line, const void *arg)
{
	char path[32], target[16], said[3];

	(void)arg;
	for (int fd = 0; fd < 3; fd++) {
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		said[fd] = readlink(path, target, sizeof target) == 9 &&
					   memcmp(target, "/dev/null", 9) == 0 ?
				   'n' :
				   '-';
	}
	(void)tok_line_send(line, span_of(said, sizeof said));
}

static int fork_with_the_three_closed(void)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct span msg = SPAN_NONE;
	struct process *p;
	bool right;

	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	if (process_fork(&p, say_what_the_three_are, NULL, &e) != ST_OK)
		return 1;
	right = process_next(p, &msg, process_now() + 30000) == PROCESS_MESSAGE &&
		span_eq(msg, span_of("nnn", 3));
	process_free(&p);
	return right ? 0 : 2;
}

/* What is opened next must not be taken for stdin, stdout or stderr. */
static void a_fork_has_the_three_where_they_were_closed(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0)
		_exit(fork_with_the_three_closed());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What a module prints does not reach our stdout. */
static void p23_stdout_stays_clean(void **state)
{
	struct lab *l = *state;
	char path[200], text[64] = "";
	int status = 0;
	pid_t pid;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/stdout", l->dir);
	lab_plan(l, "C_Initialize 1 print noise\nC_Sign 1 print noise\nC_Finalize 1 print noise");
	pid = fork();
	if (pid == 0) {
		struct tlv_err e = TLV_ERR_INIT;
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		(void)dup2(fd, STDOUT_FILENO);
		_exit((int)lab_sign(l, &e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ST_OK);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_null(fgets(text, sizeof text, f));
	(void)fclose(f);
}

static bool gone_within(pid_t pid, int tenths)
{
	while (tenths-- > 0 && lab_is_alive(pid))
		(void)usleep(100000);
	return !lab_is_alive(pid);
}

/* Opens, tells who the child is, and waits to be killed. */
static void be_killed(struct lab *l, int tell)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;
	pid_t child = 0;

	if (tok_open(&t, &l->opt, &e) == ST_OK)
		child = the_child();
	(void)!write(tell, &child, sizeof child);
	(void)pause();
	_exit(1);
}

static void the_child_dies_with_the_parent(void **state)
{
	pid_t parent, child = 0;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (parent == 0)
		be_killed(*state, ends[1]);
	assert_int_equal(read(ends[0], &child, sizeof child), sizeof child);
	assert_true(child > 0);
	assert_true(lab_is_alive(child));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_true(gone_within(child, 50));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A module that hangs is killed, and nothing of it stays. */
static void p23_nothing_stays_after_a_time_out(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;
	uint8_t sig[TOK_SIG_MAX];
	size_t n;
	pid_t child;

	lab_plan(l, "C_Sign 1 sleep 30");
	l->opt.timeout = LAB_TIMEOUT;
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	child = the_child();
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_TOKEN, &e);
	assert_false(lab_is_alive(child));
	e = TLV_ERR_INIT;
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "the token's process is gone");
	tok_free(&t);
	assert_string_equal(l->warnings, "");
}

static void after_finish_only_tok_free_waits(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct tok *t;
	size_t n;

	lab_plan(l, "C_Finalize 1 crash");
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_OK, &e);
	tok_finish(t);
	assert_string_equal(tok_info(t)->label, "SAST-ADN008580ef");
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_TOKEN, &e);
	tok_free(&t);
	assert_int_equal(the_child(), 0);
}

static void a_killed_child_is_an_error_of_the_token(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;

	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_int_equal(kill(the_child(), SIGKILL), 0);
	assert_status(tok_login(t, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "signal 9");
	tok_free(&t);
}

/* The time between the calls is the caller's: nobody counts it. */
static void a_person_may_take_longer_than_the_time_out(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct tok *t;
	size_t n;

	l->opt.timeout = LAB_TIMEOUT;
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	(void)usleep(LAB_TIMEOUT * 1300000);
	assert_status(tok_login(t, &e), ST_OK, &e);
	(void)usleep(LAB_TIMEOUT * 1300000);
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_OK, &e);
	tok_free(&t);
}

static void p19_no_core_of_the_child(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char path[64], line[256], zero[256] = "";
	struct tok *t;
	FILE *f;

	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	(void)snprintf(path, sizeof path, "/proc/%d/limits", (int)the_child());
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strstr(line, "core file size") != NULL)
			(void)snprintf(zero, sizeof zero, "%s", line);
	(void)fclose(f);
	tok_free(&t);
	assert_text(zero, " 0                    0 ");
}

static void one_of_eight(int number)
{
	struct tlv_err e = TLV_ERR_INIT;
	void *state = NULL;
	enum status st;

	(void)number;
	if (lab_setup(&state) != 0)
		_exit(90);
	st = lab_sign(state, &e);
	for (int i = 0; i < 5 && st == ST_OK; i++)
		st = lab_sign(state, &e);
	_exit((int)st);
}

/* Each on its own copy: SoftHSM rewrites the folder at every login. */
static void eight_processes_at_once(void **state)
{
	pid_t pids[8];
	int status;

	(void)state;
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			one_of_eight(i);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), ST_OK);
	}
}

static void two_tokens_are_open_at_once(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_options opt;
	uint8_t sig[TOK_SIG_MAX];
	struct tok *a, *b;
	struct span want;
	size_t n;

	lab_token_new(l, "second");
	lab_write(l, "second", TEST_DATA_DIR "/cluster/pub.key", TEST_DATA_DIR "/cluster/pub.pem",
		  "01", "pub");
	opt = l->opt;
	opt.uri = "pkcs11:token=second";
	assert_status(tok_open(&a, &l->opt, &e), ST_OK, &e);
	assert_status(tok_open(&b, &opt, &e), ST_OK, &e);
	assert_status(tok_login(a, &e), ST_OK, &e);
	assert_status(tok_login(b, &e), ST_OK, &e);
	assert_status(tok_sign(b, lab_digest_info(3), sig, &n, &e), ST_OK, &e);
	want = lab_expect("pub", lab_digest_info(3));
	assert_true(span_eq(span_of(sig, n), want));
	assert_status(tok_sign(a, lab_digest_info(3), sig, &n, &e), ST_OK, &e);
	want = lab_expect("SAST-ADN008580ef", lab_digest_info(3));
	assert_true(span_eq(span_of(sig, n), want));
	tok_free(&a);
	tok_free(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(p07_no_pin_in_memory_after_the_login),
		TEST(p07_the_pin_is_kept_for_an_always_authenticate_key),
		TEST(p19_a_variable_is_gone_from_both_processes),
		TEST(p24_the_parent_never_loads_the_module),
		TEST(the_child_has_none_of_the_parents_files),
		TEST(it_works_with_stdin_and_stdout_closed),
		TEST(a_fork_has_the_three_where_they_were_closed),
		TEST(p23_stdout_stays_clean),
		TEST(the_child_dies_with_the_parent),
		TEST(p23_nothing_stays_after_a_time_out),
		TEST(after_finish_only_tok_free_waits),
		TEST(a_killed_child_is_an_error_of_the_token),
		TEST(a_person_may_take_longer_than_the_time_out),
		TEST(p19_no_core_of_the_child),
		TEST(eight_processes_at_once),
		TEST(two_tokens_are_open_at_once),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
