/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct tok_pin {
	size_t n;
	char bytes[TOK_SECRET_ROOM];
};

struct tok_pin *tok_secret_new(void)
{
	struct tok_pin *p =
		mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)mlock(p, sizeof *p);
	(void)madvise(p, sizeof *p, MADV_DONTDUMP);
	(void)madvise(p, sizeof *p, MADV_DONTFORK);
	return p;
}

bool tok_pin_can_lock(void)
{
	struct tok_pin *p = tok_secret_new();
	bool locked = p != NULL && mlock(p, sizeof *p) == 0;

	tok_pin_free(&p);
	return locked;
}

void tok_secret_wipe(struct tok_pin *p)
{
	if (p != NULL)
		explicit_bzero(p, sizeof *p);
}

void tok_pin_free(struct tok_pin **p)
{
	if (p == NULL || *p == NULL)
		return;
	tok_secret_wipe(*p);
	(void)munmap(*p, sizeof **p);
	*p = NULL;
}

const char *tok_pin_bytes(const struct tok_pin *p)
{
	return p->bytes;
}

size_t tok_pin_length(const struct tok_pin *p)
{
	return p->n;
}

enum tok_secret_got tok_secret_read_byte(struct tok_pin *p, int fd)
{
	/* The last place takes whatever is too long, so that the line's end is still found. */
	char *to = &p->bytes[p->n <= TOK_PIN_MAX + 1 ? p->n : TOK_PIN_MAX + 1];
	ssize_t got = read(fd, to, 1);

	if (got < 0)
		return TOK_SECRET_FAILED;
	if (got == 0 || *to == '\n') {
		*to = '\0';
		return TOK_SECRET_END;
	}
	if (p->n <= TOK_PIN_MAX + 1)
		p->n++;
	return TOK_SECRET_MORE;
}

void *tok_secret_room(struct tok_pin *p)
{
	return p->bytes;
}

void tok_secret_set_length(struct tok_pin *p, size_t n)
{
	p->n = n < TOK_SECRET_ROOM ? n : TOK_SECRET_ROOM - 1;
	p->bytes[p->n] = '\0';
}

/* Under AddressSanitizer the leak check itself traces the process at its end. */
#if defined(__SANITIZE_ADDRESS__)
#define TRACEABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRACEABLE 1
#endif
#endif
#ifndef TRACEABLE
#define TRACEABLE 0
#endif

void tok_pin_harden_process(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!TRACEABLE)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
