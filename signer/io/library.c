/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>

#include "tlv/bytes.h"

enum { LIBRARY_ROOM = 1 << 20 }; /* bytes: more than each of them takes */

/* The loader maps a library behind the C library's back, and its errno is another one. */
static bool has_room(void)
{
	void *room = mmap(NULL, LIBRARY_ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room != MAP_FAILED && munmap(room, LIBRARY_ROOM) == 0;
}

static enum status cannot_load(const char *soname, const char *package, struct tlv_err *e)
{
	const char *why = dlerror();

	if (errno == ENOMEM || !has_room())
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
