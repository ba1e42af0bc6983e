/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Libraries that only some runs need. They are loaded then, and not into every process: one that
 * shows or verifies a list has no reader of YAML or XML in it.
 */
#ifndef CTL_LIBRARY_H
#define CTL_LIBRARY_H

#include <stddef.h>

#include "tlv/err.h"

/* A function of a library, and where its address goes. */
struct library_call {
	const char *name;
	void *call; /* points to a pointer to a function of the type that the library's header declares */
};

/*
 * Loads a library for good, and sets all calls. soname: the name for the loader, which searches as
 * it does for the libraries that a program is linked to. package: Debian's, for the message. Call
 * it before the sandbox, and before threads that use the calls. ST_MACHINE: the library is not
 * there, or lacks a function; some calls may be set then.
 */
enum status library_load(const char *soname, const char *package, const struct library_call *calls,
			 size_t n, struct tlv_err *e);

#endif
