/* SPDX-License-Identifier: Apache-2.0 */
/* What this program wrote is known again, of every release; nothing else is. */
#include "tests/signer/publish/folder.h"

#include "signer/publish/kind.h"

static const struct {
	enum kind kind; /* the only one */
	const char *start;
} texts[] = {
	{ KIND_MANIFEST, KIND_MANIFEST_LINE "file: \"CTLFile.tlv\"\n" },
	{ KIND_SUMS, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.cer\n" },
	{ KIND_SUMS, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *a.cer\n" },
	/* 0.1 */
	{ KIND_REPORT, "# HELP ctlsign_certificate_not_after_timestamp_seconds When\n# TYPE" },
	{ KIND_REPORT, "ctlsign: certificate CAPF-e41e7d87, unit CAPF, expires on" },
	{ KIND_REPORT, "# TYPE ctlsign_certificate_not_after_timestamp_seconds gauge\n" },
	{ KIND_REPORT, "%UC_CERT-2-CertValidfor7days: %[Message=Certificate expiration" },
	{ KIND_REPORT,
	  "{\n  \"now\": \"2026-11-27T18:00:00Z\",\n  \"within_seconds\": 2592000,\n" },
	{ KIND_REPORT, "2026-11-27T18:00:00Z  in 3000 days            CTLFile.tlv record 1" },
	{ KIND_REPORT, "2026-11-27T18:00:00Z  EXPIRED 1 hour ago      CTLFile.tlv record 1" },
	{ KIND_REPORT, "2026-11-27T18:00:00Z  EXPIRES in 5 days       CTLFile.tlv record 1" },
	{ KIND_REPORT, "0 of 0 certificates have expired or will within 30 days\n" },
	{ KIND_REPORT, "1 of 9 certificates has expired or will within 30 days\n" },
	/* now */
	{ KIND_REPORT,
	  "{\n  \"version\": 2,\n  \"now\": \"2026-11-27T18:00:00Z\",\n  \"within_seconds\": 1," },
	{ KIND_PAGE, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n" KIND_PAGE_LINE "<title>" },
	{ KIND_PAGE,
	  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>Plan: old" },
	/* somebody's: KIND_OTHER is never known */
	{ KIND_OTHER, "" },
	{ KIND_OTHER, "old\n" },
	{ KIND_OTHER, "-----BEGIN PRIVATE KEY-----\nMIIB" },
	{ KIND_OTHER, "-----BEGIN CERTIFICATE-----\nMIIB" },
	{ KIND_OTHER, "file: CTLFile.tlv\nstyle: cucm\n" },
	{ KIND_OTHER, "file: \"CTLFile.tlv\"\nstyle: cucm\n" },
	{ KIND_OTHER, "# HELP node_exporter_build_info A metric\n" },
	{ KIND_OTHER, "{\n  \"now\": \"2026-11-27T18:00:00Z\",\n  \"other\": 1" },
	{ KIND_OTHER, "{\n  \"now\": 5" },
	{ KIND_OTHER, "{}" },
	{ KIND_OTHER, "2026-11-27T18:00:00Z  started\n" },
	{ KIND_OTHER, "2026-11-27T18:00:00Z in 5 days\n" },
	{ KIND_OTHER, "7 of 9\n" },
	{ KIND_OTHER, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Plan: mine" },
	{ KIND_OTHER, "<html>" KIND_PAGE_LINE },
	{ KIND_OTHER, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a.cer\n" },
	{ KIND_OTHER, "\x01\x00\x02\x01\x02" },
};

static void check_only(enum kind kind, struct span start, const char *name)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		bool wanted = kind != KIND_OTHER && k == (int)kind;

		if (kind_is((enum kind)k, start) != wanted)
			fail_msg("'%.40s' is%s %s", name, wanted ? " not" : "",
				 kind_text((enum kind)k));
	}
}

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		check_only(texts[i].kind, span_str(texts[i].start), texts[i].start);
}

static void test_lists(void **state)
{
	static const char *const names[] = { "cucm", "ctl-client", "rfc4514" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct span list = list_bytes(names[i]);

		check_only(KIND_LIST, list, names[i]);
		check_only(KIND_OTHER, span_slice(list, 0, 40), "cut in its header");
		check_only(KIND_OTHER, span_slice(list, 1, list.n), "without its first byte");
	}
}

/* Every beginning of a file has an answer. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t n = 0; n < strlen(texts[i].start); n++)
			for (int k = 0; k < KIND_COUNT; k++)
				(void)kind_is((enum kind)k, span_of(texts[i].start, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
