/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A manifest: refused with a line, or every value has one.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "signer/list/manifest.h"
#include "tests/fuzz/fuzz.h"

static void look_at(const struct manifest_file *m)
{
	const struct manifest *c = manifest_content(m);
	struct tlv_err e = TLV_ERR_INIT;

	(void)manifest_line(m, -1, "file");
	for (unsigned i = 0; i < c->records_count; i++) {
		char *origin = manifest_origin(m, (int)i);
		char *path =
			manifest_resolve(m, c->records[i].cert != NULL ? c->records[i].cert : "x");

		REQUIRE(manifest_line(m, (int)i, "cert") > 0);
		REQUIRE(origin != NULL && path != NULL);
		free(origin);
		free(path);
	}
	REQUIRE(manifest_error(m, -1, "key", &e, "%s", "no") == ST_INPUT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct manifest_file *m = NULL;
	int fd = memfd_create("manifest", MFD_CLOEXEC);
	char path[64];
	enum status st;

	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	st = manifest_read(&m, path, &e);
	REQUIRE(st == e.status && (st == ST_OK || (st == ST_INPUT && err_text(&e)[0] != '\0')));
	if (st == ST_OK)
		look_at(m);
	manifest_free(&m);
	(void)close(fd);
	return 0;
}
