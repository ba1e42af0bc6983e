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

#include "signer/text/listing.h"
#include "tests/tlv/bytes_file.h"

#define DATA TEST_DATA_DIR "/"

static const struct listing_options plain = { .max = 1 << 20 };

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
	struct listing l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(listing_read_good(&l, DATA "lists/cucm.tlv", &plain, &e), ST_OK);
	assert_false(listing_is_printed(&l));
	assert_int_equal(l.f.list.ngaps, 0);
	listing_free(&l);
}

static void a_log_is_a_printed_list(void **state)
{
	struct listing l;
	struct tlv_err e = TLV_ERR_INIT;

	(void)state;
	assert_int_equal(listing_read_good(&l, DATA "logs/putty.log", &plain, &e), ST_OK);
	assert_true(listing_is_printed(&l));
	assert_int_equal(l.f.list.nrecords, 4);
	listing_free(&l);
}

static void certificates_make_it_the_file(void **state)
{
	struct buf log = test_file("logs/putty.log"), file = test_file("logs/genuine.tlv");
	struct rebuild_address addresses[] = {
		{ .name = SPAN_LIT("cucm-1051-a-pub"), .ip = { 10, 48, 47, 153 } },
		{ .name = SPAN_LIT("cucm-1051-a-sub1"), .ip = { 10, 48, 47, 154 } }
	};
	struct certset certs = CERTSET_INIT;
	struct rebuild_hints hints = { .certs = &certs, .addresses = addresses, .naddresses = 2 };
	struct listing_options with = { .max = 1 << 20, .hints = &hints };
	struct tlv_err e = TLV_ERR_INIT;
	struct listing l;
	size_t n = 0;

	(void)state;
	assert_int_equal(listing_certificates(buf_span(&log), &certs, &n, &e), ST_OK);
	assert_int_equal(n, 3);
	assert_int_equal(listing_read_good(&l, DATA "logs/putty.log", &with, &e), ST_OK);
	assert_true(l.rebuilt && !listing_is_printed(&l));
	assert_true(span_eq(blob_span(&l.f.file), buf_span(&file)));
	listing_free(&l);
	/* Without an address it stays a printed list: no error. */
	hints.naddresses = 0;
	assert_int_equal(listing_read_good(&l, DATA "logs/putty.log", &with, &e), ST_OK);
	assert_true(listing_is_printed(&l));
	listing_free(&l);
	certset_free(&certs);
	buf_free(&log);
	buf_free(&file);
}

static void one_of_several(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct listing l;

	(void)state;
	write_log("two.log", 2);
	assert_int_equal(listing_read(&l, "two.log", &plain, &e), ST_AMBIGUOUS);
	print_message("%s\n", err_text(&e));
	assert_non_null(strstr(err_text(&e), "two.log#2: CTL, line 18"));
	e = TLV_ERR_INIT;
	assert_int_equal(listing_read_good(&l, "two.log#2", &plain, &e), ST_OK);
	assert_true(l.from == &l.log.v[1]);
	listing_free(&l);
	assert_int_equal(listing_read(&l, "two.log#3", &plain, &e), ST_INPUT);
	assert_string_equal(err_text(&e), "two.log#3: list 3 of 2 in this log");
	/* A file of that very name wins. */
	write_log("two.log#2", 1);
	e = TLV_ERR_INIT;
	assert_int_equal(listing_read_good(&l, "two.log#2", &plain, &e), ST_OK);
	assert_true(l.from == &l.log.v[0] && l.log.n == 1);
	listing_free(&l);
}

static void what_is_neither(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct listing l;

	(void)state;
	assert_int_equal(listing_read_good(&l, DATA "cluster/pub.pem", &plain, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "it is a certificate in PEM"));
	e = TLV_ERR_INIT;
	assert_int_equal(listing_read(&l, "nosuch.tlv", &plain, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "No such file"));
	e = TLV_ERR_INIT;
	assert_int_equal(listing_read(&l, DATA "lists/cucm.tlv#2", &plain, &e), ST_INPUT);
	assert_non_null(strstr(err_text(&e), "and this is none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_before),
		cmocka_unit_test(a_log_is_a_printed_list),
		cmocka_unit_test(certificates_make_it_the_file),
		cmocka_unit_test_setup_teardown(one_of_several, setup, teardown),
		cmocka_unit_test(what_is_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
