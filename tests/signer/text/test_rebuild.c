/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * From printed text back to the file, and exactly what is missing otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signer/crypto/certfile.h"
#include "signer/text/rebuild.h"
#include "signer/text/when.h"
#include "tests/tlv/bytes_file.h"

struct world {
	struct buf text, file;
	struct printed_lists lists;
	struct certset certs;
	struct rebuild_address *addresses;
	size_t naddresses;
};

static enum status add_cert(void *arg, struct span der, struct tlv_err *e)
{
	return certset_add(arg, der, NULL, e);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct tlv_err e = TLV_ERR_INIT;
	size_t n = 0;

	w->text = test_file("logs/putty.log");
	w->file = test_file("logs/genuine.tlv");
	assert_int_equal(printed_find(&w->lists, buf_span(&w->text), &e), ST_OK);
	assert_int_equal(cert_each(buf_span(&w->text), add_cert, &w->certs, &n, &e), ST_OK);
	assert_int_equal(w->certs.n, 3);
	assert_int_equal(rebuild_addresses(&w->lists.v[0], buf_span(&w->text), &w->addresses,
					   &w->naddresses, &e),
			 ST_OK);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	free(w->addresses);
	certset_free(&w->certs);
	printed_free(&w->lists);
	buf_free(&w->text);
	buf_free(&w->file);
	free(w);
	return 0;
}

static struct rebuild_hints hints_of(const struct world *w)
{
	return (struct rebuild_hints){ .certs = &w->certs,
				       .addresses = w->addresses,
				       .naddresses = w->naddresses };
}

static const struct rebuild_address subscriber = { .name = SPAN_LIT("cucm-1051-a-sub1"),
						   .ip = { 10, 48, 47, 154 } };

static void the_genuine_list_comes_back(void **state)
{
	struct world *w = *state;
	struct rebuild_address given[] = { subscriber,
					   { .name = SPAN_LIT("cucm-1051-a-pub.example.org"),
					     .ip = { 10, 48, 47, 153 } } };
	struct rebuild_hints h = hints_of(w);
	struct tlv_err e = TLV_ERR_INIT;
	struct buf out = BUF_INIT;

	h.addresses = given;
	h.naddresses = 2;
	if (rebuild_list(&w->lists.v[0], &h, &out, &e) != ST_OK)
		fail_msg("%s", err_text(&e));
	assert_true(span_eq(buf_span(&out), buf_span(&w->file)));
	buf_free(&out);
}

/* The log has the publisher's address in its prompt: it may be any node's. */
static void addresses_of_the_log_are_tried(void **state)
{
	struct world *w = *state;
	struct rebuild_hints h = hints_of(w);
	struct rebuild_address all[4];
	struct tlv_err e = TLV_ERR_INIT;
	struct buf out = BUF_INIT;

	assert_true(w->naddresses > 0 && w->naddresses < 3);
	all[0] = subscriber;
	for (size_t i = 0; i < w->naddresses; i++)
		all[i + 1] = w->addresses[i];
	h.addresses = all;
	h.naddresses = w->naddresses + 1;
	assert_int_equal(rebuild_list(&w->lists.v[0], &h, &out, &e), ST_OK);
	assert_true(span_eq(buf_span(&out), buf_span(&w->file)));
	buf_free(&out);
}

static void assert_refused(const struct world *w, const struct rebuild_hints *h, const char *says)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf out = BUF_INIT;

	assert_int_equal(rebuild_list(&w->lists.v[0], h, &out, &e), ST_NO);
	print_message("%s\n", err_text(&e));
	assert_non_null(strstr(err_text(&e), says));
	assert_int_equal(out.n, 0);
	buf_free(&out);
}

static void what_is_missing_is_named(void **state)
{
	struct world *w = *state;
	struct rebuild_hints h = hints_of(w);
	struct certset few = CERTSET_INIT;
	struct tlv_err e = TLV_ERR_INIT;

	h.naddresses = 0;
	assert_refused(w, &h, "record 4: the address of 'cucm-1051-a-sub1'");
	assert_int_equal(certset_add(&few, w->certs.v[0].cert.parts.der, NULL, &e), ST_OK);
	h = hints_of(w);
	h.certs = &few;
	assert_refused(w, &h, "record 3: its certificate: CN=CAPF-e41e7d87");
	certset_free(&few);
}

static void a_wrong_address_or_time_is_not_taken(void **state)
{
	struct world *w = *state;
	struct rebuild_address wrong[] = { subscriber, { .ip = { 10, 48, 47, 152 } } };
	struct rebuild_hints h = hints_of(w);

	h.addresses = wrong;
	h.naddresses = 2;
	h.has_timestamp = true;
	h.timestamp = 1425999999;
	assert_refused(w, &h, "gives both printed checksums");
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "Thu Jan 01 00:00:00 UTC 1970", 0 },
		{ "Tue Mar 10 16:06:41 CET 2015", 1426003601 },
		{ "Tue Mar  3 16:06:41 2015", 1425398801 },
		{ "Thu Feb 29 23:59:60 Europe/Warsaw 2024", 1709251200 },
		{ "Sun Feb 07 06:28:15 AM GMT 2106", 4294967295 },
		{ "Tue Mar 10 04:06:41 PM CET 2015", 1426003601 },
	};
	static const char *const bad[] = { "",
					   "yesterday",
					   "Tue Mar 10 16:06 CET 2015",
					   "Tue Mrz 10 16:06:41 CET 2015",
					   "Tue Mar 32 16:06:41 CET 2015",
					   "Tue Mar 10 24:06:41 CET 2015",
					   "Tue Mar 10 16:06:41 CET 1915" };
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(when_parse(good[i].text, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(when_parse(bad[i], &seconds));
}

enum { EARLIEST = -16 * 3600, SPAN = 28 * 3600 + 1 };

/* From two hours before the easternmost zone's time to the westernmost's, none twice. */
static void every_time_is_tried_once(void **state)
{
	bool *seen = calloc(SPAN, sizeof *seen);
	int64_t seconds, printed = 1000000;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; when_try(printed, i, &seconds); i++) {
		if (seconds < 0)
			continue;
		assert_in_range(seconds - printed - EARLIEST, 0, SPAN - 1);
		assert_false(seen[seconds - printed - EARLIEST]);
		seen[seconds - printed - EARLIEST] = true;
		n++;
	}
	assert_int_equal(n, SPAN);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_genuine_list_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_of_the_log_are_tried, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wrong_address_or_time_is_not_taken, setup,
						teardown),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(every_time_is_tried_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
