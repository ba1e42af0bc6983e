/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/publish/kind.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tlv/list.h"
#include "tlv/text.h"

/* The header, and where it ends. */
static bool has_header(struct span start, struct tlv_header *h, struct span *rest)
{
	if (!tlv_list_begins(start) || tlv_header_decode(h, start, NULL) != ST_OK)
		return false;
	*rest = span_slice(start, h->raw.n, start.n);
	return true;
}

static bool is_list(struct span start)
{
	struct tlv_header h;
	struct tlv_record r;
	struct span rest;

	return has_header(start, &h, &rest) && tlv_record_decode(&r, rest, 0, NULL) == ST_OK;
}

/* 1.0, or 2.0 if it is encrypted (docs/FORMAT.md). */
static bool is_signed(struct span start)
{
	struct tlv_header h;
	struct span rest;

	return has_header(start, &h, &rest) && (h.version[0] == 1 || h.version[0] == 2) &&
	       h.version[1] == 0;
}

static bool is_manifest(struct span start)
{
	return span_starts(start, SPAN_LIT(KIND_MANIFEST_LINE));
}

/* The first line; sums_read looks at all of them. */
static bool is_sums(struct span start)
{
	return hex_is(span_slice(start, 0, 64), 64) && span_at(start, 64) == ' ' &&
	       (span_at(start, 65) == ' ' || span_at(start, 65) == '*');
}

static bool skip(struct span *s, const char *text)
{
	if (!span_starts(*s, span_str(text)))
		return false;
	*s = span_slice(*s, strlen(text), s->n);
	return true;
}

static void skip_any(struct span *s, const char *characters)
{
	while (s->n > 0 && span_at(*s, 0) != 0 && strchr(characters, span_at(*s, 0)) != NULL)
		*s = span_slice(*s, 1, s->n);
}

static bool skip_digits(struct span *s)
{
	size_t before = s->n;

	skip_any(s, "0123456789");
	return s->n < before;
}

/* {"now": "…", "within_seconds": …; since 1.0 with "version" in front. */
static bool is_json_report(struct span s)
{
	if (!skip(&s, "{"))
		return false;
	skip_any(&s, " \n");
	if (skip(&s, "\"version\": ") && skip_digits(&s))
		skip_any(&s, ", \n");
	if (!skip(&s, "\"now\": \""))
		return false;
	skip_any(&s, "0123456789-:TZ");
	if (!skip(&s, "\","))
		return false;
	skip_any(&s, " \n");
	return skip(&s, "\"within_seconds\": ");
}

/* "2027-01-01T00:00:00Z  in 400 days …", or the last line if there is no certificate. */
static bool is_text_report(struct span s)
{
	struct span count = s;

	if (skip_digits(&count) && skip(&count, " of ") && skip_digits(&count) &&
	    skip(&count, " certificates ha"))
		return true;
	skip_any(&s, "0123456789-:T");
	return skip(&s, "Z  ") &&
	       (skip(&s, "EXPIRED ") || skip(&s, "EXPIRES in ") || skip(&s, "in ")) &&
	       skip_digits(&s) && (skip(&s, " day") || skip(&s, " hour"));
}

static bool is_report(struct span start)
{
	return span_starts(start, SPAN_LIT("# HELP ctlsign_")) ||
	       span_starts(start, SPAN_LIT("# TYPE ctlsign_")) ||
	       span_starts(start, SPAN_LIT("%UC_CERT-")) ||
	       span_starts(start, SPAN_LIT("ctlsign: certificate ")) ||
	       span_starts(start, SPAN_LIT("ctlsign: not watched: ")) || is_json_report(start) ||
	       is_text_report(start);
}

/* Pages of 0.x have no generator, but always this beginning. */
static bool is_page(struct span start)
{
	static const char old[] =
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>Plan: ";
	static const char line[] = KIND_PAGE_LINE;
	struct span begin = span_slice(start, 0, 2048);

	return span_starts(start, SPAN_LIT("<!DOCTYPE html>")) &&
	       (memmem(begin.p, begin.n, line, sizeof line - 1) != NULL ||
		span_starts(start, span_str(old)));
}

static const struct {
	bool (*is)(struct span start);
	const char *text;
} kinds[KIND_COUNT] = {
#define KIND(NAME, recogniser, text) { recogniser, text },
#include "signer/publish/kind.def"
#undef KIND
};

bool kind_is(enum kind kind, struct span start)
{
	return kinds[kind].is != NULL && kinds[kind].is(start);
}

static size_t read_start(int fd, uint8_t *room)
{
	size_t n = 0;

	while (n < KIND_START) {
		ssize_t r = pread(fd, room + n, KIND_START - n, (off_t)n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? 0 : n;
		n += (size_t)r;
	}
	return n;
}

bool kind_is_file(enum kind kind, int fd)
{
	uint8_t room[KIND_START];

	return kinds[kind].is != NULL && kind_is(kind, span_of(room, read_start(fd, room)));
}

const char *kind_text(enum kind kind)
{
	return kinds[kind].text;
}
