/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The checks of doctor.def. Each looks at one thing and says what it found;
 * none fails, logs in, or leaves anything behind.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "pkcs11/token.h"
#include "signer/text/list_file.h"

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARNING, DOCTOR_ERROR };

struct doctor_line {
	enum doctor_level level;
	const char *check;
	char *subject; /* one of several modules or tokens; NULL: there is one such thing */
	char *found;   /* what was found */
	char *mend;    /* how to mend it; NULL if there is nothing to mend */
};

struct doctor {
	struct tok_options tok;
	const char *uri;       /* NULL: every token */
	const char *list_path; /* of --list, or NULL */
	struct list_file list; /* its content */
	struct tok_survey tokens;
	struct tlv_err survey; /* why it is not whole */
	const char *check;     /* under way */
	struct doctor_line *lines;
	size_t n, cap;
	bool failed; /* memory ended */
};

/* One line; subject and mend may be NULL. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *subject, const char *mend,
		const char *found, ...) __attribute__((format(printf, 5, 6)));

#define CHECK(NAME, name, function) void function(struct doctor *d);
#include "signer/doctor/doctor.def"
#undef CHECK

#endif
