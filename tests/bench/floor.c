/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: floor token MODULE LABEL PIN_FILE THREADS COUNT
 *        floor key FILE THREADS COUNT
 *        floor check FILE BYTES THREADS COUNT
 *        floor read FILE NAMES THREADS COUNT
 *        floor run REPORT COMMAND...
 *
 * What a machine signs when nothing but signing is done: C_SignInit and C_Sign
 * in a loop, each thread with a session of its own under one login, or
 * EVP_PKEY_sign. Prints signatures per second. Part of tests/bench/run.
 *
 * check: what it verifies when nothing but that is done: SHA-512 of so many bytes, and
 * EVP_PKEY_verify. read: the same of files, each opened, read and closed. NAMES has their names,
 * each ended by a zero byte, and COUNT of them are taken.
 *
 * run: the command's status, and into REPORT its seconds by the clock and on
 * the processors, and its peak memory in KiB. A child's peak begins with that
 * of the process that forks it, so that it has to be a small one.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, DIGEST_INFO = 35, SIGNATURE_MAX = 1024 };

struct floor {
	CK_FUNCTION_LIST *f;
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	EVP_PKEY *pkey;
	unsigned char *content; /* check: what is hashed; NULL: sign */
	size_t bytes;
	char **names;	     /* read: of the files that are read into content, or NULL */
	unsigned long count; /* of each thread */
	unsigned long begun; /* threads, by __atomic */
};

static _Noreturn void __attribute__((format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

static void want(CK_RV rv, const char *call)
{
	if (rv != CKR_OK)
		die("floor: %s: 0x%lx", call, rv);
}

/* A DigestInfo for SHA-1, whose digest tells the signatures apart. */
static void fill(unsigned char info[DIGEST_INFO], unsigned long number)
{
	static const unsigned char head[] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
					      0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 };

	memset(info, 0x5a, DIGEST_INFO);
	memcpy(info, head, sizeof head);
	memcpy(info + sizeof head, &number, sizeof number);
}

static CK_SESSION_HANDLE open_session(const struct floor *l)
{
	CK_SESSION_HANDLE s;

	want(l->f->C_OpenSession(l->slot, CKF_SERIAL_SESSION, NULL, NULL, &s), "C_OpenSession");
	return s;
}

static void *sign_token(void *arg)
{
	const struct floor *l = arg;
	CK_SESSION_HANDLE s = open_session(l);
	unsigned char info[DIGEST_INFO], sig[SIGNATURE_MAX];

	for (unsigned long i = 0; i < l->count; i++) {
		CK_MECHANISM mechanism = { .mechanism = CKM_RSA_PKCS };
		CK_ULONG n = sizeof sig;

		fill(info, i);
		want(l->f->C_SignInit(s, &mechanism, l->key), "C_SignInit");
		want(l->f->C_Sign(s, info, sizeof info, sig, &n), "C_Sign");
	}
	return NULL;
}

static void *sign_key(void *arg)
{
	const struct floor *l = arg;
	unsigned char info[DIGEST_INFO], sig[SIGNATURE_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(l->pkey, NULL);

	if (ctx == NULL || EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0)
		die("floor: EVP_PKEY_sign_init");
	for (unsigned long i = 0; i < l->count; i++) {
		size_t n = sizeof sig;

		fill(info, i);
		if (EVP_PKEY_sign(ctx, sig, &n, info, sizeof info) <= 0)
			die("floor: EVP_PKEY_sign");
	}
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static EVP_PKEY_CTX *context(const struct floor *l, int (*init)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(l->pkey, NULL);

	if (ctx == NULL || init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha512()) <= 0)
		die("floor: no context");
	return ctx;
}

/* The bytes of a file that is at most as long as the longest. */
static size_t read_file(const struct floor *l, const char *name, unsigned char *out)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, l->bytes);

	if (n < 0 || close(fd) != 0)
		die("floor: %s cannot be read", name);
	return (size_t)n;
}

/* Each thread verifies a signature of its own, and takes its part of the files. */
static void *check_key(void *arg)
{
	struct floor *l = arg;
	unsigned long number = __atomic_fetch_add(&l->begun, 1, __ATOMIC_RELAXED) * l->count;
	unsigned char *content = malloc(l->bytes + 1);
	unsigned char md[EVP_MAX_MD_SIZE], of[EVP_MAX_MD_SIZE], sig[SIGNATURE_MAX];
	unsigned n = 0;
	size_t bytes = sizeof sig, got = l->bytes;
	EVP_PKEY_CTX *sign = context(l, EVP_PKEY_sign_init);
	EVP_PKEY_CTX *verify = context(l, EVP_PKEY_verify_init);

	if (content == NULL)
		die("floor: no memory");
	memcpy(content, l->content, l->bytes);
	if (EVP_Digest(content, l->bytes, md, &n, EVP_sha512(), NULL) != 1 ||
	    EVP_PKEY_sign(sign, sig, &bytes, md, n) <= 0)
		die("floor: no signature");
	for (unsigned long i = 0; i < l->count; i++) {
		if (l->names != NULL)
			got = read_file(l, l->names[number + i], content);
		if (EVP_Digest(content, got, of, &n, EVP_sha512(), NULL) != 1 ||
		    EVP_PKEY_verify(verify, sig, bytes, md, n) != 1)
			die("floor: EVP_PKEY_verify");
	}
	free(content);
	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_CTX_free(verify);
	return NULL;
}

static CK_SLOT_ID find_slot(CK_FUNCTION_LIST *f, const char *label)
{
	CK_SLOT_ID slots[64];
	CK_ULONG n = 64;

	want(f->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info;

		if (f->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    memcmp(info.label, label, strlen(label)) == 0)
			return slots[i];
	}
	die("floor: no token '%s'", label);
}

static void log_in(struct floor *l, const char *pin_file)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted = { CKA_CLASS, &class, sizeof class };
	CK_SESSION_HANDLE s = open_session(l);
	CK_ULONG n = 0;
	char pin[128] = "";
	FILE *in = fopen(pin_file, "r");

	if (in == NULL || fgets(pin, sizeof pin, in) == NULL)
		die("floor: no PIN in '%s'", pin_file);
	(void)fclose(in);
	pin[strcspn(pin, "\n")] = '\0';
	want(l->f->C_Login(s, CKU_USER, (unsigned char *)pin, strlen(pin)), "C_Login");
	want(l->f->C_FindObjectsInit(s, &wanted, 1), "C_FindObjectsInit");
	want(l->f->C_FindObjects(s, &l->key, 1, &n), "C_FindObjects");
	want(l->f->C_FindObjectsFinal(s), "C_FindObjectsFinal");
	if (n != 1)
		die("floor: no private key");
}

static void open_token(struct floor *l, char **args)
{
	CK_C_INITIALIZE_ARGS init = { .flags = CKF_OS_LOCKING_OK };
	void *module = dlopen(args[0], RTLD_NOW | RTLD_LOCAL);
	void *p = module == NULL ? NULL : dlsym(module, "C_GetFunctionList");
	CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;

	if (p == NULL)
		die("floor: %s", dlerror());
	memcpy(&get, &p, sizeof get);
	want(get(&l->f), "C_GetFunctionList");
	want(l->f->C_Initialize(&init), "C_Initialize");
	l->slot = find_slot(l->f, args[1]);
	log_in(l, args[2]);
}

static void open_key(struct floor *l, const char *path)
{
	FILE *in = fopen(path, "r");

	l->pkey = in == NULL ? NULL : PEM_read_PrivateKey(in, NULL, NULL, NULL);
	if (l->pkey == NULL)
		die("floor: no key in '%s'", path);
	(void)fclose(in);
}

static void open_content(struct floor *l, const char *path, const char *bytes)
{
	open_key(l, path);
	l->bytes = strtoul(bytes, NULL, 10);
	l->content = calloc(l->bytes + 1, 1);
	if (l->content == NULL)
		die("floor: no memory");
}

static char *slurp(const char *path, size_t *n)
{
	struct stat s;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 || fstat(fd, &s) != 0 ? NULL : malloc((size_t)s.st_size + 1);

	*n = text == NULL ? 0 : (size_t)s.st_size;
	if (text == NULL || read(fd, text, *n) != (ssize_t)*n || close(fd) != 0)
		die("floor: %s cannot be read", path);
	text[*n] = '\0';
	return text;
}

/* The names stay in memory until the end. */
static void open_files(struct floor *l, const char *key, const char *path, unsigned long count)
{
	char bytes[32];
	size_t n, at = 0, longest = 0;
	char *text = slurp(path, &n);
	struct stat s;

	l->names = calloc(count + 1, sizeof *l->names);
	if (l->names == NULL)
		die("floor: no memory");
	for (unsigned long i = 0; i < count; i++, at += strlen(text + at) + 1) {
		if (at >= n || stat(text + at, &s) != 0)
			die("floor: %s has no %lu files", path, count);
		l->names[i] = text + at;
		longest = (size_t)s.st_size > longest ? (size_t)s.st_size : longest;
	}
	(void)snprintf(bytes, sizeof bytes, "%zu", longest);
	open_content(l, key, bytes);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(struct floor *l, unsigned threads, unsigned long count)
{
	void *(*work)(void *) = l->content != NULL ? check_key :
				l->pkey != NULL	   ? sign_key :
						     sign_token;
	pthread_t t[THREADS_MAX];
	double began;

	if (threads < 1 || threads > THREADS_MAX)
		die("floor: 1 to %d threads", THREADS_MAX);
	l->count = count / threads;
	began = now();
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, work, l) != 0)
			die("floor: no thread");
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	(void)printf("%.1f\n", (double)(l->count * threads) / (now() - began));
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int run(const char *report, char **words)
{
	FILE *out = fopen(report, "we");
	double began = now(), took;
	struct rusage used;
	int status;
	pid_t pid;

	if (out == NULL)
		die("floor: %s cannot be written", report);
	pid = fork();
	if (pid == 0) {
		(void)execvp(words[0], words);
		die("floor: %s cannot be run", words[0]);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		die("floor: no process");
	took = now() - began;
	(void)fprintf(out, "%.6f %.6f %ld\n", took, seconds(used.ru_utime) + seconds(used.ru_stime),
		      used.ru_maxrss);
	(void)fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct floor l = { .f = NULL };

	if (argc >= 4 && strcmp(argv[1], "run") == 0)
		return run(argv[2], argv + 3);
	if (argc == 7 && strcmp(argv[1], "token") == 0)
		open_token(&l, argv + 2);
	else if (argc == 5 && strcmp(argv[1], "key") == 0)
		open_key(&l, argv[2]);
	else if (argc == 6 && strcmp(argv[1], "check") == 0)
		open_content(&l, argv[2], argv[3]);
	else if (argc == 6 && strcmp(argv[1], "read") == 0)
		open_files(&l, argv[2], argv[3], strtoul(argv[5], NULL, 10));
	else
		die("usage: floor token MODULE LABEL PIN_FILE THREADS COUNT\n"
		    "       floor key FILE THREADS COUNT\n"
		    "       floor check FILE BYTES THREADS COUNT\n"
		    "       floor read FILE NAMES THREADS COUNT\n"
		    "       floor run REPORT COMMAND...");
	measure(&l, (unsigned)strtoul(argv[argc - 2], NULL, 10), strtoul(argv[argc - 1], NULL, 10));
	return 0;
}
