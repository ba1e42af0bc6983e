/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/cli/common.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/pin.h"
#include "signer/crypto/digest.h"
#include "signer/io/out.h"
#include "signer/net/net.h"
#include "signer/trust/signature.h"
#include "signer/io/sandbox.h"

enum status common_token_options(const struct opts *o, struct tok_options *out, struct tlv_err *e)
{
	struct tok_pin_source pin_source;
	uint64_t timeout = 0;
	enum status st = opt_number(o, OPT_TIMEOUT, 86400, &timeout, e);

	*out = (struct tok_options){
		.module = opt_value(o, OPT_MODULE),
		.pin_source = opt_value(o, OPT_PIN_SOURCE),
		.timeout = (unsigned)timeout,
		.insecure_file_mode = opt_given(o, OPT_INSECURE_FILE_MODE),
		.warn = msg_warnings,
	};
	/* A source that nobody will ask is wrong all the same. */
	if (st == ST_OK)
		st = tok_pin_source_parse(out->pin_source, &pin_source, e);
	if (st == ST_OK && opt_given(o, OPT_TIMEOUT) && timeout == 0)
		st = err_set(e, ST_USAGE, "option '--timeout': must be at least 1 second");
	return st;
}

enum status common_publish_options(const struct opts *o, enum kind kind,
				   struct publish_options *out, struct tlv_err *e)
{
	enum { KEEP_MAX = 100000 };
	uint64_t keep = PUBLISH_KEEP;
	enum status st = opt_number(o, OPT_KEEP, KEEP_MAX, &keep, e);

	*out = (struct publish_options){ .warn = msg_warnings,
					 .kind = kind,
					 .overwrite = opt_given(o, OPT_OVERWRITE),
					 .follow = opt_given(o, OPT_FOLLOW),
					 .may_follow = opt_is_offered(o, OPT_FOLLOW),
					 .keep = (unsigned)keep };
	return st;
}

void common_read_only(void)
{
	const struct sandbox_wants wants = { .children = { net_process() } };

	/* What openssl.cnf names is loaded while it may do what it likes. */
	digest_configure();
	(void)sandbox_enter(SANDBOX_ALL, &wants);
}

enum status common_write_beneath(const char *folder, bool made, struct tlv_err *e)
{
	struct sandbox_grant grants[2] = { { .what = SANDBOX_WRITE },
					   { .what = SANDBOX_TAKE_AWAY } };
	struct sandbox_wants wants = { .grants = grants,
				       .ngrants = made ? 2 : 1,
				       .children = { net_process() } };
	enum status st = ST_OK;

	grants[0].fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	grants[1].fd = grants[0].fd < 0 ?
			       -1 :
			       openat(grants[0].fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (grants[0].fd < 0 || grants[1].fd < 0)
		st = err_set(e, ST_OUTPUT, "%s: cannot be opened: %s", folder, strerror(errno));
	if (st == ST_OK) {
		digest_configure();
		(void)sandbox_enter(SANDBOX_ALL, &wants);
	}
	for (size_t i = 0; i < COUNT(grants); i++)
		if (grants[i].fd >= 0)
			(void)close(grants[i].fd);
	return st;
}

static bool is_device(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 3; i < n; i++)
		if (hex_digit(name[i]) < 0 || (name[i] >= 'a' && name[i] <= 'f'))
			return false;
	return n == 15 && strncmp(name, "SEP", 3) == 0;
}

enum status common_device_check(const char *device, struct tlv_err *e)
{
	if (is_device(device))
		return ST_OK;
	return err_set(
		e, ST_USAGE,
		"--device '%s': must be SEP and the 12 hexadecimal digits of the MAC address, in upper case",
		device);
}

void lockout_options(struct lockout *l, const struct opts *o)
{
	*l = (struct lockout){ .allowed = { false } };
	for (size_t i = 0; i < o->n; i++) {
		const char *value = o->items[i].value;

		if (o->items[i].row->id != OPT_ACCEPT_LOCKOUT)
			continue;
		for (int c = 0; c < LOCKOUT_CLASSES; c++)
			if (strcmp(value, lockout_class_word((enum lockout_class)c)) == 0 ||
			    strcmp(value, "all") == 0)
				l->allowed[c] = true;
	}
}

static bool is_good(const struct tlv_list *l)
{
	long signer;

	return signature_is_own(l, &signer);
}

/* The checksums are those of the files, and a text can be changed without them. */
static void warn_changed_text(const struct tlv_list *a, const struct tlv_list *b)
{
	if (a->sha1[0] != '\0' && strcmp(a->sha1, b->sha1) == 0 && !span_eq(a->bytes, b->bytes))
		msg_warn(
			"both have one SHA-1, and yet they differ: a printed one was changed since; print it once more");
}

enum status common_quietly_alike(struct list_file *const *files, size_t n, struct tlv_err *e)
{
	enum status st = list_file_alike(files, n, is_good, e);

	for (size_t i = 1; st == ST_OK && i < n; i++)
		if (files[i - 1] != NULL && files[i] != NULL)
			warn_changed_text(&files[i - 1]->list, &files[i]->list);
	return st;
}

enum status common_alike(struct list_file *const *files, size_t n, struct tlv_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (files[i] != NULL && files[i]->list.printed) {
			msg_warn(
				"a printed list has no keys, no addresses and no time: these are not compared");
			break;
		}
	return common_quietly_alike(files, n, e);
}
