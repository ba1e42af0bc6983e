/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv/guess.h"

#include "tlv/cert.h"
#include "tlv/safe.h"
#include "tlv/text.h"

enum {
	LOOK = 512, /* bytes at the front that tell a text */
	FEEDS_BY_CHANCE =
		4 /* a random byte before each of them is a carriage return once in 2^32 */
};

static const struct {
	struct span prefix;
	const char *guess;
} prefixes[] = {
	{ SPAN_LIT("-----BEGIN CERTIFICATE-----"), "it is a certificate in PEM" },
	{ SPAN_LIT("-----BEGIN PKCS7-----"),
	  "it is PKCS#7 in PEM (.p7b), which holds certificates" },
	{ SPAN_LIT("-----BEGIN PRIVATE KEY-----"), "it is a private key" },
	{ SPAN_LIT("-----BEGIN RSA PRIVATE KEY-----"), "it is a private key" },
	{ SPAN_LIT("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "it is a private key" },
	{ SPAN_LIT("-----BEGIN "), "it is PEM, and no certificate" },
	{ SPAN_LIT("\x1f\x8b"), "it is compressed (gzip)" },
	{ SPAN_LIT("PK\x03\x04"), "it is compressed (zip)" },
	{ SPAN_LIT("BZh"), "it is compressed (bzip2)" },
	{ SPAN_LIT("\xfd"
		   "7zXZ"),
	  "it is compressed (xz)" },
	{ SPAN_LIT("\x7f"
		   "ELF"),
	  "it is a program" },
	{ SPAN_LIT("<?xml"), "it is XML" },
	{ SPAN_LIT("<"), "it is a web page or XML" },
	{ SPAN_LIT("{"), "it is JSON" },
	{ SPAN_LIT("\xff\xfe"),
	  "it is a text in UTF-16, and holds no list that 'show ctl' printed" },
	{ SPAN_LIT("\xfe\xff"),
	  "it is a text in UTF-16, and holds no list that 'show ctl' printed" },
};

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool starts_in_any_case(struct span s, struct span prefix)
{
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(span_at(s, i)) != span_at(prefix, i))
			return false;
	return true;
}

/* Without a byte order mark, and blanks. */
static struct span skip_blanks(struct span s)
{
	if (span_starts(s, SPAN_LIT("\xef\xbb\xbf")))
		s = span_slice(s, 3, s.n);
	while (s.n > 0 && span_has(SPAN_LIT(" \t\r\n"), (uint8_t)span_at(s, 0)))
		s = span_slice(s, 1, s.n);
	return s;
}

/* Whatever its encoding: no control characters but those of lines. */
static bool is_text(struct span s)
{
	s = span_slice(s, 0, LOOK);
	for (size_t i = 0; i < s.n; i++) {
		int c = span_at(s, i);

		if (c < ' ' && !span_has(SPAN_LIT("\t\r\n\f\b\x1b"), (uint8_t)c))
			return false;
	}
	return s.n > 0;
}

static const char *guess_der(struct span bytes)
{
	struct tlv_cert c;

	if (tlv_cert_walk(bytes, &c, NULL) == ST_OK)
		return "it is a certificate in DER";
	return span_at(bytes, 0) == 0x30 && span_at(bytes, 1) >= 0x80 ?
		       "it is DER: maybe PKCS#7 or a key" :
		       NULL;
}

const char *tlv_guess(struct span bytes)
{
	struct span s = skip_blanks(bytes);

	if (s.n == 0)
		return bytes.n == 0 ? "it is empty" : "it holds nothing but blanks";
	if (starts_in_any_case(s, SPAN_LIT("<!doctype html")) ||
	    starts_in_any_case(s, SPAN_LIT("<html")))
		return "it is a web page: the server answered with something else";
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (span_starts(s, prefixes[i].prefix))
			return prefixes[i].guess;
	if (guess_der(s) != NULL)
		return guess_der(s);
	return is_text(s) ? "it is a text, and holds no list that 'show ctl' printed" : NULL;
}

bool tlv_guess_text_mode(struct span bytes)
{
	size_t feeds = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		if (span_at(bytes, i) != '\n')
			continue;
		if (i == 0 || span_at(bytes, i - 1) != '\r')
			return false;
		feeds++;
	}
	return feeds >= FEEDS_BY_CHANCE;
}
