/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkcs11/shared/rsa.h"

static char base[64];
static unsigned folders;

static void command(char *out, size_t cap, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void command(char *out, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, cap, fmt, ap);

	assert_true(n > 0 && (size_t)n < cap);
}

static void run(const char *text)
{
	if (system(text) != 0) {
		print_error("failed: %s\n", text);
		fail();
	}
}

void lab_run(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	command(text, sizeof text, fmt, ap);
	va_end(ap);
	run(text);
}

const char *lab_library(const char *name)
{
	static char path[PATH_MAX];
	char ask[PATH_MAX];
	FILE *said;

	(void)snprintf(ask, sizeof ask, "'%s' --find %s", TEST_LAB, name);
	said = popen(ask, "r");
	assert_non_null(said);
	if (fgets(path, sizeof path, said) == NULL)
		*path = '\0';
	(void)pclose(said);
	path[strcspn(path, "\n")] = '\0';
	return *path != '\0' ? path : NULL;
}

const char *lab_softhsm(void)
{
	static char path[PATH_MAX];

	if (path[0] == '\0') {
		const char *found = lab_library("libsofthsm2.so");

		assert_non_null(found);
		(void)snprintf(path, sizeof path, "%s", found);
	}
	return path;
}

void lab_file(const char *path, const char *text, unsigned mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

void lab_tool(const struct lab *l, const char *token, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	command(text, sizeof text, fmt, ap);
	va_end(ap);
	lab_run("CTLSIGN_FAULT_PLAN= SOFTHSM2_CONF=%s/softhsm2.conf pkcs11-tool "
		"--module %s --token-label '%s' --login --pin " LAB_PIN " %s >%s/tool.log 2>&1",
		l->dir, lab_softhsm(), token, text, l->dir);
}

void lab_write(const struct lab *l, const char *token, const char *key, const char *cert,
	       const char *id, const char *label)
{
	if (key != NULL) {
		lab_run("openssl pkey -in '%s' -outform DER -out %s/object.der", key, l->dir);
		lab_tool(l, token,
			 "--write-object %s/object.der --type privkey --id '%s' --label '%s'",
			 l->dir, id, label);
	}
	if (cert != NULL) {
		lab_run("openssl x509 -in '%s' -outform DER -out %s/object.der", cert, l->dir);
		lab_tool(l, token,
			 "--write-object %s/object.der --type cert --id '%s' --label '%s'", l->dir,
			 id, label);
	}
}

static void new_folder(struct lab *l, const char *name)
{
	char conf[300], text[400];

	*l = (struct lab){ .dir = "" };
	(void)snprintf(l->dir, sizeof l->dir, "%s/%s", base, name);
	assert_int_equal(mkdir(l->dir, 0700), 0);
	(void)snprintf(conf, sizeof conf, "%s/tokens", l->dir);
	assert_int_equal(mkdir(conf, 0700), 0);
	(void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", l->dir);
	(void)snprintf(text, sizeof text,
		       "directories.tokendir = %s/tokens\nobjectstore.backend = file\n"
		       "log.level = ERROR\n",
		       l->dir);
	lab_file(conf, text, 0600);
}

void lab_token_new(struct lab *l, const char *label)
{
	lab_run("SOFTHSM2_CONF=%s/softhsm2.conf softhsm2-util --init-token --free --label '%s' "
		"--pin " LAB_PIN " --so-pin " LAB_SO_PIN " >%s/tool.log 2>&1",
		l->dir, label, l->dir);
}

#define CLUSTER TEST_DATA_DIR "/cluster/"

static void make_plain(struct lab *l)
{
	lab_token_new(l, "SAST-ADN008580ef");
	lab_write(l, "SAST-ADN008580ef", CLUSTER "SAST-ADN008580ef.key",
		  CLUSTER "SAST-ADN008580ef.pem", "01", "SAST");
}

static void make_foreign(struct lab *l)
{
	static const char token[] = "SAST-ADN008580ef";

	make_plain(l);
	lab_tool(l, token, "--keypairgen --key-type EC:edwards25519 --id 02 --label ed");
	lab_tool(l, token, "--keypairgen --key-type EC:prime256v1 --id 01 --label ec");
	lab_tool(l, token, "--keygen --key-type AES:32 --id 01 --label aes");
	lab_tool(l, token, "--keypairgen --key-type rsa:1024 --id 01 --label other");
}

static void (*const makers[LAB_TOKENS])(struct lab *l) = {
	[LAB_PLAIN] = make_plain,
	[LAB_FOREIGN] = make_foreign,
};

static void ensure_template(enum lab_token t)
{
	struct lab l;
	char name[32], path[128];

	(void)snprintf(name, sizeof name, "template-%d", (int)t);
	(void)snprintf(path, sizeof path, "%s/%s", base, name);
	if (access(path, F_OK) == 0)
		return;
	new_folder(&l, name);
	makers[t](&l);
}

void lab_token_add(struct lab *l, enum lab_token t)
{
	ensure_template(t);
	lab_run("cp -r %s/template-%d/tokens/. %s/tokens/", base, (int)t, l->dir);
}

int lab_group_setup(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof base, "/tmp/ctlsign-tok-XXXXXX");
	return mkdtemp(base) == NULL ? -1 : 0;
}

int lab_group_teardown(void **state)
{
	(void)state;
	lab_run("rm -rf %s", base);
	return 0;
}

static void keep_warning(void *arg, const char *text)
{
	struct lab *l = arg;
	size_t n = strlen(l->warnings);

	(void)snprintf(l->warnings + n, sizeof l->warnings - n, "%s\n", text);
}

/* The fault module lies where most test programs do. */
static void find_fault(struct lab *l)
{
	(void)snprintf(l->fault, sizeof l->fault, "%s", TEST_FAULT_MODULE);
}

int lab_setup(void **state)
{
	struct lab *l = calloc(1, sizeof *l);
	char name[32], conf[300];

	assert_non_null(l);
	(void)snprintf(name, sizeof name, "test-%d-%u", (int)getpid(), folders++);
	new_folder(l, name);
	lab_token_add(l, LAB_PLAIN);
	(void)snprintf(l->pin, sizeof l->pin, "%s/pin", l->dir);
	(void)snprintf(l->plan, sizeof l->plan, "%s/plan", l->dir);
	(void)snprintf(l->counter, sizeof l->counter, "%s/counter", l->dir);
	(void)snprintf(l->pin_source, sizeof l->pin_source, "file:%s", l->pin);
	lab_file(l->pin, LAB_PIN "\n", 0600);
	find_fault(l);
	(void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", l->dir);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	l->opt = (struct tok_options){ .uri = "pkcs11:token=SAST-ADN008580ef",
				       .module = lab_softhsm(),
				       .pin_source = l->pin_source,
				       .timeout = 30,
				       .warn = { keep_warning, l } };
	*state = l;
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *l = *state;

	(void)unsetenv("CTLSIGN_FAULT_PLAN");
	(void)unsetenv("P11_KIT_SERVER_ADDRESS");
	(void)unsetenv("CTLSIGN_LAB_REGISTRY");
	lab_run("rm -rf %s", l->dir);
	free(l);
	return 0;
}

void lab_plan(struct lab *l, const char *fmt, ...)
{
	char rules[1024], text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rules, sizeof rules, fmt, ap);
	va_end(ap);
	(void)snprintf(text, sizeof text, "module %s\ncounter %s\n%s\n", lab_softhsm(), l->counter,
		       rules);
	lab_file(l->plan, text, 0600);
	(void)unlink(l->counter);
	l->opt.module = l->fault;
	l->warnings[0] = '\0';
	assert_int_equal(setenv("CTLSIGN_FAULT_PLAN", l->plan, 1), 0);
}

const char *lab_calls(const struct lab *l)
{
	static char all[65536];
	size_t n;
	FILE *f = fopen(l->counter, "r");

	if (f == NULL)
		return "";
	n = fread(all, 1, sizeof all - 1, f);
	(void)fclose(f);
	all[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (all[i] == '\n')
			all[i] = ' ';
	return all;
}

unsigned lab_count(const struct lab *l, const char *call)
{
	char word[64];
	const char *at = lab_calls(l);
	unsigned n = 0;

	(void)snprintf(word, sizeof word, "%s ", call);
	for (; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static FILE *open_data(const char *name, const char *suffix)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof path, CLUSTER "%s%s", name, suffix);
	f = fopen(path, "r");
	assert_non_null(f);
	return f;
}

struct span lab_cert(const char *name)
{
	static unsigned char der[4][4096];
	static unsigned next;
	unsigned char *at = der[next++ % 4], *p = at;
	FILE *f = open_data(name, ".pem");
	X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
	int n;

	(void)fclose(f);
	assert_non_null(x);
	n = i2d_X509(x, &p);
	assert_true(n > 0 && n <= 4096);
	X509_free(x);
	return span_of(at, (size_t)n);
}

struct span lab_expect(const char *key, struct span digest_info)
{
	static uint8_t sig[TOK_SIG_MAX];
	struct tlv_err e = TLV_ERR_INIT;
	FILE *f = open_data(key, ".key");
	EVP_PKEY *k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	size_t n = 0;

	(void)fclose(f);
	assert_non_null(k);
	assert_status(rsa_sign_digest_info(k, digest_info, sig, sizeof sig, &n, &e), ST_OK, &e);
	EVP_PKEY_free(k);
	return span_of(sig, n);
}

struct span lab_digest_info(uint32_t number)
{
	static uint8_t di[35] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
				  0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 };

	for (size_t i = 0; i < 4; i++)
		di[15 + i] = (uint8_t)(number >> (24 - 8 * i));
	return span_of(di, sizeof di);
}

bool lab_verifies(struct span cert, struct span digest_info, struct span sig)
{
	const unsigned char *p = cert.p;
	X509 *x = d2i_X509(NULL, &p, (long)cert.n);
	EVP_PKEY_CTX *ctx = x == NULL ? NULL : EVP_PKEY_CTX_new(X509_get0_pubkey(x), NULL);
	bool ok = ctx != NULL && EVP_PKEY_verify_init(ctx) > 0 &&
		  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
		  EVP_PKEY_verify(ctx, sig.p, sig.n, digest_info.p, digest_info.n) == 1;

	EVP_PKEY_CTX_free(ctx);
	X509_free(x);
	return ok;
}

enum status lab_signature(struct lab *l, struct span digest_info, uint8_t sig[TOK_SIG_MAX],
			  size_t *n, struct tlv_err *e)
{
	struct tok *t = NULL;
	enum status st = tok_open(&t, &l->opt, e);

	if (st == ST_OK)
		st = tok_login(t, e);
	if (st == ST_OK)
		st = tok_sign(t, digest_info, sig, n, e);
	if (st == ST_OK && !lab_verifies(tok_certificate(t), digest_info, span_of(sig, *n)))
		st = err_set(e, ST_TOKEN, "the signature does not verify");
	tok_free(&t);
	return st;
}

enum status lab_sign(struct lab *l, struct tlv_err *e)
{
	uint8_t sig[TOK_SIG_MAX];
	size_t n;

	return lab_signature(l, lab_digest_info(42), sig, &n, e);
}

bool lab_is_alive(long pid)
{
	char path[64], text[256] = "";
	const char *state;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fgets(text, sizeof text, f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	state = strrchr(text, ')');
	return state != NULL && state[2] != 'Z' && state[2] != 'X';
}
