/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "pkcs11/pin.h"

static const struct {
	const char *text;
	enum status status;
	enum tok_pin_kind kind;
} sources[] = {
	{ NULL, ST_OK, TOK_PIN_FROM_PROMPT },
	{ "prompt", ST_OK, TOK_PIN_FROM_PROMPT },
	{ "file:/etc/pin", ST_OK, TOK_PIN_FROM_FILE },
	{ "file:relative", ST_OK, TOK_PIN_FROM_FILE },
	{ "env:PIN", ST_OK, TOK_PIN_FROM_ENV },
	{ "fd:0", ST_OK, TOK_PIN_FROM_FD },
	{ "fd:17", ST_OK, TOK_PIN_FROM_FD },
	{ "", ST_USAGE, 0 },
	{ "1234", ST_USAGE, 0 },
	{ "pass:1234", ST_USAGE, 0 },
	{ "prompt:1234", ST_USAGE, 0 },
	{ "file:", ST_USAGE, 0 },
	{ "env:", ST_USAGE, 0 },
	{ "env:PIN=1234", ST_USAGE, 0 },
	{ "fd:", ST_USAGE, 0 },
	{ "fd:-1", ST_USAGE, 0 },
	{ "fd:1234x", ST_USAGE, 0 },
	{ "fd:99999999999", ST_USAGE, 0 },
	{ "|/bin/pin 1234", ST_USAGE, 0 },
};

static void sources_are_four_and_no_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tok_pin_source src;

		assert_status(tok_pin_source_parse(sources[i].text, &src, &e), sources[i].status,
			      &e);
		if (sources[i].status == ST_OK)
			assert_int_equal(src.kind, sources[i].kind);
		else
			assert_null(strstr(err_text(&e), "1234")); /* it may be a PIN */
	}
}

static void a_uri_may_name_a_file_without_file(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_pin_source src;

	(void)state;
	assert_status(tok_pin_source_parse_uri("/etc/pin", &src, &e), ST_OK, &e);
	assert_string_equal(src.arg, "/etc/pin");
	assert_status(tok_pin_source_parse_uri("file:///etc/pin", &src, &e), ST_OK, &e);
	assert_string_equal(src.arg, "/etc/pin");
	assert_status(tok_pin_source_parse_uri("env:X", &src, &e), ST_OK, &e);
	assert_status(tok_pin_source_parse_uri("|x", &src, &e), ST_USAGE, &e);
}

static char long_pin[300];

static const struct {
	const char *content, *pin;
	enum status status;
} contents[] = {
	{ "1234", "1234", ST_OK },
	{ "1234\n", "1234", ST_OK },
	{ "1234\r\n", "1234", ST_OK },
	{ " 12 34 \n", " 12 34 ", ST_OK },
	{ "1234\nsecond\n", "1234", ST_OK },
	{ "", NULL, ST_PIN },
	{ "\n1234\n", NULL, ST_PIN },
	{ "\r\n", NULL, ST_PIN },
	{ long_pin, NULL, ST_PIN },
	{ long_pin + 43, NULL, ST_PIN }, /* 256 bytes */
	{ long_pin + 44, long_pin + 44, ST_OK },
};

static void p12_files(void **state)
{
	struct lab *l = *state;
	char path[200];

	(void)snprintf(path, sizeof path, "%s/p", l->dir);
	memset(long_pin, 'x', sizeof long_pin - 1);
	long_pin[sizeof long_pin - 1] = '\0';
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct tok_pin_source src = { .kind = TOK_PIN_FROM_FILE, .arg = path };
		struct tlv_err e = TLV_ERR_INIT;
		struct tok_pin *pin = NULL;

		lab_file(path, contents[i].content, 0600);
		assert_status(tok_pin_read(&src, NULL, false, &pin, &e), contents[i].status, &e);
		if (pin != NULL) {
			assert_string_equal(tok_pin_bytes(pin), contents[i].pin);
			assert_int_equal(tok_pin_length(pin), strlen(contents[i].pin));
		}
		tok_pin_free(&pin);
		assert_null(pin);
	}
}

static void p12_a_nul_is_refused(void **state)
{
	struct lab *l = *state;
	struct tok_pin_source src = { .kind = TOK_PIN_FROM_FILE, .arg = l->pin };
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_pin *pin;

	lab_run("printf '12\\00034\\n' > %s", l->pin);
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_PIN, &e);
	assert_text(err_text(&e), "NUL");
}

static void p12_a_file_that_others_read_is_refused(void **state)
{
	static const unsigned modes[] = { 0640, 0604, 0660, 0602, 0644 };
	struct lab *l = *state;
	struct tok_pin_source src = { .kind = TOK_PIN_FROM_FILE, .arg = l->pin };
	struct tok_pin *pin;

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct tlv_err e = TLV_ERR_INIT;

		assert_int_equal(chmod(l->pin, modes[i]), 0);
		assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_PIN, &e);
		assert_text(err_text(&e), "chmod 600");
		e = TLV_ERR_INIT;
		assert_status(tok_pin_read(&src, NULL, true, &pin, &e), ST_OK, &e);
		tok_pin_free(&pin);
	}
}

static void a_variable_is_overwritten_in_place(void **state)
{
	struct tok_pin_source src = { .kind = TOK_PIN_FROM_ENV, .arg = "LAB_SECRET" };
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_pin *pin;
	const char *value;

	(void)state;
	assert_int_equal(setenv("LAB_SECRET", "4711", 1), 0);
	value = getenv("LAB_SECRET");
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_OK, &e);
	assert_string_equal(tok_pin_bytes(pin), "4711");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(value[i], 0);
	tok_pin_free(&pin);
	assert_int_equal(unsetenv("LAB_SECRET"), 0);
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_PIN, &e);
	assert_text(err_text(&e), "'LAB_SECRET' is not set");
}

static void a_descriptor_gives_one_line_and_keeps_the_next(void **state)
{
	struct tok_pin_source src = { .kind = TOK_PIN_FROM_FD };
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_pin *pin;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "first\nsecond\n", 13), 13);
	assert_int_equal(close(ends[1]), 0);
	src.fd = ends[0];
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_OK, &e);
	assert_string_equal(tok_pin_bytes(pin), "first");
	tok_pin_free(&pin);
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_OK, &e);
	assert_string_equal(tok_pin_bytes(pin), "second");
	tok_pin_free(&pin);
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_PIN, &e);
	assert_int_equal(close(ends[0]), 0);
	e = TLV_ERR_INIT;
	assert_status(tok_pin_read(&src, NULL, false, &pin, &e), ST_PIN, &e);
	assert_text(err_text(&e), "Bad file descriptor");
}

/* A terminal with somebody at it. */
struct terminal {
	int master, slave;
	pid_t pid;
};

static struct terminal terminal_with(int (*run)(void *arg), void *arg)
{
	struct terminal t;

	assert_int_equal(openpty(&t.master, &t.slave, NULL, NULL, NULL), 0);
	t.pid = fork();
	assert_true(t.pid >= 0);
	if (t.pid == 0) {
		(void)close(t.master);
		if (setsid() < 0 || ioctl(t.slave, TIOCSCTTY, 0) != 0)
			_exit(90);
		_exit(run(arg));
	}
	return t;
}

/* Reads the screen until the text is on it. */
static bool on_screen(const struct terminal *t, const char *text)
{
	char screen[4096] = "";
	size_t n = 0;

	while (strstr(screen, text) == NULL) {
		struct pollfd pfd = { .fd = t->master, .events = POLLIN };
		ssize_t got;

		if (poll(&pfd, 1, 10000) <= 0 || n >= sizeof screen - 1)
			return false;
		got = read(t->master, screen + n, sizeof screen - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		screen[n] = '\0';
	}
	return true;
}

static bool echoes(const struct terminal *t)
{
	struct termios tio;

	assert_int_equal(tcgetattr(t->slave, &tio), 0);
	return (tio.c_lflag & ECHO) != 0;
}

static void type(const struct terminal *t, const char *text)
{
	assert_int_equal(write(t->master, text, strlen(text)), (ssize_t)strlen(text));
}

static int leave(struct terminal *t)
{
	int status = 0;

	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	(void)close(t->master);
	(void)close(t->slave);
	return status;
}

/* Exit status: what tok_pin_read says, or 80 where it was another PIN. */
static int ask(void *arg)
{
	struct tok_pin_source src = { .kind = TOK_PIN_FROM_PROMPT };
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_pin *pin = NULL;
	enum status st = tok_pin_read(&src, "Say it: ", false, &pin, &e);
	bool same = pin == NULL || strcmp(tok_pin_bytes(pin), arg) == 0;

	tok_pin_free(&pin);
	return same ? (int)st : 80;
}

static char secret[] = "typed 1";

static void p19_the_prompt_does_not_echo(void **state)
{
	struct terminal t = terminal_with(ask, secret);

	(void)state;
	assert_true(on_screen(&t, "Say it: "));
	assert_false(echoes(&t));
	type(&t, "typed 1\n");
	assert_true(on_screen(&t, "\r\n"));
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_OK);
}

static void p19_echo_is_restored_on_every_signal(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1 };

	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct terminal t = terminal_with(ask, secret);
		int status;

		assert_true(on_screen(&t, "Say it: "));
		assert_false(echoes(&t));
		assert_int_equal(kill(t.pid, signals[i]), 0);
		assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
		assert_true(echoes(&t));
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		(void)close(t.master);
		(void)close(t.slave);
	}
}

static void p19_after_a_stop_it_asks_again(void **state)
{
	struct terminal t = terminal_with(ask, secret);

	(void)state;
	assert_true(on_screen(&t, "Say it: "));
	type(&t, "half");
	assert_int_equal(kill(t.pid, SIGTSTP), 0);
	assert_true(on_screen(&t, "Say it: "));
	assert_false(echoes(&t));
	type(&t, "typed 1\n");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_OK);
}

static void an_end_of_file_is_no_pin(void **state)
{
	struct terminal t = terminal_with(ask, secret);

	(void)state;
	assert_true(on_screen(&t, "Say it: "));
	type(&t, "\x04");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_PIN);
	t = terminal_with(ask, secret);
	assert_true(on_screen(&t, "Say it: "));
	type(&t, "\n");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_PIN);
}

static int ask_without_terminal(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)setsid();
		_exit(ask(secret));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void no_terminal_is_a_missing_pin(void **state)
{
	(void)state;
	assert_int_equal(ask_without_terminal(), ST_PIN);
}

static int sign_typed(void *arg)
{
	struct lab *l = arg;
	struct tlv_err e = TLV_ERR_INIT;

	l->opt.pin_source = "prompt";
	return (int)lab_sign(l, &e);
}

static void p16_two_prompts_the_second_says_the_count(void **state)
{
	struct lab *l = *state;
	struct terminal t;

	lab_plan(l, "%s", "");
	t = terminal_with(sign_typed, l);
	assert_true(on_screen(&t, "PIN of token 'SAST-ADN008580ef' (serial "));
	assert_false(echoes(&t));
	type(&t, "wrong\n");
	assert_true(on_screen(&t, "few attempts are left: "));
	type(&t, LAB_PIN "\n");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_OK);
	assert_int_equal(lab_count(l, "C_Login"), 2);
}

static void p16_no_third_prompt(void **state)
{
	struct lab *l = *state;
	struct terminal t;

	lab_plan(l, "%s", "");
	t = terminal_with(sign_typed, l);
	assert_true(on_screen(&t, "PIN of token"));
	type(&t, "wrong\n");
	assert_true(on_screen(&t, "few attempts are left: "));
	type(&t, "worse\n");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_PIN);
	assert_int_equal(lab_count(l, "C_Login"), 2);
}

static void p16_no_second_prompt_at_the_final_try(void **state)
{
	struct lab *l = *state;
	struct terminal t;

	/* 1 and 2: the slots; 3: before the question; 4: before C_Login; 5: before the next. */
	lab_plan(l, "C_GetTokenInfo 5+ flags +FINAL_TRY");
	t = terminal_with(sign_typed, l);
	assert_true(on_screen(&t, "PIN of token"));
	type(&t, "wrong\n");
	assert_int_equal(WEXITSTATUS(leave(&t)), ST_PIN);
	assert_int_equal(lab_count(l, "C_Login"), 1);
}

static void p16_a_wrong_file_is_tried_once_in_all(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_file(l->pin, "wrong\n", 0600);
	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_PIN, &e);
	assert_int_equal(lab_count(l, "C_Login"), 1);
	for (int i = 0; i < 15; i++) {
		e = TLV_ERR_INIT;
		assert_status(lab_sign(l, &e), ST_PIN_LOCKED, &e);
	}
	assert_int_equal(lab_count(l, "C_Login"), 1);
	lab_file(l->pin, LAB_PIN "\n", 0600); /* right now, but nobody types it */
	e = TLV_ERR_INIT;
	assert_status(lab_sign(l, &e), ST_PIN_LOCKED, &e);
	assert_int_equal(lab_count(l, "C_Login"), 1);
}

static void no_pin_is_read_that_would_not_be_tried(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;

	lab_plan(l, "C_GetTokenInfo * flags +LOCKED");
	l->opt.pin_source = "env:LAB_SECRET";
	assert_int_equal(setenv("LAB_SECRET", LAB_PIN, 1), 0);
	assert_status(lab_sign(l, &e), ST_PIN_LOCKED, &e);
	assert_string_equal(getenv("LAB_SECRET"), LAB_PIN);
	e = TLV_ERR_INIT;
	lab_plan(l, "%s", "");
	assert_status(lab_sign(l, &e), ST_OK, &e);
	assert_string_equal(getenv("LAB_SECRET"), "");
	assert_int_equal(unsetenv("LAB_SECRET"), 0);
}

static void the_uris_own_pin_source(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char uri[300];

	(void)snprintf(uri, sizeof uri, "pkcs11:token=SAST-ADN008580ef?pin-source=%s", l->pin);
	l->opt.uri = uri;
	l->opt.pin_source = NULL;
	assert_status(lab_sign(l, &e), ST_OK, &e);
	(void)snprintf(uri, sizeof uri, "pkcs11:token=SAST-ADN008580ef?pin-source=file:%s", l->pin);
	assert_status(lab_sign(l, &e), ST_OK, &e);
}

#define LAB(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_are_four_and_no_command),
		cmocka_unit_test(a_uri_may_name_a_file_without_file),
		LAB(p12_files),
		LAB(p12_a_nul_is_refused),
		LAB(p12_a_file_that_others_read_is_refused),
		cmocka_unit_test(a_variable_is_overwritten_in_place),
		cmocka_unit_test(a_descriptor_gives_one_line_and_keeps_the_next),
		cmocka_unit_test(p19_the_prompt_does_not_echo),
		cmocka_unit_test(p19_echo_is_restored_on_every_signal),
		cmocka_unit_test(p19_after_a_stop_it_asks_again),
		cmocka_unit_test(an_end_of_file_is_no_pin),
		cmocka_unit_test(no_terminal_is_a_missing_pin),
		LAB(p16_two_prompts_the_second_says_the_count),
		LAB(p16_no_third_prompt),
		LAB(p16_no_second_prompt_at_the_final_try),
		LAB(p16_a_wrong_file_is_tried_once_in_all),
		LAB(no_pin_is_read_that_would_not_be_tried),
		LAB(the_uris_own_pin_source),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
