/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Lists from files and from logs, and which one of a log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "signer/text/hints.h"
#include "signer/text/list_file.h"
#include "tests/tlv/bytes_file.h"

#define DATA TEST_DATA_DIR "/"

struct folder {
	char path[64];
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	(void)strcpy(f->path, "/tmp/ctlsign-listing-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(chdir(f->path), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	(void)unlink("two.log");
	(void)unlink("two.log#2");
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

/* The log as often as n says. */
static void write_log(const char *name, size_t n)
{
	struct buf log = test_file("logs/putty.log");
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fwrite(log.p, 1, log.n, f), log.n);
	assert_int_equal(fclose(f), 0);
	buf_free(&log);
}

static void a_file_is_read_as_before(void **state)
{
	struct list_file l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(list_file_read(&l, DATA "lists/cucm.tlv", LIST_PRINTED, &e), ST_OK);
	assert_false((l.printed != NULL));
	assert_false(l.list.printed);
	list_file_free(&l);
}

static void a_log_is_a_printed_list(void **state)
{
	struct list_file l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(list_file_read(&l, DATA "logs/putty.log", LIST_PRINTED, &e), ST_OK);
	assert_true((l.printed != NULL));
	assert_int_equal(l.list.nrecords, 4);
	list_file_free(&l);
}

/* Reading the log again for each of its lists would take the square of their number. */
static void the_lists_of_a_log_take_one_reading(void **state)
{
	struct list_file first, l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	write_log("two.log", 2);
	assert_int_equal(list_file_read(&first, "two.log#1", LIST_PRINTED, &e), ST_OK);
	assert_int_equal(unlink("two.log"), 0);
	assert_int_equal(list_file_of_log(&l, &first, 2, "two.log#2", LIST_PRINTED, &e), ST_OK);
	assert_string_equal(l.name, "the list in two.log#2");
	assert_ptr_equal(l.log, first.log);
	list_file_free(&first);
	assert_int_equal(l.list.nrecords, 4);
	assert_int_equal(list_file_of_log(&first, &l, 3, "two.log#3", LIST_PRINTED, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "two.log#3: list 3 of 2 in this log");
	e = TLV_ERR_INIT;
	assert_int_equal(list_file_of_log(&first, &l, 1, "two.log#1", 0, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "give '--certs'"));
	list_file_free(&l);
}

static void a_printed_list_is_not_enough_for_all(void **state)
{
	struct list_file l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(list_file_read(&l, DATA "logs/putty.log", 0, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "give '--certs'"));
	assert_null(l.file.p);
}

static void assert_rebuilt(void)
{
	struct buf file = test_file("logs/genuine.tlv");
	struct tlv_err e = TLV_ERR_INIT;
	struct list_file l;

	if (list_file_read(&l, DATA "logs/putty.log", 0, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
	assert_true(l.rebuilt && l.printed == NULL);
	assert_true(span_eq(blob_span(&l.file), buf_span(&file)));
	list_file_free(&l);
	buf_free(&file);
}

/* Last: what the command line gives stays. */
static void certificates_make_it_the_file(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct list_file l;

	(void)state;
	assert_int_equal(hints_add_address("nonsense", &e), ST_USAGE);
	e = TLV_ERR_INIT;
	assert_int_equal(hints_add_certs(DATA "logs/putty.log", &e), ST_OK);
	assert_int_equal(list_file_read(&l, DATA "logs/putty.log", 0, &e), ST_INPUT);
	print_message("%s\n", err_text(&e));
	e = TLV_ERR_INIT;
	assert_int_equal(list_file_read(&l, DATA "logs/putty.log", LIST_PRINTED, &e), ST_OK);
	assert_true(l.printed != NULL && !l.rebuilt);
	list_file_free(&l);
	assert_int_equal(hints_add_address("cucm-1051-a-pub=10.48.47.153", &e), ST_OK);
	assert_int_equal(hints_add_address("cucm-1051-a-sub1=10.48.47.154", &e), ST_OK);
	assert_rebuilt();
	hints_free();
}

static void one_of_several(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct list_file l;

	(void)state;
	write_log("two.log", 2);
	assert_int_equal(list_file_read(&l, "two.log", LIST_PRINTED | LIST_DAMAGED, &e),
			 ST_AMBIGUOUS);
	print_message("%s\n", err_text(&e));
	assert_non_null(strstr(err_text(&e), "two.log#2: CTL, line 18"));
	e = TLV_ERR_INIT;
	assert_int_equal(list_file_read(&l, "two.log#2", LIST_PRINTED, &e), ST_OK);
	assert_true(l.printed == &l.log->lists.v[1]);
	list_file_free(&l);
	assert_int_equal(list_file_read(&l, "two.log#3", LIST_PRINTED | LIST_DAMAGED, &e),
			 ST_INPUT);
	assert_string_equal(err_text(&e), "two.log#3: list 3 of 2 in this log");
	/* A file of that very name wins. */
	write_log("two.log#2", 1);
	e = TLV_ERR_INIT;
	assert_int_equal(list_file_read(&l, "two.log#2", LIST_PRINTED, &e), ST_OK);
	assert_true(l.printed == &l.log->lists.v[0] && l.log->lists.n == 1);
	list_file_free(&l);
}

static void what_is_neither(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct list_file l;

	(void)state;
	assert_int_equal(list_file_read(&l, DATA "cluster/pub.pem", LIST_PRINTED, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "it is a certificate in PEM"));
	e = TLV_ERR_INIT;
	assert_int_equal(list_file_read(&l, "nosuch.tlv", LIST_PRINTED | LIST_DAMAGED, &e),
			 ST_INPUT);
	assert_non_null(strstr(err_text(&e), "No such file"));
	e = TLV_ERR_INIT;
	assert_int_equal(
		list_file_read(&l, DATA "lists/cucm.tlv#2", LIST_PRINTED | LIST_DAMAGED, &e),
		ST_INPUT);
	assert_non_null(strstr(err_text(&e), "this file is no log"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_before),
		cmocka_unit_test(a_log_is_a_printed_list),
		cmocka_unit_test_setup_teardown(the_lists_of_a_log_take_one_reading, setup,
						teardown),
		cmocka_unit_test(a_printed_list_is_not_enough_for_all),
		cmocka_unit_test_setup_teardown(one_of_several, setup, teardown),
		cmocka_unit_test(what_is_neither),
		cmocka_unit_test(certificates_make_it_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
