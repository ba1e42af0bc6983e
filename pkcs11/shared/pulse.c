/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/shared/pulse.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The first of TOK_SESSIONS_MAX, one for each thread that is in the module. */
struct tok_pulse {
	_Atomic uint32_t call;
	_Atomic int32_t module;
	_Atomic int64_t since;
};

enum { PAGE = TOK_SESSIONS_MAX * sizeof(struct tok_pulse) };

static const char *const names[] = {
	"its own process",
	"loading the module",
#define CALL(name) #name,
#include "pkcs11/shared/calls.def"
#undef CALL
};

const char *tok_call_name(unsigned call)
{
	return call < COUNT(names) ? names[call] : names[0];
}

static struct tok_pulse *map(int fd)
{
	struct tok_pulse *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Sealed: a page that got shorter would end the parent when it looks. */
struct tok_pulse *tok_pulse_new(int *fd)
{
	struct tok_pulse *p = NULL;

	*fd = memfd_create("ctlsign-pulse", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	if (ftruncate(*fd, PAGE) == 0 &&
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		p = map(*fd);
	if (p != NULL)
		atomic_store(&p->module, -1);
	else {
		(void)close(*fd);
		*fd = -1;
	}
	return p;
}

struct tok_pulse *tok_pulse_map(int fd)
{
	struct tok_pulse *p = NULL;
	struct stat sb;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &sb) == 0 && sb.st_size == PAGE)
		p = map(fd);
	(void)close(fd);
	return p;
}

void tok_pulse_free(struct tok_pulse **p)
{
	if (*p != NULL)
		(void)munmap(*p, PAGE);
	*p = NULL;
}

struct tok_pulse *tok_pulse_of(struct tok_pulse *p, unsigned session)
{
	return p == NULL || session >= TOK_SESSIONS_MAX ? p : &p[session];
}

static int64_t now(void)
{
	struct timespec ts = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void tok_pulse_enter(struct tok_pulse *p, enum tok_call call)
{
	if (p == NULL)
		return;
	atomic_store(&p->since, now());
	atomic_store(&p->call, (uint32_t)call);
}

void tok_pulse_leave(struct tok_pulse *p)
{
	tok_pulse_enter(p, TOK_CALL_none);
}

void tok_pulse_module(struct tok_pulse *p, int module)
{
	if (p != NULL)
		atomic_store(&p->module, module);
}

/* The call that lasts longest; if there is none, the last sign of life. */
static const struct tok_pulse *oldest(const struct tok_pulse *p)
{
	const struct tok_pulse *best = &p[0];
	bool best_in = atomic_load(&best->call) != TOK_CALL_none;

	for (unsigned i = 1; i < TOK_SESSIONS_MAX; i++) {
		bool in = atomic_load(&p[i].call) != TOK_CALL_none;
		int64_t since = atomic_load(&p[i].since), bests = atomic_load(&best->since);

		if (in != best_in ? !in : (in ? since >= bests : since <= bests))
			continue;
		best = &p[i];
		best_in = in;
	}
	return best;
}

unsigned tok_pulse_call(const struct tok_pulse *p)
{
	return atomic_load(&oldest(p)->call);
}

int tok_pulse_at_module(const struct tok_pulse *p)
{
	return atomic_load(&p->module);
}
