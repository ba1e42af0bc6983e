/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Certificates from a folder: which files count, and which cost a warning.
 */
#include "tests/signer/publish/folder.h"

#include "signer/crypto/certset.h"
#include "tests/signer/given.h"

static void keep(void *arg, const char *text)
{
	buf_str(arg, text);
	buf_str(arg, "\n");
}

/* The files of the set, each followed by a blank. */
static const char *files_of(const struct certset *s)
{
	static char text[256];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s ", s->v[i].file);
	return text;
}

static void copy(const char *from, const char *to)
{
	struct buf b = test_file(from);

	put_bytes(to, buf_span(&b));
	buf_free(&b);
}

static void a_folder(void **state)
{
	/* What other verbs put beside certificates, which is passed over without a word. */
	static const char *const others[] = { "a.proof", "SHA256SUMS", "b.yaml", "c.TLV",
					      "d.sgn",	 "e.txt",      "f.html", "g.key" };
	struct certset s = CERTSET_INIT;
	struct buf said = BUF_INIT;
	struct tlv_warn warn = { keep, &said };

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		put_text(others[i], "nothing");
	copy("cluster/sub1.pem", "2.cer");
	copy("cluster/pub.pem", "1.pem");
	copy("cluster/pub.pem", "3.pem"); /* the same again */
	assert_int_equal(certset_add_folder(&s, ".", &warn, NULL), ST_OK);
	assert_string_equal(files_of(&s), "1.pem 2.cer ");
	assert_int_equal(said.n, 0);
	put_text("4.pem", "nothing");
	copy("cluster/capf.pem", "5");
	assert_int_equal(certset_add_folder(&s, ".", &warn, NULL), ST_OK);
	assert_string_equal(files_of(&s), "1.pem 2.cer 5 ");
	assert_says(buf_cstr(&said), "4.pem");
	buf_free(&said);
	certset_free(&s);
	assert_int_equal(s.n, 0);
}

static void no_folder(void **state)
{
	struct certset s = CERTSET_INIT;
	struct tlv_err e = TLV_ERR_INIT;
	struct tlv_warn silent = { .fn = NULL };

	(void)state;
	assert_int_equal(certset_add_folder(&s, "none", &silent, &e), ST_INPUT);
	assert_says(err_text(&e), "none");
	certset_free(&s);
}

static void from_memory(void **state)
{
	struct cert pub = given_cert(PUB), sub = given_cert(SUB);
	struct certset s = CERTSET_INIT;

	(void)state;
	assert_int_equal(certset_add(&s, buf_span(&pub.der), NULL, NULL), ST_OK);
	assert_int_equal(certset_add(&s, buf_span(&sub.der), "s", NULL), ST_OK);
	assert_int_equal(certset_add(&s, buf_span(&pub.der), "p", NULL), ST_OK);
	assert_int_equal(certset_add(&s, SPAN_LIT("no certificate"), "x", NULL), ST_INPUT);
	assert_int_equal(s.n, 2);
	assert_null(s.v[0].file);
	assert_string_equal(s.v[1].file, "s");
	assert_true(span_eq(s.v[1].cert.parts.serial, sub.parts.serial));
	certset_free(&s);
	cert_free(&pub);
	cert_free(&sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_folder),
		IN_A_FOLDER(no_folder),
		cmocka_unit_test(from_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
