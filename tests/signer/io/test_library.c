/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/library.h"

#include <gnu/lib-names.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A sanitizer wants more memory than any limit leaves. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static __typeof__(strlen) *length;

static void calls_are_set(void **state)
{
	const struct library_call calls[] = { { "strlen", &length } };

	(void)state;
	assert_int_equal(library_load(LIBC_SO, "libc6", calls, 1, NULL), ST_OK);
	assert_int_equal(length("four"), 4);
}

static void one_that_is_missing(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(library_load("libnone.so.1", "libnone1", NULL, 0, &e), ST_MACHINE);
	assert_non_null(strstr(err_text(&e), "'libnone.so.1' cannot be loaded"));
	assert_non_null(strstr(err_text(&e), "install Debian's package 'libnone1'"));
}

static void one_that_lacks_a_function(void **state)
{
	const struct library_call calls[] = { { "strlen", &length }, { "no_such_call", &length } };
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(library_load(LIBC_SO, "libc6", calls, 2, &e), ST_MACHINE);
	assert_non_null(strstr(err_text(&e), "no_such_call"));
}

/* Pages that this process has; 0: nobody says. */
static unsigned long pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	char line[256] = "";
	unsigned long n = 0;

	if (f != NULL && fgets(line, sizeof line, f) != NULL)
		n = strtoul(line, NULL, 10);
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* Whoever installs a library that is there has understood nothing. */
static void memory_that_is_missing(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	if (SANITIZED)
		skip();
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		rlim_t now = (rlim_t)pages() * (rlim_t)sysconf(_SC_PAGESIZE);
		struct rlimit limit = { now + 65536, now + 65536 };
		struct tlv_err e = TLV_ERR_INIT;

		if (setrlimit(RLIMIT_AS, &limit) != 0)
			_exit(1);
		_exit((int)library_load(LIBM_SO, "libc6", NULL, 0, &e));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), ST_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_set),
		cmocka_unit_test(one_that_is_missing),
		cmocka_unit_test(one_that_lacks_a_function),
		cmocka_unit_test(memory_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
