/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The manifest: what it holds, on which line, and on which line it is wrong.
 */
#include "tests/signer/publish/folder.h"

#include "signer/list/manifest.h"

static void read_whole(void **state)
{
	static const char text[] = "# a comment\n"
				   "file: CTLFile.tlv\n"
				   "style: cucm\n"
				   "digest: \"sha1\"\n"
				   "signer-version: 1.0\n"
				   "records:\n"
				   "  - {role: SAST, cert: pub.pem}\n"
				   "  - role: CAPF\n"
				   "    cert: /abs/capf.pem\n"
				   "\n"
				   "    name: n\n"
				   "    address: 10.0.0.1\n"
				   "key: 'pkcs11:token=T'\n";
	struct manifest_file *m;
	const struct manifest *c;

	(void)state;
	put_text("m.yaml", text);
	assert_int_equal(manifest_read(&m, "m.yaml", NULL), ST_OK);
	c = manifest_content(m);
	assert_string_equal(c->file, "CTLFile.tlv");
	assert_string_equal(c->style, "cucm");
	assert_string_equal(c->digest, "sha1");
	assert_string_equal(c->signer_version, "1.0");
	assert_string_equal(c->key, "pkcs11:token=T");
	assert_null(c->mode);
	assert_null(c->cert);
	assert_null(c->name_separator);
	assert_int_equal(c->records_count, 2);
	assert_string_equal(c->records[0].role, "SAST");
	assert_string_equal(c->records[0].cert, "pub.pem");
	assert_null(c->records[0].name);
	assert_string_equal(c->records[1].name, "n");
	assert_string_equal(c->records[1].address, "10.0.0.1");
	manifest_free(&m);
	assert_null(m);
}

/* Quotes make text of what is refused without them. */
static void quoted_words(void **state)
{
	struct manifest_file *m;
	const struct manifest *c;

	(void)state;
	put_text("m.yaml",
		 "file: '~'\nstyle: \"null\"\ndigest: \"a\\nb\"\nmode: '!x'\nkey: nullify\n");
	assert_int_equal(manifest_read(&m, "m.yaml", NULL), ST_OK);
	c = manifest_content(m);
	assert_string_equal(c->file, "~");
	assert_string_equal(c->style, "null");
	assert_string_equal(c->digest, "a\nb");
	assert_string_equal(c->mode, "!x");
	assert_string_equal(c->key, "nullify");
	manifest_free(&m);
}

static void lines(void **state)
{
	static const struct {
		int record;
		const char *key;
		unsigned line;
	} rows[] = {
		{ -1, "file", 1 }, { -1, "key", 8 },	{ -1, "style", 1 }, { 0, NULL, 3 },
		{ 0, "role", 3 },  { 0, "name", 3 },	{ 1, NULL, 4 },	    { 1, "role", 4 },
		{ 1, "cert", 5 },  { 1, "address", 7 }, { 1, "name", 4 },   { 7, NULL, 1 },
	};
	struct manifest_file *m;
	char *origin;

	(void)state;
	put_text("m.yaml", "file: a\nrecords:\n  - {role: SAST, cert: a}\n  - role: CAPF\n"
			   "    cert: b\n\n    address: c\nkey: k\n");
	assert_int_equal(manifest_read(&m, "m.yaml", NULL), ST_OK);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(manifest_line(m, rows[i].record, rows[i].key), rows[i].line);
	origin = manifest_origin(m, 1);
	assert_string_equal(origin, "m.yaml:4");
	free(origin);
	manifest_free(&m);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "m.yaml:1: empty" },
		{ "# nothing\n", "m.yaml:1: empty" },
		{ "---\n", "m.yaml:2: a plain value where a mapping was expected" },
		{ "a plain text\n", "m.yaml:1: a plain value where a mapping was expected" },
		{ "- a\n", "m.yaml:1: a list where a plain value was expected" },
		{ "file: a\ncolour: red\n", "m.yaml:2: unknown key 'colour'" },
		{ "file: a\nstyle: b\nfile: c\n", "m.yaml:3: key 'file' is there twice" },
		{ "file: a\nstyle:\n", "m.yaml:2: 'style' is empty" },
		{ "file: a\nstyle: ''\n", "m.yaml:2: 'style' is empty" },
		{ "file: {a: b}\n", "m.yaml:1: a mapping where a plain value was expected" },
		{ "file: [a]\n", "m.yaml:1: a list where a plain value was expected" },
		{ "file: a\nrecords: b\n", "m.yaml:2: 'records' must be a list" },
		{ "file: a\nrecords: {role: b}\n",
		  "m.yaml:2: a mapping where a plain value was expected" },
		{ "records:\n  - a\n", "m.yaml:2: a plain value where a mapping was expected" },
		{ "records:\n  - [a]\n", "m.yaml:2: a list where a plain value was expected" },
		{ "records:\n  - role: a\n    file: b\n", "m.yaml:3: unknown key 'file'" },
		{ "records:\n  - role: a\n    role: b\n", "m.yaml:3: key 'role' is there twice" },
		{ "records:\n  - role: {a: b}\n",
		  "m.yaml:2: a mapping where a plain value was expected" },
		{ "records:\n  - role: a\n    cert:\n", "m.yaml:3: 'cert' is empty" },
		{ "file: &x a\nstyle: *x\n", "m.yaml:1: anchors and aliases are not allowed" },
		{ "file: a\nstyle: *x\n", "m.yaml:2: anchors and aliases are not allowed" },
		{ "&x {file: a}\n", "m.yaml:1: anchors and aliases are not allowed" },
		{ "file: a\nrecords: &x\n  - {role: a}\n",
		  "m.yaml:2: anchors and aliases are not allowed" },
		{ "records:\n  - &x {role: a}\n", "m.yaml:2: anchors and aliases are not allowed" },
		{ "file: !!str a\n", "m.yaml:1: tags are not allowed" },
		{ "!x {file: a}\n", "m.yaml:1: tags are not allowed" },
		{ "file: a\nrecords: !!set []\n", "m.yaml:2: tags are not allowed" },
		{ "file: ~\n", "m.yaml:1: a null: leave the key out" },
		{ "records:\n  - {role: a, name: null}\n", "m.yaml:2: a null: leave the key out" },
		{ "records:\n  - role: a\n    name: NULL\n",
		  "m.yaml:3: a null: leave the key out" },
		{ "records:\n  - role: a\n    name: |\n      x\n", "m.yaml:3: a block of lines" },
		{ "file: >-\n  a\n", "m.yaml:1: a block of lines" },
		{ "file: \"a\\0b\"\n", "m.yaml:1: a NUL in a value" },
		{ "file: a\n---\nfile: b\n", "m.yaml:2: a second document" },
		{ "file: a\n  style: b\n", "m.yaml:2: mapping values are not allowed" },
		{ "file: 'a\n", "m.yaml:2: found unexpected end of stream" },
		{ "key: pkcs11:token=T?pin-source=/x\n", "m.yaml:1: " },
		{ "records:\n  - role: a\n    cert: pkcs11:token=T?module-path=/x\n",
		  "m.yaml:3: " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct manifest_file *m;

		put_text("m.yaml", rows[i].text);
		assert_int_equal(manifest_read(&m, "m.yaml", &e), ST_INPUT);
		assert_null(m);
		if (strncmp(err_text(&e), rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("'%s' does not begin '%s'", err_text(&e), rows[i].says);
	}
}

/* A value that is judged later is refused where it stands. */
static void errors_of_the_caller(void **state)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct manifest_file *m;

	(void)state;
	put_text("m.yaml", "file: a\nrecords:\n  - role: x\n    cert: b\n");
	assert_int_equal(manifest_read(&m, "m.yaml", NULL), ST_OK);
	assert_int_equal(manifest_error(m, 0, "role", &e, "unknown role '%s'", "x"), ST_INPUT);
	assert_string_equal(err_text(&e), "m.yaml:3: unknown role 'x'");
	manifest_free(&m);
}

static void paths_are_the_manifests(void **state)
{
	static const struct {
		const char *manifest, *path, *seen;
	} rows[] = {
		{ "m.yaml", "pub.pem", "pub.pem" },
		{ "d/m.yaml", "pub.pem", "d/pub.pem" },
		{ "d/m.yaml", "e/pub.pem", "d/e/pub.pem" },
		{ "d/m.yaml", "/pub.pem", "/pub.pem" },
		{ "d/m.yaml", "pkcs11:token=T", "pkcs11:token=T" },
	};

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct manifest_file *m;
		char *seen;

		put_text(rows[i].manifest, "file: a\n");
		assert_int_equal(manifest_read(&m, rows[i].manifest, NULL), ST_OK);
		seen = manifest_resolve(m, rows[i].path);
		assert_string_equal(seen, rows[i].seen);
		free(seen);
		manifest_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(read_whole),
		IN_A_FOLDER(quoted_words),
		IN_A_FOLDER(lines),
		IN_A_FOLDER(what_is_refused),
		IN_A_FOLDER(errors_of_the_caller),
		IN_A_FOLDER(paths_are_the_manifests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
