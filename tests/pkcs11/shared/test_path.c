/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From where code is loaded: every folder and link on the way is looked at.
 */
#include "tests/pkcs11/lab.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/shared/path.h"

/* In the test's folder, which is this user's alone: "good/m.so", and what else the shell makes. */
static void make(struct lab *l, const char *script)
{
	lab_run("cd %s && rm -rf w && mkdir -m 755 w && cd w && mkdir -m 755 good && "
		": >good/m.so && chmod 644 good/m.so && %s",
		l->dir, script);
}

static enum status check(struct lab *l, const char *name, char out[PATH_MAX], struct tlv_err *e)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/w/%s", l->dir, name);
	*e = TLV_ERR_INIT;
	return tok_path_check(path, out, e);
}

static const struct {
	const char *script, *name;
	enum status status;
	const char *says; /* of the error, or how the path ends */
} rows[] = {
	{ "true", "good/m.so", ST_OK, "/w/good/m.so" },
	{ "true", "good/../good/./m.so", ST_OK, "/w/good/m.so" },
	{ "ln -s good/m.so link.so", "link.so", ST_OK, "/w/good/m.so" },
	{ "ln -s ../../w/good good/again", "good/again/m.so", ST_OK, "/w/good/m.so" },
	{ "ln -s m.so good/a && ln -s a good/b", "good/b", ST_OK, "/w/good/m.so" },
	{ "ln -s loop loop", "loop", ST_USAGE, "symbolic links" },
	{ "true", "good", ST_USAGE, "is not a file" },
	{ "mkfifo pipe", "pipe", ST_USAGE, "is not a file" },
	{ "true", "good/none.so", ST_USAGE, "No such file" },
	{ "chmod 666 good/m.so", "good/m.so", ST_USAGE, "can be written by others" },
	{ "chmod 664 good/m.so", "good/m.so", ST_USAGE, "can be written by others" },
	{ "chmod 777 good", "good/m.so", ST_USAGE, "/good' can be written by others" },
	/* A link in a folder that others can write: they turn it where they like. */
	{ "mkdir -m 777 all && ln -s ../good/m.so all/x.so", "all/x.so", ST_USAGE,
	  "/all' can be written by others" },
	{ "mkdir -m 777 all && ln -s ../good all/good && ln -s all/good/m.so x.so", "x.so",
	  ST_USAGE, "/all' can be written by others" },
	/* With the sticky bit only the owner of an entry can. */
	{ "mkdir -m 1777 tmp && cp good/m.so tmp/m.so", "tmp/m.so", ST_OK, "/w/tmp/m.so" },
	{ "mkdir -m 1777 tmp && ln -s ../good/m.so tmp/x.so", "tmp/x.so", ST_OK, "/w/good/m.so" },
};

static void every_folder_and_link_is_looked_at(void **state)
{
	struct lab *l = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[PATH_MAX] = "";
		struct tlv_err e;

		make(l, rows[i].script);
		assert_status(check(l, rows[i].name, out, &e), rows[i].status, &e);
		assert_text(rows[i].status == ST_OK ? out : err_text(&e), rows[i].says);
	}
}

static void for_root_all_of_it_is_roots(void **state)
{
	static const char *const scripts[] = {
		"chown 65534 good/m.so",
		"chown 65534 good",
		"mkdir -m 1777 tmp && cp good/m.so tmp && chown 65534 tmp && mv tmp good/tmp && "
		"ln -s good/tmp tmp",
		"ln -s good here && chown -h 65534 here",
	};
	static const char *const names[] = { "good/m.so", "good/m.so", "tmp/m.so", "here/m.so" };
	struct lab *l = *state;

	if (geteuid() != 0)
		lab_skip("files of other users are made by root only");
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		char out[PATH_MAX];
		struct tlv_err e;

		make(l, scripts[i]);
		assert_status(check(l, names[i], out, &e), ST_USAGE, &e);
		assert_text(err_text(&e), "can be written by others than root");
	}
}

static _Atomic int stop;

/* Turns a link between a good folder and one of somebody else's, as fast as it can. */
static void *turn(void *dir)
{
	char link[PATH_MAX], next[PATH_MAX];

	(void)snprintf(link, sizeof link, "%s/w/turns", (const char *)dir);
	(void)snprintf(next, sizeof next, "%s/w/next", (const char *)dir);
	for (unsigned i = 0; stop == 0; i++)
		if (symlink(i % 2 == 0 ? "good" : "evil", next) == 0)
			(void)rename(next, link);
	return NULL;
}

/* What is answered is what was looked at, however the link turns meanwhile. */
static void a_race_is_not_lost(void **state)
{
	struct lab *l = *state;
	pthread_t thread;
	unsigned good = 0, evil = 0;

	make(l, "mkdir -m 777 evil && cp good/m.so evil/m.so && ln -s good turns");
	stop = 0;
	assert_int_equal(pthread_create(&thread, NULL, turn, l->dir), 0);
	for (int i = 0; i < 3000; i++) {
		char out[PATH_MAX] = "";
		struct tlv_err e;

		if (check(l, "turns/m.so", out, &e) == ST_OK) {
			good++;
			evil += strstr(out, "/w/good/m.so") == NULL;
		}
	}
	stop = 1;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(evil, 0);
	assert_true(good > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_folder_and_link_is_looked_at),
		TEST(for_root_all_of_it_is_roots),
		TEST(a_race_is_not_lost),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
