/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "pkcs11/pin.h"
#include "signer/crypto/digest.h"
#include "signer/doctor/doctor.h"
#include "signer/io/env.h"
#include "signer/publish/publish.h"

void doctor_program(struct doctor *d)
{
	doctor_say(d, DOCTOR_OK, NULL, NULL, "ctlsign %s with %s", CTLSIGN_VERSION,
		   digest_library());
}

void doctor_guard(struct doctor *d)
{
	struct tlv_err e = TLV_ERR_INIT;
	char path[PATH_MAX];

	if (tok_parts_check(path, &e) == ST_OK)
		doctor_say(d, DOCTOR_OK, NULL, NULL, "'%s' is in its place", path);
	else
		doctor_say(d, DOCTOR_ERROR, NULL,
			   "no token can sign without it: install ctlsign whole", "%s",
			   err_text(&e));
}

void doctor_memory(struct doctor *d)
{
	if (tok_pin_can_lock())
		doctor_say(d, DOCTOR_OK, NULL, NULL, "PINs are locked in it");
	else
		doctor_say(d, DOCTOR_WARNING, NULL, "raise the limit, 'ulimit -l 64'",
			   "it cannot be locked, so a PIN may be swapped to the disk");
}

void doctor_dumps(struct doctor *d)
{
	struct rlimit core = { .rlim_cur = 1 };

	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
		doctor_say(d, DOCTOR_OK, NULL, NULL,
			   "no core dumps, and no other process of yours may trace this one");
	else
		doctor_say(d, DOCTOR_WARNING, NULL,
			   "use the program as it is packaged, not one built for tests",
			   "this process can be traced or dumped with a PIN in it");
}

/* The moment before which this cannot be: when the program was made, when the list was signed. */
static bool clock_is_before(struct doctor *d, int64_t now, int64_t then, const char *what)
{
	char here[32], there[32];

	if (now >= then)
		return false;
	time_iso(now, here);
	time_iso(then, there);
	doctor_say(d, DOCTOR_ERROR, NULL,
		   "set it ('timedatectl set-time'): a list with a wrong date may be refused",
		   "it is %s here, before %s (%s)", here, what, there);
	return true;
}

void doctor_clock(struct doctor *d)
{
	int64_t now = env_now();
	struct stat sb;
	char text[32];
	bool wrong = stat("/proc/self/exe", &sb) == 0 &&
		     clock_is_before(d, now, sb.st_mtime, "this program was made");

	if (d->list_path != NULL)
		wrong = clock_is_before(d, now, d->list.list.header.timestamp,
					"the list was signed") ||
			wrong;
	if (wrong)
		return;
	time_iso(now, text);
	if (env_clock_synchronised())
		doctor_say(d, DOCTOR_OK, NULL, NULL, "it is %s", text);
	else
		doctor_say(d, DOCTOR_NOTE, NULL, "'timedatectl set-ntp true' keeps it right",
			   "it is %s, and nothing synchronises it", text);
}

/* As a list is written, up to the name. */
void doctor_folder(struct doctor *d)
{
	const struct publish_options opt = { .overwrite = true };
	struct publication *p = NULL;
	struct tlv_err e = TLV_ERR_INIT;

	if (publish_begin(&p, "ctlsign-doctor", SPAN_LIT("ctlsign"), &opt, &e) == ST_OK)
		doctor_say(d, DOCTOR_OK, NULL, NULL, "lists can be written here");
	else
		doctor_say(d, DOCTOR_WARNING, NULL, "go to a folder of yours, or name one with -o",
			   "no list can be written here: %s", err_text(&e));
	publish_free(&p);
}

/* The socket of pcscd, where its library looks for it. */
static int ask_pcscd(const char **path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *own = env_get("PCSCLITE_CSOCK_NAME");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	*path = own != NULL ? own : "/run/pcscd/pcscd.comm";
	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", *path);
	if (fd < 0)
		return errno;
	err = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
	(void)close(fd);
	return err;
}

void doctor_reader(struct doctor *d)
{
	const char *path;
	int err = ask_pcscd(&path);

	if (err == 0)
		doctor_say(d, DOCTOR_OK, NULL, NULL, "pcscd answers at '%s'", path);
	else if (err == EACCES || err == EPERM)
		doctor_say(d, DOCTOR_WARNING, NULL,
			   "let this user in, by polkit's rules or the group of the socket",
			   "pcscd is there, and '%s' is closed to this user", path);
	else
		doctor_say(d, DOCTOR_NOTE, NULL,
			   "'apt install pcscd', 'systemctl enable --now pcscd.socket'",
			   "no pcscd ('%s': %s); only USB tokens need it", path, strerror(err));
}
