/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tlv/bytes.h"

/*
 * Landlock's rights by the ABI that brought them. To read files and folders is
 * not among them. Numbers of our own, since the kernel's header may be older
 * than the kernel.
 */
static const struct {
	int abi;
	uint64_t files, net, scope;
} rights[] = {
	{ 1, 0x1ff3, 0, 0 },   /* execute, write, remove, and make any kind of file */
	{ 2, 1U << 13, 0, 0 }, /* link and rename across folders */
	{ 3, 1U << 14, 0, 0 }, /* truncate */
	{ 4, 0, 3, 0 },	       /* TCP: bind, connect */
	{ 5, 1U << 15, 0, 0 }, /* ioctl on devices */
	{ 6, 0, 0, 3 },	       /* abstract UNIX sockets and signals, out of the sandbox */
};

/*
 * struct landlock_ruleset_attr; older kernels know its beginning and take the rest where it is
 * zero.
 */
struct ruleset {
	uint64_t files, net, scope;
};

enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_RESTRICT = 446 };
enum { LANDLOCK_VERSION = 1, LANDLOCK_PATH_BENEATH = 1 };

#define FILES (1U << 1 | 1U << 5 | 1U << 8 | 1U << 14) /* write, take away, make, truncate */

/* What a grant allows for the folder and all that is beneath it, or for the file. */
static const uint64_t granted[] = {
	[SANDBOX_WRITE] = FILES,
	[SANDBOX_TREE] = FILES | 1U << 7 | 1U << 4, /* make a folder, take one away */
	[SANDBOX_TAKE_AWAY] = 1U << 4,
	[SANDBOX_DEVICE] = 1U << 1 | 1U << 15, /* write, ioctl */
};

/* Signals out of the sandbox, of scope; of net; of files, which only those lose that connect. */
enum { SCOPE_SIGNALS = 2, NET_CONNECT = 2, READ_FILES = 1U << 2 | 1U << 3 };

/* What those that connect may read. */
static const char *const readable[] = {
	"/usr",
	"/lib",
	"/lib64",
	"/etc/ld.so.cache",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/resolv.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/ssl/openssl.cnf",
	"/run/systemd/resolve",
	"/dev/urandom",
	"/dev/null",
};

/* struct landlock_path_beneath_attr, which is packed. */
struct rule {
	uint64_t files;
	int32_t fd;
} __attribute__((packed));

static int landlock_abi(void)
{
	long abi = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static struct ruleset rights_of(int abi)
{
	struct ruleset all = { .files = 0 };

	for (size_t i = 0; i < COUNT(rights) && rights[i].abi <= abi; i++) {
		all.files |= rights[i].files;
		all.net |= rights[i].net;
		all.scope |= rights[i].scope;
	}
	return all;
}

/* A pipe without a name cannot be granted, and is written to all the same. */
static bool grant(long ruleset, const struct sandbox_grant *g, uint64_t known)
{
	struct rule r = { .files = granted[g->what] & known, .fd = g->fd };

	return syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PATH_BENEATH, &r, 0) == 0 ||
	       g->what == SANDBOX_DEVICE;
}

/* The rights that are taken. What is granted of them comes after. */
static struct ruleset rights_taken(int abi, const struct sandbox_wants *w)
{
	struct ruleset all = rights_of(abi);

	if (w->children[0] != 0)
		all.scope &= ~(uint64_t)SCOPE_SIGNALS;
	if (w->connects) {
		all.files |= READ_FILES;
		all.net &= ~(uint64_t)NET_CONNECT;
	}
	return all;
}

/* What is missing here need not be read. */
static void grant_reading(long ruleset)
{
	for (size_t i = 0; i < COUNT(readable); i++) {
		struct rule r = { .fd = open(readable[i], O_PATH | O_CLOEXEC) };
		struct stat st;

		if (r.fd < 0)
			continue;
		if (fstat(r.fd, &st) == 0) {
			r.files = S_ISDIR(st.st_mode) ? READ_FILES : 1U << 2;
			(void)syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PATH_BENEATH, &r, 0);
		}
		(void)close(r.fd);
	}
}

/* What cannot be granted is wanted all the same: then without Landlock. */
static int enter_landlock(const struct sandbox_wants *w)
{
	int abi = landlock_abi();
	struct ruleset all = rights_taken(abi, w);
	bool ready = true;
	long ruleset, entered = -1;

	if (abi == 0)
		return 0;
	ruleset = syscall(LANDLOCK_CREATE, &all, sizeof all, 0);
	if (ruleset < 0)
		return 0;
	if (w->connects)
		grant_reading(ruleset);
	for (size_t i = 0; i < w->ngrants && !w->connects && ready; i++)
		ready = grant(ruleset, &w->grants[i], all.files);
	if (ready)
		entered = syscall(LANDLOCK_RESTRICT, ruleset, 0);
	(void)close((int)ruleset);
	return entered == 0 ? abi : 0;
}

/* What the numbers of the tables mean. A machine that we have not looked at gets no filter. */
#if defined(__x86_64__) && defined(__LP64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define THIS_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef THIS_ARCH

/* One row of the tables. */
struct call {
	unsigned nr;
	enum { PLAIN, WITHOUT, WITH, OWN, CHILDREN } kind;
	unsigned arg;
	uint32_t value;
	unsigned error;
};

/* First the rows of those that connect, then a signer's, then a writer's. */
static const struct call calls[] = {
#define CALL(name) { __NR_##name, PLAIN, 0, 0, 0 },
#define CALL_WITHOUT(name, arg, bits, error) { __NR_##name, WITHOUT, arg, bits, error },
#define CALL_WITH(name, arg, value, error) { __NR_##name, WITH, arg, value, error },
#define CALL_OWN(name, arg, error) { __NR_##name, OWN, arg, 0, error },
#define CALL_CHILDREN(name, arg, error) { __NR_##name, CHILDREN, arg, 0, error },
#include "signer/io/sandbox_net.def"
#include "signer/io/sandbox_signer.def"
#include "signer/io/sandbox_writer.def"
#include "signer/io/sandbox.def"
};

/* Only their number is asked for. */
static const struct call net_calls[] __attribute__((unused)) = {
#include "signer/io/sandbox_net.def" /* NOLINT(readability-duplicate-include): a table again */
};

static const struct call signer_calls[] __attribute__((unused)) = {
#include "signer/io/sandbox_signer.def" /* NOLINT(readability-duplicate-include): a table again */
};

static const struct call writer_calls[] __attribute__((unused)) = {
#include "signer/io/sandbox_writer.def" /* NOLINT(readability-duplicate-include): the same */
#undef CALL
#undef CALL_WITHOUT
#undef CALL_WITH
#undef CALL_OWN
#undef CALL_CHILDREN
};

enum {
	FILTER_MAX = (2 * SANDBOX_CHILDREN_MAX + 5) * COUNT(calls) + 8,
	NR = offsetof(struct seccomp_data, nr)
};

/* A filter that grows; the table's length bounds it. */
struct program {
	struct sock_filter v[FILTER_MAX];
	unsigned short n;
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	p->v[p->n++] = (struct sock_filter){
		.code = (uint16_t)code, .k = k, .jt = (uint8_t)yes, .jf = (uint8_t)no
	};
}

static void put_load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Goes on if it is the value, else skips. */
static void put_is(struct program *p, uint32_t value, unsigned skip)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

static void put_allow(struct program *p)
{
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void put_refuse(struct program *p, unsigned error)
{
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA), 0, 0);
}

/* The lower half of the argument, which comes first on the machines above; ours are ints. */
static size_t arg_at(const struct call *c)
{
	return offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t);
}

/* Each child and its group; if there is none, those are meant that are shut in as we are. */
static void put_children(struct program *p, const struct call *c, const pid_t *children)
{
	size_t n = 0;

	while (n < SANDBOX_CHILDREN_MAX && children[n] != 0)
		n++;
	put_is(p, c->nr, n == 0 ? 1 : (unsigned)n * 4 + 2);
	if (n == 0) {
		put_allow(p);
		return;
	}
	put_load(p, arg_at(c));
	for (size_t i = 0; i < n; i++) {
		put_is(p, (uint32_t)children[i], 1);
		put_allow(p);
		put_is(p, (uint32_t)-children[i], 1);
		put_allow(p);
	}
	put_refuse(p, c->error);
}

/* The call's number is loaded before and after. */
static void put_call(struct program *p, const struct call *c, const pid_t *children,
		     bool last_of_its_kind)
{
	switch (c->kind) {
	case CHILDREN:
		put_children(p, c, children);
		break;
	case PLAIN:
		put_is(p, c->nr, 1);
		put_allow(p);
		break;
	case OWN:
		put_is(p, c->nr, 4);
		put_load(p, arg_at(c));
		put_is(p, (uint32_t)getpid(), 1);
		put_allow(p);
		put_refuse(p, c->error);
		break;
	case WITHOUT:
		put_is(p, c->nr, 4);
		put_load(p, arg_at(c));
		put(p, BPF_JMP | BPF_JSET | BPF_K, c->value, 0, 1);
		put_refuse(p, c->error);
		put_allow(p);
		break;
	case WITH:
		put_is(p, c->nr, 4);
		put_load(p, arg_at(c));
		put_is(p, c->value, 1);
		put_allow(p);
		if (last_of_its_kind)
			put_refuse(p, c->error);
		else
			put_load(p, NR);
		break;
	}
}

/* Whether the row at i is for those who want this. */
static bool is_wanted(size_t i, const struct sandbox_wants *w)
{
	size_t signers = COUNT(net_calls), writers = signers + COUNT(signer_calls),
	       readers = writers + COUNT(writer_calls);

	if (calls[i].kind == CHILDREN)
		return w->signs || w->children[0] != 0;
	if (i < signers)
		return w->connects;
	if (i < writers)
		return w->signs;
	return i >= readers || w->signs || (w->ngrants > 0 && !w->connects);
}

static bool enter_seccomp(const struct sandbox_wants *w)
{
	struct program p = { .n = 0 };
	struct sock_fprog filter = { .filter = p.v };

	put_load(&p, offsetof(struct seccomp_data, arch));
	put_is(&p, THIS_ARCH, 1);
	put(&p, BPF_JMP | BPF_JA, 1, 0, 0);
	put_refuse(&p, ENOSYS);
	put_load(&p, NR);
	for (size_t i = 0; i < COUNT(calls); i++)
		if (is_wanted(i, w))
			put_call(&p, &calls[i], w->children,
				 i + 1 == COUNT(calls) || calls[i + 1].nr != calls[i].nr);
	put_refuse(&p, ENOSYS);
	filter.len = p.n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

#else

static bool enter_seccomp(const struct sandbox_wants *w)
{
	(void)w;
	return false;
}

#endif

struct sandbox sandbox_enter(unsigned layers, const struct sandbox_wants *wants)
{
	static const struct sandbox_wants reading = { .ngrants = 0 };
	const struct sandbox_wants *w = wants != NULL ? wants : &reading;
	struct sandbox s = { .landlock = 0 };

	/* Without this neither is to be had by those who are not root. */
	if (!CTLSIGN_SANDBOX || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return s;
	if ((layers & SANDBOX_LANDLOCK) != 0)
		s.landlock = enter_landlock(w);
	if ((layers & SANDBOX_SECCOMP) != 0)
		s.seccomp = enter_seccomp(w);
	return s;
}

void sandbox_text(const struct sandbox *s, char out[64])
{
	char landlock[32];

	(void)snprintf(landlock, sizeof landlock, "landlock ABI %d%s", s->landlock,
		       s->seccomp ? ", " : "");
	if (s->landlock == 0 && !s->seccomp)
		(void)snprintf(out, 64, "none: %s",
			       CTLSIGN_SANDBOX ? "kernel or container has neither" :
						 "built without");
	else
		(void)snprintf(out, 64, "%s%s", s->landlock > 0 ? landlock : "",
			       s->seccomp ? "seccomp" : "");
}
