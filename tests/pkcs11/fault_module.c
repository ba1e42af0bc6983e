/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A PKCS#11 module that wraps a real one, counts every call, and fails as a
 * plan tells it to. Built as ${CMAKE_BINARY_DIR}/tests/pkcs11/ctlsign-fault.so.
 *
 * The environment variable CTLSIGN_FAULT_PLAN names the plan, a text file of
 * lines; '#' begins a comment. An unknown line makes C_GetFunctionList fail, with
 * a word on stderr, and so does a plan without a module.
 *
 *   module PATH           the real module; of two such lines the last one counts
 *   counter PATH          one line with the call's name is appended for each call,
 *                         before anything else happens; safe for several processes
 *   init-args TEXT        the rest of the line is given to C_Initialize as NSS wants it
 *                         (softokn: configdir='sql:/DIR' certPrefix='' keyPrefix=''
 *                         secmod='' flags=)
 *   pad PIN               the token has a PIN pad, at which PIN is typed: the flag
 *                         PROTECTED_AUTHENTICATION_PATH is set, and C_Login without a
 *                         PIN logs in with this one; with a PIN it fails
 *   always-authenticate PIN
 *                         keys are CKA_ALWAYS_AUTHENTICATE: C_Sign wants C_Login with
 *                         CKU_CONTEXT_SPECIFIC and this PIN directly before it and
 *                         C_SignInit directly before that, else CKR_USER_NOT_LOGGED_IN
 *   hide-public-exponent  CKA_PUBLIC_EXPONENT is CKR_ATTRIBUTE_SENSITIVE
 *
 *   CALL WHICH ACTION     on some uses of a call, counted from 1 in each process, in
 *                         whatever thread:
 *                         WHICH is N, N+ (from the N-th on), N-M, or * (always)
 *
 * CALL is a name such as C_Sign. ACTION is one of
 *
 *   fail CKR              returns CKR (a number, 0x30) without calling the real one
 *   user-not-logged-in    the same as fail 0x101
 *   sleep SECONDS         waits, then goes on (fractions allowed)
 *   meet N                waits until N threads have come so far, then goes on; fails with
 *                         CKR_FUNCTION_FAILED where they do not come within 20 seconds
 *   print TEXT            writes the rest of the line to stdout, then goes on
 *   crash                 ends with SIGSEGV
 *   exit CODE             calls exit(CODE)
 *   crash-after           calls the real one, then ends with SIGSEGV
 *   scribble HEX          writes these bytes to descriptor 3, as a module that has gone mad
 *                         may; then goes on. HEX*N repeats the last byte N times
 *   drip SECONDS          writes a warning to descriptor 3 ten times a second, for so long
 *   flood N               writes N warnings to descriptor 3 at once
 *   forge SECONDS         writes nonsense to the page on which the parent sees the calls,
 *                         again and again, for so long
 *   grandchild HOW        leaves a process behind that keeps descriptor 3 open for a minute
 *                         and ignores SIGTERM; its id is appended to the counter's file
 *                         with ".pids" behind its name. HOW is stay, or away: in a session
 *                         of its own
 *   flags +NAME -NAME…    C_GetTokenInfo: sets and clears flags: COUNT_LOW, FINAL_TRY,
 *                         LOCKED, TO_BE_CHANGED, INITIALIZED, PIN_INITIALIZED,
 *                         LOGIN_REQUIRED, PAD; the spare, uninitialised token keeps its own
 *   flip                  C_Sign: the last bit of the signature is wrong
 *   shorten               C_Sign: the last byte is missing
 *   lengthen              C_Sign: a byte too many
 *   zero-strip            C_Sign: leading zero bytes are missing
 *   serial TEXT           C_GetTokenInfo: another serial number
 *   nul-pad               C_GetTokenInfo: texts are padded with NUL and rubbish behind it, not
 *                         with blanks; C_GetAttributeValue: labels have four NULs more
 *
 * Several lines for one call all apply, in their order, until one of them ends it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* clang-format off: a table */
#define CALLS(X) \
	X(C_Initialize) \
	X(C_Finalize) \
	X(C_GetInfo) \
	X(C_GetSlotList) \
	X(C_GetSlotInfo) \
	X(C_GetTokenInfo) \
	X(C_GetMechanismList) \
	X(C_GetMechanismInfo) \
	X(C_InitToken) \
	X(C_InitPIN) \
	X(C_OpenSession) \
	X(C_CloseSession) \
	X(C_CloseAllSessions) \
	X(C_GetSessionInfo) \
	X(C_Login) \
	X(C_Logout) \
	X(C_CreateObject) \
	X(C_FindObjectsInit) \
	X(C_FindObjects) \
	X(C_FindObjectsFinal) \
	X(C_GetAttributeValue) \
	X(C_SignInit) \
	X(C_Sign) \
	X(C_DecryptInit) \
	X(C_EncryptInit)
/* clang-format on */

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
		NCALLS
};

static const char *const call_names[NCALLS] = {
#define X(name) #name,
	CALLS(X)
#undef X
};

enum action {
	FAIL,
	SLEEP,
	MEET,
	PRINT,
	CRASH,
	EXIT,
	CRASH_AFTER,
	FLAGS,
	FLIP,
	SHORTEN,
	LENGTHEN,
	ZERO_STRIP,
	SERIAL,
	NUL_PAD,
	SCRIBBLE,
	DRIP,
	FLOOD,
	FORGE,
	GRANDCHILD,
	NOT_LOGGED_IN
};

static const struct {
	const char *name;
	enum action action;
} actions[] = {
	{ "fail", FAIL },
	{ "sleep", SLEEP },
	{ "meet", MEET },
	{ "print", PRINT },
	{ "crash", CRASH },
	{ "exit", EXIT },
	{ "crash-after", CRASH_AFTER },
	{ "flags", FLAGS },
	{ "flip", FLIP },
	{ "shorten", SHORTEN },
	{ "lengthen", LENGTHEN },
	{ "zero-strip", ZERO_STRIP },
	{ "serial", SERIAL },
	{ "nul-pad", NUL_PAD },
	{ "scribble", SCRIBBLE },
	{ "drip", DRIP },
	{ "flood", FLOOD },
	{ "forge", FORGE },
	{ "grandchild", GRANDCHILD },
	{ "user-not-logged-in", NOT_LOGGED_IN },
};

static const struct {
	const char *name;
	CK_FLAGS flag;
} flag_names[] = {
	{ "COUNT_LOW", CKF_USER_PIN_COUNT_LOW },  { "FINAL_TRY", CKF_USER_PIN_FINAL_TRY },
	{ "LOCKED", CKF_USER_PIN_LOCKED },	  { "TO_BE_CHANGED", CKF_USER_PIN_TO_BE_CHANGED },
	{ "INITIALIZED", CKF_TOKEN_INITIALIZED }, { "PIN_INITIALIZED", CKF_USER_PIN_INITIALIZED },
	{ "LOGIN_REQUIRED", CKF_LOGIN_REQUIRED }, { "PAD", CKF_PROTECTED_AUTHENTICATION_PATH },
};

struct rule {
	enum call call;
	unsigned long from, to;
	enum action action;
	char text[256];
};

/* A module is one per process, and so is this. */
static struct {
	struct rule rules[64];
	size_t n;
	char module[256], counter[256], init_args[512], pad[64], always[64];
	bool is_pad, is_always, hide_exponent;
	_Atomic unsigned long uses[NCALLS];
	_Atomic unsigned long clock;		/* every call ticks */
	_Atomic unsigned long init_at, auth_at; /* when C_SignInit, and the login for it, came */
	CK_FUNCTION_LIST *real;
	CK_FUNCTION_LIST list;
} plan;

/* Which use of its call this thread is in. */
static _Thread_local unsigned long use;

static void count(enum call c)
{
	char line[64];
	int fd, n = snprintf(line, sizeof line, "%s\n", call_names[c]);

	use = ++plan.uses[c];
	plan.clock++;
	if (plan.counter[0] == '\0')
		return;
	fd = open(plan.counter, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n)
		perror(plan.counter);
	(void)close(fd);
}

static bool applies(const struct rule *r, enum call c)
{
	return r->call == c && use >= r->from && use <= r->to;
}

static void do_sleep(const char *text)
{
	double seconds = strtod(text, NULL);
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) != 0)
		continue;
}

static bool do_meet(const char *text)
{
	static _Atomic long here;
	const struct timespec tick = { .tv_nsec = 1000000 };
	long n = strtol(text, NULL, 10);

	here++;
	for (int ms = 0; here < n && ms < 20000; ms++)
		(void)nanosleep(&tick, NULL);
	return here >= n;
}

static void do_scribble(const char *hex)
{
	static unsigned char bytes[4096];
	unsigned long repeat;
	unsigned byte = 0;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1 && *hex != '*'; hex += 2)
		bytes[n++] = (unsigned char)byte;
	repeat = *hex == '*' ? strtoul(hex + 1, NULL, 10) : 0;
	while (repeat-- > 0 && n < sizeof bytes)
		bytes[n++] = (unsigned char)byte;
	if (write(3, bytes, n) != (ssize_t)n)
		perror("scribble");
}

static void tenth_of_a_second(void)
{
	const struct timespec ts = { .tv_nsec = 100000000 };

	(void)nanosleep(&ts, NULL);
}

static const unsigned char warning[] = { 0x41, 'd', 'r', 'i', 'p' };

static void do_flood(const char *many)
{
	for (long n = strtol(many, NULL, 10); n > 0; n--)
		if (write(3, warning, sizeof warning) < 0)
			return;
}

static void do_drip(const char *seconds)
{
	for (long n = strtol(seconds, NULL, 10) * 10; n > 0; n--) {
		if (write(3, warning, sizeof warning) < 0)
			return;
		tenth_of_a_second();
	}
}

/* Where the page is mapped; NULL: nowhere. */
static void *pulse_page(size_t *n)
{
	unsigned long from, to;
	void *page = NULL;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f != NULL && page == NULL && fgets(line, sizeof line, f) != NULL)
		if (strstr(line, "ctlsign-pulse") != NULL &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2) {
			page = (void *)(uintptr_t)from;
			*n = to - from;
		}
	if (f != NULL)
		(void)fclose(f);
	return page;
}

/* All of the future, in every call and module at once. */
static void do_forge(const char *seconds)
{
	size_t n = 0;
	void *page = pulse_page(&n);

	if (page == NULL) {
		(void)fprintf(stderr, "fault module: there is no page to forge\n");
		abort();
	}
	for (long i = strtol(seconds, NULL, 10) * 10; i > 0; i--) {
		memset(page, i % 2 != 0 ? 0x7f : 0xff, n);
		tenth_of_a_second();
	}
}

static void do_grandchild(const char *how)
{
	char path[300];
	pid_t pid = fork();
	FILE *f;

	if (pid == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		if (strcmp(how, "away") == 0)
			(void)setsid();
		(void)sleep(60);
		_exit(0);
	}
	(void)snprintf(path, sizeof path, "%s.pids", plan.counter);
	f = fopen(path, "ae");
	if (f != NULL) {
		(void)fprintf(f, "%d\n", (int)pid);
		(void)fclose(f);
	}
}

static void do_crash(void)
{
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
	abort();
}

/* What happens before the real call; true where it ends it, with *rv. */
static bool before(enum call c, CK_RV *rv)
{
	count(c);
	for (size_t i = 0; i < plan.n; i++) {
		const struct rule *r = &plan.rules[i];

		if (!applies(r, c))
			continue;
		if (r->action == SLEEP)
			do_sleep(r->text);
		else if (r->action == MEET && !do_meet(r->text))
			return (*rv = CKR_FUNCTION_FAILED, true);
		else if (r->action == PRINT)
			(void)(puts(r->text), fflush(stdout));
		else if (r->action == CRASH)
			do_crash();
		else if (r->action == SCRIBBLE)
			do_scribble(r->text);
		else if (r->action == DRIP)
			do_drip(r->text);
		else if (r->action == FLOOD)
			do_flood(r->text);
		else if (r->action == FORGE)
			do_forge(r->text);
		else if (r->action == GRANDCHILD)
			do_grandchild(r->text);
		else if (r->action == EXIT)
			exit(atoi(r->text));
		if (r->action != FAIL && r->action != NOT_LOGGED_IN)
			continue;
		*rv = r->action == FAIL ? strtoul(r->text, NULL, 0) : CKR_USER_NOT_LOGGED_IN;
		return true;
	}
	return false;
}

static void after(enum call c)
{
	for (size_t i = 0; i < plan.n; i++)
		if (applies(&plan.rules[i], c) && plan.rules[i].action == CRASH_AFTER)
			do_crash();
}

#define PASS(name, params, args) \
	static CK_RV wrap_##name params \
	{ \
		CK_RV rv; \
\
		if (before(CALL_##name, &rv)) \
			return rv; \
		rv = plan.real->name args; \
		after(CALL_##name); \
		return rv; \
	}

PASS(C_Finalize, (void *reserved), (reserved))
PASS(C_GetInfo, (CK_INFO * info), (info))
PASS(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *n), (present, list, n))
PASS(C_GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO *info), (slot, info))
PASS(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *n), (slot, list, n))
PASS(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info),
     (slot, type, info))
PASS(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG n, unsigned char *label),
     (slot, pin, n, label))
PASS(C_InitPIN, (CK_SESSION_HANDLE s, unsigned char *pin, CK_ULONG n), (s, pin, n))
PASS(C_OpenSession,
     (CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify, CK_SESSION_HANDLE *s),
     (slot, flags, app, notify, s))
PASS(C_CloseSession, (CK_SESSION_HANDLE s), (s))
PASS(C_CloseAllSessions, (CK_SLOT_ID slot), (slot))
PASS(C_GetSessionInfo, (CK_SESSION_HANDLE s, CK_SESSION_INFO *info), (s, info))
PASS(C_Logout, (CK_SESSION_HANDLE s), (s))
PASS(C_CreateObject, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n, CK_OBJECT_HANDLE *o),
     (s, a, n, o))
PASS(C_FindObjectsInit, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *a, CK_ULONG n), (s, a, n))
PASS(C_FindObjects, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *list, CK_ULONG cap, CK_ULONG *n),
     (s, list, cap, n))
PASS(C_FindObjectsFinal, (CK_SESSION_HANDLE s), (s))
PASS(C_DecryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key), (s, m, key))
PASS(C_EncryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key), (s, m, key))

/* NSS reads its parameters where others have pReserved, and has pReserved behind them. */
struct nss_init_args {
	CK_C_INITIALIZE_ARGS common;
	void *reserved;
};

static CK_RV wrap_C_Initialize(void *args)
{
	struct nss_init_args nss = { .common = { .flags = CKF_OS_LOCKING_OK } };
	CK_RV rv;

	if (before(CALL_C_Initialize, &rv))
		return rv;
	nss.common.pReserved = plan.init_args;
	rv = plan.real->C_Initialize(plan.init_args[0] != '\0' ? (void *)&nss : args);
	after(CALL_C_Initialize);
	return rv;
}

static CK_FLAGS flag_named(const char *name)
{
	for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
		if (strcmp(flag_names[i].name, name) == 0)
			return flag_names[i].flag;
	(void)fprintf(stderr, "fault plan: unknown flag '%s'\n", name);
	return 0;
}

static void alter_flags(CK_FLAGS *flags, const char *text)
{
	char copy[256], *save = NULL;

	(void)snprintf(copy, sizeof copy, "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		CK_FLAGS flag = flag_named(w + 1);

		*flags = *w == '-' ? *flags & ~flag : *flags | flag;
	}
}

/* As of a module that copies C strings into room that it has not cleared. */
static void nul_pad(unsigned char *text, size_t n)
{
	size_t used = n;

	while (used > 0 && text[used - 1] == ' ')
		used--;
	for (size_t i = used; i < n; i++)
		text[i] = i == used || i % 3 == 0 ? '\0' : 'x';
}

static void nul_pad_token(CK_TOKEN_INFO *info)
{
	nul_pad(info->label, sizeof info->label);
	nul_pad(info->manufacturerID, sizeof info->manufacturerID);
	nul_pad(info->model, sizeof info->model);
	nul_pad(info->serialNumber, sizeof info->serialNumber);
}

static CK_RV wrap_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv;

	if (before(CALL_C_GetTokenInfo, &rv))
		return rv;
	rv = plan.real->C_GetTokenInfo(slot, info);
	if (rv != CKR_OK || (info->flags & CKF_TOKEN_INITIALIZED) == 0)
		return rv;
	if (plan.is_pad)
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	for (size_t i = 0; i < plan.n; i++) {
		const struct rule *r = &plan.rules[i];

		if (!applies(r, CALL_C_GetTokenInfo))
			continue;
		if (r->action == FLAGS)
			alter_flags(&info->flags, r->text);
		if (r->action == NUL_PAD)
			nul_pad_token(info);
		if (r->action == SERIAL) {
			memset(info->serialNumber, ' ', sizeof info->serialNumber);
			memcpy(info->serialNumber, r->text, strnlen(r->text, 16));
		}
	}
	after(CALL_C_GetTokenInfo);
	return rv;
}

static bool is_planned(enum call call, enum action action)
{
	for (size_t i = 0; i < plan.n; i++)
		if (plan.rules[i].action == action && applies(&plan.rules[i], call))
			return true;
	return false;
}

/* Where there is room for them. */
static void add_nuls(CK_ATTRIBUTE *a, CK_ULONG room)
{
	enum { MORE = 4 };

	if (a->type != CKA_LABEL || a->ulValueLen == CK_UNAVAILABLE_INFORMATION ||
	    a->ulValueLen == 0)
		return;
	if (a->pValue != NULL && room - a->ulValueLen < MORE)
		return;
	if (a->pValue != NULL)
		memset((char *)a->pValue + a->ulValueLen, 0, MORE);
	a->ulValueLen += MORE;
}

static CK_RV wrap_C_GetAttributeValue(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a,
				      CK_ULONG n)
{
	enum { MOST = 16 };
	CK_ULONG room[MOST] = { 0 };
	CK_RV rv;

	if (before(CALL_C_GetAttributeValue, &rv))
		return rv;
	for (CK_ULONG i = 0; i < n && i < MOST; i++)
		room[i] = a[i].ulValueLen;
	rv = plan.real->C_GetAttributeValue(s, o, a, n);
	for (CK_ULONG i = 0; i < n; i++) {
		if (i < MOST && is_planned(CALL_C_GetAttributeValue, NUL_PAD))
			add_nuls(&a[i], room[i]);
		if (plan.hide_exponent && a[i].type == CKA_PUBLIC_EXPONENT) {
			a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
			rv = CKR_ATTRIBUTE_SENSITIVE;
		}
		if (plan.is_always && a[i].type == CKA_ALWAYS_AUTHENTICATE && a[i].pValue != NULL) {
			*(CK_BBOOL *)a[i].pValue = CK_TRUE;
			a[i].ulValueLen = sizeof(CK_BBOOL);
			rv = n == 1 ? CKR_OK : rv;
		}
	}
	after(CALL_C_GetAttributeValue);
	return rv;
}

static CK_RV context_login(const unsigned char *pin, CK_ULONG n)
{
	const char *want = plan.is_always ? plan.always : plan.pad;

	if (plan.init_at == 0 || plan.clock != plan.init_at + 1)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (pin == NULL && !plan.is_pad)
		return CKR_PIN_INCORRECT;
	if (pin != NULL && (n != strlen(want) || memcmp(pin, want, n) != 0))
		return CKR_PIN_INCORRECT;
	plan.auth_at = plan.clock;
	return CKR_OK;
}

static CK_RV wrap_C_Login(CK_SESSION_HANDLE s, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
	CK_RV rv;

	if (before(CALL_C_Login, &rv))
		return rv;
	if (plan.is_pad && pin != NULL)
		return CKR_ARGUMENTS_BAD;
	if (plan.is_always && user == CKU_CONTEXT_SPECIFIC)
		return context_login(pin, n);
	if (plan.is_pad)
		rv = plan.real->C_Login(s, user, (unsigned char *)plan.pad, strlen(plan.pad));
	else
		rv = plan.real->C_Login(s, user, pin, n);
	after(CALL_C_Login);
	return rv;
}

static CK_RV wrap_C_SignInit(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key)
{
	CK_RV rv;

	if (before(CALL_C_SignInit, &rv))
		return rv;
	rv = plan.real->C_SignInit(s, m, key);
	plan.init_at = plan.clock;
	after(CALL_C_SignInit);
	return rv;
}

/* Ends the operation that C_SignInit began, as a failed C_Sign does. */
static void drop_operation(CK_SESSION_HANDLE s)
{
	unsigned char data[1] = { 0 }, sig[1024];
	CK_ULONG n = sizeof sig;

	(void)plan.real->C_Sign(s, data, sizeof data, sig, &n);
}

static void alter_signature(enum action action, unsigned char *sig, CK_ULONG *n, CK_ULONG room)
{
	CK_ULONG zeros = 0;

	if (action == FLIP)
		sig[*n - 1] ^= 1;
	if (action == SHORTEN)
		--*n;
	if (action == LENGTHEN && *n < room)
		sig[(*n)++] = 0x55;
	if (action != ZERO_STRIP)
		return;
	while (zeros < *n && sig[zeros] == 0)
		zeros++;
	memmove(sig, sig + zeros, *n - zeros);
	*n -= zeros;
}

static CK_RV wrap_C_Sign(CK_SESSION_HANDLE s, unsigned char *data, CK_ULONG n, unsigned char *sig,
			 CK_ULONG *nsig)
{
	CK_ULONG room = *nsig;
	CK_RV rv;

	if (before(CALL_C_Sign, &rv)) {
		drop_operation(s);
		return rv;
	}
	if (plan.is_always && (plan.auth_at == 0 || plan.clock != plan.auth_at + 1)) {
		drop_operation(s);
		return CKR_USER_NOT_LOGGED_IN;
	}
	rv = plan.real->C_Sign(s, data, n, sig, nsig);
	for (size_t i = 0; i < plan.n && rv == CKR_OK && sig != NULL; i++)
		if (applies(&plan.rules[i], CALL_C_Sign))
			alter_signature(plan.rules[i].action, sig, nsig, room);
	after(CALL_C_Sign);
	return rv;
}

static bool parse_which(const char *text, struct rule *r)
{
	char *end = NULL;

	if (strcmp(text, "*") == 0) {
		r->from = 1;
		r->to = ULONG_MAX;
		return true;
	}
	r->from = r->to = strtoul(text, &end, 10);
	if (*end == '+')
		r->to = ULONG_MAX;
	else if (*end == '-')
		r->to = strtoul(end + 1, NULL, 10);
	return r->from != 0;
}

static bool parse_rule(const char *call, char *rest)
{
	struct rule *r = &plan.rules[plan.n];
	char *save = NULL, *which = strtok_r(rest, " ", &save),
	     *action = strtok_r(NULL, " ", &save);
	const char *text = strtok_r(NULL, "", &save);
	bool known = false;

	if (plan.n == sizeof plan.rules / sizeof *plan.rules || action == NULL ||
	    !parse_which(which, r))
		return false;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, action) == 0) {
			r->action = actions[i].action;
			known = true;
		}
	for (size_t i = 0; i < NCALLS && known; i++)
		if (strcmp(call_names[i], call) == 0) {
			r->call = (enum call)i;
			(void)snprintf(r->text, sizeof r->text, "%s", text == NULL ? "" : text);
			plan.n++;
			return true;
		}
	return false;
}

static void copy(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%s", text);
}

static bool parse_line(char *line)
{
	char *save = NULL, *word, *rest;

	line[strcspn(line, "\n")] = '\0';
	word = strtok_r(line, " ", &save);
	if (word == NULL || *word == '#')
		return true;
	rest = strtok_r(NULL, "", &save);
	rest = rest == NULL ? word + strlen(word) : rest;
	plan.is_pad = plan.is_pad || strcmp(word, "pad") == 0;
	plan.is_always = plan.is_always || strcmp(word, "always-authenticate") == 0;
	plan.hide_exponent = plan.hide_exponent || strcmp(word, "hide-public-exponent") == 0;
	if (strcmp(word, "module") == 0)
		copy(plan.module, sizeof plan.module, rest);
	else if (strcmp(word, "counter") == 0)
		copy(plan.counter, sizeof plan.counter, rest);
	else if (strcmp(word, "init-args") == 0)
		copy(plan.init_args, sizeof plan.init_args, rest);
	else if (strcmp(word, "pad") == 0)
		copy(plan.pad, sizeof plan.pad, rest);
	else if (strcmp(word, "always-authenticate") == 0)
		copy(plan.always, sizeof plan.always, rest);
	else if (strcmp(word, "hide-public-exponent") != 0)
		return parse_rule(word, rest);
	return true;
}

static bool read_plan(const char *path)
{
	char line[1024];
	bool ok = true;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		perror(path);
		return false;
	}
	while (ok && fgets(line, sizeof line, f) != NULL)
		ok = parse_line(line);
	if (!ok)
		(void)fprintf(stderr, "fault plan '%s': a line is not understood\n", path);
	(void)fclose(f);
	return ok;
}

typedef CK_RV get_list_fn(CK_FUNCTION_LIST **list);

static CK_RV load_real(void)
{
	void *handle = dlopen(plan.module, RTLD_NOW | RTLD_LOCAL);
	void *p = handle == NULL ? NULL : dlsym(handle, "C_GetFunctionList");
	get_list_fn *get = NULL;

	if (p == NULL) {
		(void)fprintf(stderr, "fault module: %s\n", dlerror());
		return CKR_GENERAL_ERROR;
	}
	memcpy(&get, &p, sizeof get);
	return get(&plan.real);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *path = getenv("CTLSIGN_FAULT_PLAN");

	if (plan.real == NULL) {
		if (path != NULL && *path != '\0' && !read_plan(path))
			return CKR_GENERAL_ERROR;
		if (load_real() != CKR_OK)
			return CKR_GENERAL_ERROR;
		plan.list = *plan.real;
#define X(name) plan.list.name = wrap_##name;
		CALLS(X)
#undef X
		plan.list.C_GetFunctionList = C_GetFunctionList;
	}
	*list = &plan.list;
	return CKR_OK;
}
