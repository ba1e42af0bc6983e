/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/library.h"

#include <dlfcn.h>
#include <errno.h>

#include "tlv/bytes.h"

static enum status cannot_load(const char *soname, const char *package, struct tlv_err *e)
{
	const char *why = dlerror();

	if (errno == ENOMEM)
		return err_nomem(e);
	return err_set(e, ST_MACHINE,
		       "'%s' cannot be loaded: install Debian's package '%s' (the loader says: %s)",
		       soname, package, why != NULL ? why : "nothing");
}

enum status library_load(const char *soname, const char *package, const struct library_call *calls,
			 size_t n, struct tlv_err *e)
{
	void *library;

	errno = 0;
	library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return cannot_load(soname, package, e);
	for (size_t i = 0; i < n; i++) {
		void *address = dlsym(library, calls[i].name);

		if (address == NULL)
			return cannot_load(soname, package, e);
		(void)span_copy(span_of(&address, sizeof address), calls[i].call, sizeof address);
	}
	return ST_OK;
}
