/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a process that reads files and prints gives up before it reads the
 * first one. Were a parser taken over by a hostile file, it could read what the
 * user can read and print; it could write no file, start no program, open no
 * connection, signal or trace nobody, and type nothing into the terminal. One
 * that writes besides may change what is beneath the folders that it names.
 *
 * Landlock forbids by what is done to files and sockets, seccomp by system call
 * (signer/io/sandbox.def, sandbox_writer.def); each is there or not, by kernel and container, and
 * neither needs privileges.
 */
#ifndef CTL_SANDBOX_H
#define CTL_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_layer {
	SANDBOX_LANDLOCK = 1,
	SANDBOX_SECCOMP = 2,
	SANDBOX_ALL = SANDBOX_LANDLOCK | SANDBOX_SECCOMP
};

/* What holds for this process from here on. */
struct sandbox {
	int landlock; /* ABI, 0: none */
	bool seccomp;
};

/* Beneath a folder that is open: files come to be and go, or empty folders are taken away. */
enum sandbox_right { SANDBOX_WRITE, SANDBOX_TAKE_AWAY };

struct sandbox_grant {
	int fd;
	enum sandbox_right what;
};

/*
 * Enters for good, descriptors that are open stay usable. What beneath folders
 * may be done is Landlock's: without it those that write may write everywhere.
 * What the kernel does
 * not have is left out: that is no error. Nothing in a build with sanitizers
 * or coverage, which write reports and trace themselves (CTLSIGN_SANDBOX=OFF).
 */
struct sandbox sandbox_enter(unsigned layers, const struct sandbox_grant *grants, size_t n);

/* "landlock ABI 7, seccomp", or "none: …" with the reason. */
void sandbox_text(const struct sandbox *s, char out[64]);

#endif
