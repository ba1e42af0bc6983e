/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The same bytes from everywhere: PKCS#1 v1.5 has one signature for a key and
 * a digest, so a key file, SoftHSM, NSS softokn and a token at the other end
 * of a socket must agree.
 */
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkcs11/remote.h"

#define TOKEN "SAST-ADN008580ef"
#define CLUSTER TEST_DATA_DIR "/cluster/"

/* In one session: SoftHSM's folder bears no second process while the first one goes. */
static void same_as_the_key_file(struct lab *l)
{
	struct tlv_err e = TLV_ERR_INIT;
	struct tok *t;

	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	for (uint32_t i = 1; i <= 3; i++) {
		uint8_t sig[TOK_SIG_MAX];
		struct span want;
		size_t n;

		assert_status(tok_sign(t, lab_digest_info(i), sig, &n, &e), ST_OK, &e);
		want = lab_expect(TOKEN, lab_digest_info(i));
		assert_int_equal(n, want.n);
		assert_memory_equal(sig, want.p, n);
	}
	tok_free(&t);
}

static void p21_softhsm(void **state)
{
	same_as_the_key_file(*state);
}

/*
 * A database with key and certificate, and softokn's own init arguments through the fault module.
 */
static void softokn_setup(struct lab *l, const char *module)
{
	lab_run("mkdir %s/nss && certutil -N -d sql:%s/nss -f %s && "
		"openssl pkcs12 -export -inkey '" CLUSTER TOKEN ".key' -in '" CLUSTER TOKEN ".pem' "
		"-name SAST -passout pass:x -out %s/k.p12 && "
		"pk12util -i %s/k.p12 -d sql:%s/nss -k %s -W x >/dev/null",
		l->dir, l->dir, l->pin, l->dir, l->dir, l->dir, l->pin);
	lab_plan(l,
		 "module %s\ninit-args configdir='sql:%s/nss' certPrefix='' keyPrefix='' secmod='' "
		 "flags=",
		 module, l->dir);
	l->opt.uri = "pkcs11:token=NSS%20Certificate%20DB";
}

static void p21_softokn(void **state)
{
	struct lab *l = *state;
	const char *module = lab_library("libsoftokn3.so");

	if (module == NULL || system("command -v certutil pk12util >/dev/null") != 0)
		lab_skip("NSS softokn (libnss3) or its tools (libnss3-tools) are not installed");
	softokn_setup(l, module);
	same_as_the_key_file(l);
}

static void p16_softokn_takes_no_wrong_pin(void **state)
{
	struct lab *l = *state;
	const char *module = lab_library("libsoftokn3.so");
	struct tlv_err e = TLV_ERR_INIT;

	if (module == NULL || system("command -v certutil pk12util >/dev/null") != 0)
		lab_skip("NSS softokn (libnss3) or its tools (libnss3-tools) are not installed");
	softokn_setup(l, module);
	lab_file(l->pin, "wrong\n", 0600);
	assert_status(lab_sign(l, &e), ST_PIN, &e);
	assert_int_equal(lab_count(l, "C_Login"), 1);
}

/* The server says where it is before it serves: a first connection may see no token yet. */
static void wait_for_token(struct lab *l)
{
	size_t n = 0;

	for (int i = 0; i < 20 && n == 0; i++) {
		struct tlv_err e = TLV_ERR_INIT;
		struct tok_info *list;

		(void)usleep(300000);
		(void)tok_scan(&list, &n, &l->opt, &e);
		tok_infos_free(&list, n);
	}
	(void)usleep(300000); /* for the server's end of that connection to go */
}

/* The server that runs, or 0: it goes with the test, however that ends. */
static pid_t served_by;

static int end_server(void **state)
{
	if (served_by > 0)
		(void)kill(served_by, SIGTERM);
	served_by = 0;
	return lab_teardown(state);
}

/* A server for the plain token, through SoftHSM or a faulty one. */
static void serve(struct lab *l, const char *provider)
{
	static char address[512];
	char line[512], said[200];
	FILE *out;

	/* To a file: the server keeps what it was given as stdout open. */
	(void)snprintf(said, sizeof said, "%s/server", l->dir);
	lab_run("p11-kit server --provider '%s' --name %s/socket 'pkcs11:token=" TOKEN
		"' </dev/null >%s 2>&1",
		provider, l->dir, said);
	out = fopen(said, "r");
	assert_non_null(out);
	while (fgets(line, sizeof line, out) != NULL) {
		if (strncmp(line, "P11_KIT_SERVER_PID=", 19) == 0)
			served_by = (pid_t)strtol(line + 19, NULL, 10);
		if (strncmp(line, "P11_KIT_SERVER_ADDRESS=", 23) == 0) {
			line[strcspn(line, ";\n")] = '\0';
			(void)snprintf(address, sizeof address, "%s", line + 23);
			assert_int_equal(setenv("P11_KIT_SERVER_ADDRESS", address, 1), 0);
		}
	}
	(void)fclose(out);
	l->opt.module = lab_library("p11-kit-client.so");
	assert_true(served_by > 0);
	wait_for_token(l);
}

static bool have_remote(void)
{
	return lab_library("p11-kit-client.so") != NULL &&
	       system("p11-kit server --help >/dev/null 2>&1") == 0;
}

#define NO_REMOTE "p11-kit's server or client module (p11-kit, p11-kit-modules) is not installed"

static void p26_a_token_at_the_other_end(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	struct tok_info *list;
	size_t n;

	if (!have_remote())
		lab_skip(NO_REMOTE);
	serve(l, lab_softhsm());
	same_as_the_key_file(l);
	assert_status(tok_scan(&list, &n, &l->opt, &e), ST_OK, &e);
	assert_int_equal(n, 1);
	assert_int_equal(list[0].ncerts, 1);
	tok_infos_free(&list, n);
}

static void p26_a_dying_server_is_an_error_not_a_signal(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	uint8_t sig[TOK_SIG_MAX];
	struct tok *t;
	size_t n;

	if (!have_remote())
		lab_skip(NO_REMOTE);
	if (LAB_SANITIZED)
		lab_skip("p11-kit's server cannot load a sanitized module");
	lab_plan(l, "C_Sign 1 crash"); /* and the whole server with it */
	serve(l, l->fault);
	assert_status(tok_open(&t, &l->opt, &e), ST_OK, &e);
	assert_status(tok_login(t, &e), ST_OK, &e);
	assert_status(tok_sign(t, lab_digest_info(1), sig, &n, &e), ST_TOKEN, &e);
	assert_text(err_text(&e), "C_Sign: CKR_DEVICE_ERROR");
	tok_free(&t);
}

static void p26_no_server_is_an_error(void **state)
{
	struct lab *l = *state;
	struct tlv_err e = TLV_ERR_INIT;
	char address[200];

	if (!have_remote())
		lab_skip(NO_REMOTE);
	(void)snprintf(address, sizeof address, "unix:path=%s/nobody", l->dir);
	assert_int_equal(setenv("P11_KIT_SERVER_ADDRESS", address, 1), 0);
	l->opt.module = lab_library("p11-kit-client.so");
	assert_true(lab_sign(l, &e) == ST_TOKEN || e.status == ST_NO_MATCH);
}

/* The prompt says whose socket it is that the PIN will go to. */
static void p29_a_remote_socket_and_its_owner_are_named(void **state)
{
	struct lab *l = *state;
	char address[200], text[400];

	(void)snprintf(address, sizeof address, "unix:path=%s;x=y", l->pin);
	assert_int_equal(setenv("P11_KIT_SERVER_ADDRESS", address, 1), 0);
	tok_module_remote("/usr/lib/pkcs11/p11-kit-client.so", text, sizeof text);
	assert_text(text, "remote socket ");
	assert_text(text, l->pin);
	assert_text(text, getuid() == 0 ? " of root" : " of ");
	tok_module_remote(lab_softhsm(), text, sizeof text);
	assert_string_equal(text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, end_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(p21_softhsm),
		TEST(p21_softokn),
		TEST(p16_softokn_takes_no_wrong_pin),
		TEST(p26_a_token_at_the_other_end),
		TEST(p26_a_dying_server_is_an_error_not_a_signal),
		TEST(p26_no_server_is_an_error),
		TEST(p29_a_remote_socket_and_its_owner_are_named),
	};

	return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
