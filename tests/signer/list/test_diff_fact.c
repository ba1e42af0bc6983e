/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What two lists can differ in: facts of the whole list, and that no byte is overlooked.
 */
#include "tests/signer/list/diff_lists.h"

static const char *const header_keys[] = {
#define DIFF_HEADER(NAME, key, label, differs, put, respelled) key,
#include "signer/list/diff.def"
#undef DIFF_HEADER
};

struct header_case {
	const char *what;
	void (*change)(struct tlv_header_spec *s);
	const char *expected;
};

static void no_change(struct tlv_header_spec *s)
{
	(void)s;
}

static void later(struct tlv_header_spec *s)
{
	s->timestamp++;
}

static void earlier(struct tlv_header_spec *s)
{
	s->timestamp--;
}

static void timeless(struct tlv_header_spec *s)
{
	s->has_timestamp = false;
}

static void other_digest(struct tlv_header_spec *s)
{
	s->digest = TLV_SHA512;
}

static void itl(struct tlv_header_spec *s)
{
	s->filename = SPAN_LIT("ITLFile.tlv");
}

static void older_version(struct tlv_header_spec *s)
{
	s->version[1] = 1;
}

static void signer_version(struct tlv_header_spec *s)
{
	s->has_signer_version = true;
}

static void other_serial(struct tlv_header_spec *s)
{
	s->signer_serial = SPAN_LIT("\x70\x01\x42");
}

static void unlisted_signer(struct tlv_header_spec *s)
{
	s->signer_name = s->signer_issuer = SPAN_LIT("CN=who\0");
}

static void longer_signature(struct tlv_header_spec *s)
{
	s->signature_bytes = 256;
	s->modulus = 2;
}

static const struct header_case header_cases[] = {
	{ "nothing", no_change, "" },
	{ "the time", later, "timestamp" },
	{ "the time, backwards", earlier, "timestamp" },
	{ "no time", timeless, "timestamp,size" },
	{ "the digest", other_digest, "digest" },
	{ "the kind", itl, "filename" },
	{ "the version", older_version, "version" },
	{ "a signer version of 0.0", signer_version, "signer_version,size" },
	{ "the other SAST signs", other_serial, "signer_serial,signer_key" },
	{ "a signer who is not in the list", unlisted_signer,
	  "signer_name,signer_issuer,signer_key" },
	{ "a longer signature", longer_signature, "signature_bits,signature,size" },
};

static void test_headers(void **state)
{
	static const struct rec records[] = { { SAST, 'A', "pub", "pub", 1, CUCM },
					      { SAST, 'B', "pub", "pub", 1, CUCM },
					      { BOTH, 'A', "pub", "pub", 1, CUCM },
					      END };

	(void)state;
	for (size_t i = 0; i < COUNT(header_cases); i++) {
		struct tlv_header_spec spec = plain_header;
		struct tlv_err e = TLV_ERR_INIT;
		struct buf said = BUF_INIT;
		struct made old, new;
		struct diff d;

		header_cases[i].change(&spec);
		make(&old, &plain_header, records);
		make(&new, &spec, records);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		put_bits_text(&said, d.header, header_keys, COUNT(header_keys));
		if (strcmp(buf_cstr(&said), header_cases[i].expected) != 0)
			fail_msg("%s:\n  got    %s\n  wanted %s", header_cases[i].what,
				 buf_cstr(&said), header_cases[i].expected);
		assert_int_equal(d.signed_again,
				 strcmp(header_cases[i].expected, "timestamp") == 0);
		assert_int_equal(d.timestamp_backwards, header_cases[i].change == earlier);
		assert_int_equal(d.same, header_cases[i].change == no_change);
		assert_int_equal(d.count[DIFF_SAME], 3);
		diff_free(&d);
		buf_free(&said);
		made_free(&old);
		made_free(&new);
	}
}

static void test_mode_and_style(void **state)
{
	static const struct rec mixed[] = { { BOTH, 'A', "pub", "pub", 1, CUCM }, END };
	static const struct rec bare[] = { { BOTH, NOBODY, NULL, "pub", 1, CUCM }, END };
	static const struct rec hashed[] = { { BOTH, 'A', "pub", "pub", 1, HASHED }, END };
	static const struct rec client[] = { { BOTH, 'A', "pub", "10.48.47.1", 1, CLIENT }, END };
	static const struct {
		const struct rec *old, *new;
		bool mode, style;
	} rows[] = { { mixed, bare, true, false },
		     { bare, mixed, true, false },
		     { mixed, hashed, false, false },
		     { mixed, client, false, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct made old, new;
		struct diff d;

		start(&old, &plain_header);
		put_record(&old.bytes, rows[i].old);
		finish(&old);
		start(&new, &plain_header);
		put_record(&new.bytes, rows[i].new);
		finish(&new);
		assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
		assert_int_equal(diff_header_differs(&d, DIFF_H_MODE), rows[i].mode);
		assert_int_equal(diff_header_differs(&d, DIFF_H_STYLE), rows[i].style);
		assert_false(d.signed_again);
		diff_free(&d);
		made_free(&old);
		made_free(&new);
	}
}

/* Bytes that no field holds still make a list another one. */
static void test_signature_and_odd_header_bytes(void **state)
{
	static const struct rec records[] = { { BOTH, 'A', "pub", "pub", 1, CUCM }, END };
	struct tlv_err e = TLV_ERR_INIT;
	struct made old, new;
	struct diff d;

	(void)state;
	make(&old, &plain_header, records);
	make(&new, &plain_header, records);
	/* In the signature. */
	new.bytes.p[new.list.header.signature_at + 3] ^= 1;
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(d.header, 1U << DIFF_H_SIGNATURE);
	assert_true(d.signed_again && !d.same);
	diff_free(&d);
	/* The file name's NUL. */
	new.bytes.p[new.list.header.signature_at + 3] ^= 1;
	new.bytes.p[new.list.header.signature_at + 3 + 128 + 3 + 11] = 'x';
	assert_int_equal(diff_lists(&d, &old.list, &new.list, &e), ST_OK);
	assert_int_equal(d.header, 1U << DIFF_H_FILENAME);
	assert_true(!d.signed_again && !d.same);
	diff_free(&d);
	made_free(&old);
	made_free(&new);
}

static void count_line(void *arg, const char *line)
{
	size_t *lines = arg;

	for (; *line != '\0'; line++)
		assert_true((unsigned char)*line >= ' ' && *line != 0x7f);
	++*lines;
}

/* A change that the reader takes is named: in the header, or in one record at least. */
static void expect_named(const struct tlv_list *old, const struct tlv_list *new)
{
	struct tlv_err e = TLV_ERR_INIT;
	size_t lines = 0;
	struct diff d;
	json_t *o;

	assert_int_equal(diff_lists(&d, old, new, &e), ST_OK);
	assert_false(d.same);
	assert_true(d.header != 0 || d.count[DIFF_SAME] < d.n);
	assert_int_equal(diff_print(&d, count_line, &lines, &e), ST_OK);
	assert_true(lines > 1 || d.header == 1U << DIFF_H_SIGNATURE);
	o = diff_json(&d);
	assert_non_null(o);
	json_decref(o);
	diff_free(&d);
}

static void test_any_bit_changed_is_named(void **state)
{
	static const struct rec records[] = {
		{ SAST, 'A', "pub", "pub", 1, CUCM },  { SAST, 'T', "T:SAST-1 ", "", 0, CLIENT },
		{ BOTH, 'A', "pub", "pub", 1, CUCM },  { BOTH, NOBODY, NULL, "sub", 2, CUCM },
		{ TVS, 'B', "pub", "pub", 1, HASHED }, END
	};
	struct made old, new;
	size_t read = 0;

	(void)state;
	make(&old, &plain_header, records);
	make(&new, &plain_header, records);
	for (size_t bit = 0; bit < 8 * old.bytes.n;
	     bit += 7) { /* one of each byte, in turn another */
		struct tlv_err e = TLV_ERR_INIT;
		struct tlv_list changed;

		new.bytes.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (tlv_list_decode(&changed, buf_span(&new.bytes), &e) == ST_OK) {
			expect_named(&old.list, &changed);
			expect_named(&changed, &old.list);
			read++;
		}
		tlv_list_free(&changed);
		new.bytes.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_true(read > old.bytes.n / 7);
	made_free(&old);
	made_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_mode_and_style),
		cmocka_unit_test(test_signature_and_odd_header_bytes),
		cmocka_unit_test(test_any_bit_changed_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
