/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * How differences read.
 */
#include "tests/signer/list/diff_lists.h"

static void collect(void *arg, const char *line)
{
	buf_printf(arg, "%s\n", line);
}

static void test_text(void **state)
{
	static const struct rec before[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					     { CAPF, 'C', "CAPF-1111", "pub", 1, CUCM },
					     { BOTH, 'D', "sub", "sub", 2, CUCM },
					     END };
	static const struct rec after[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					    { BOTH, 'D', "sub", "evil\x1b[2J\nname", 9, CUCM },
					    { SAST, 'T', "T:SAST-1   ", "", 0, CLIENT },
					    END };
	struct tlv_header_spec spec = plain_header;
	struct tlv_err e = TLV_ERR_INIT;
	struct buf said = BUF_INIT;
	struct made old, new;
	struct diff d;

	(void)state;
	spec.timestamp -= 60;
	spec.digest = TLV_SHA256;
	make(&old, &plain_header, before);
	make(&new, &spec, after);
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(diff_print(&d, collect, &said, &e), ST_OK);
	assert_string_equal(
		buf_cstr(&said),
		"header digest: sha1 -> sha256\n"
		"header timestamp: 2015-03-10T15:06:40Z -> 2015-03-10T15:05:40Z (goes BACKWARDS)\n"
		"header size: 1733 bytes -> 1762 bytes\n"
		"old record 2 removed: CAPF pub 10.48.47.1 (CAPF-1111)\n"
		"record 2 changed: CCM+TFTP evil\\x1b[2J\\x0aname 10.48.47.9 (sub)\n"
		"    name: sub -> evil\\x1b[2J\\x0aname\n"
		"    address: 10.48.47.2 -> 10.48.47.9\n"
		"record 3 added: SAST (SAST-1)\n"
		"different: 1 changed, 1 added, 1 removed, 1 the same; header: digest, timestamp, "
		"size\n");
	buf_free(&said);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
