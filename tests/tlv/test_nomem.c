/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Memory that ends, at every allocation in turn: nothing is lost, nothing is
 * believed, nothing is read that is not there. The linker puts these functions
 * in place of the usual ones (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/tlv/bytes_file.h"
#include "tlv/check.h"
#include "tlv/list.h"

/* Allocations that still succeed; negative: all. */
static long left = -1;
static bool failed;

static bool ends(void)
{
	if (left < 0)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	failed = true;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
	return ends() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return ends() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return ends() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return ends() ? NULL : __real_reallocarray(p, n, size);
}

static void read_and_write(struct span bytes)
{
	struct tlv_findings f = TLV_FINDINGS_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct buf again = BUF_INIT;
	struct tlv_list l;
	enum status st = tlv_list_decode(&l, bytes, &e);

	assert_true(st == ST_OK || (failed && st == ST_NOMEM && e.status == ST_NOMEM));
	if (st == ST_OK) {
		st = tlv_list_encode(&l, &again, &e);
		assert_true(st == ST_OK || (failed && st == ST_NOMEM));
		assert_true(st != ST_OK || span_eq(buf_span(&again), bytes));
		(void)tlv_list_dialect(&l);
		tlv_check_list(&l, &f);
		/* What could not be looked at is no list without findings. */
		assert_true(!failed || st != ST_OK || f.nomem || f.n > 0);
	}
	tlv_findings_free(&f);
	buf_free(&again);
	tlv_list_free(&l);
}

static void make_again(struct span bytes)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct buf b = BUF_INIT;
	struct tlv_record r;
	struct tlv_cert c;
	enum status st;

	assert_int_equal(tlv_record_decode(&r, span_slice(bytes, 336, bytes.n), 336, NULL), ST_OK);
	assert_int_equal(tlv_cert_walk(r.certificate, &c, NULL), ST_OK);
	st = tlv_record_write(&b,
			      &(struct tlv_record_spec){ .dialect = { TLV_STYLE_CUCM, ',' },
							 .cert = &c,
							 .name = SPAN_LIT("n") },
			      &e);
	assert_true(st == ST_OK || (failed && st == ST_NOMEM));
	buf_free(&b);
}

/* One more allocation each time, until all are there. */
static void every_allocation(void (*run)(struct span))
{
	struct buf b = test_file("lists/cucm.tlv");
	long n = 0;

	do {
		failed = false;
		left = n++;
		run(buf_span(&b));
		left = -1;
	} while (failed && n < 10000);
	assert_true(n > 5 && n < 10000);
	buf_free(&b);
}

static void reading(void **state)
{
	(void)state;
	every_allocation(read_and_write);
}

static void writing(void **state)
{
	(void)state;
	every_allocation(make_again);
}

static void copies(void **state)
{
	struct tlv_findings f = TLV_FINDINGS_INIT;

	(void)state;
	left = 0;
	assert_null(span_dup(SPAN_LIT("x")));
	tlv_find(&f, TLV_FIND_EMPTY, 0, TLV_NO_OFFSET, "no room for it");
	left = 1;
	tlv_find(&f, TLV_FIND_EMPTY, 0, TLV_NO_OFFSET, "no room for its text");
	left = -1;
	assert_true(f.nomem && f.n == 0);
	tlv_findings_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(writing),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
