/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Another process and the socket to it; the only file that starts one. It has
 * nothing of this process but that socket, /dev/null for stdin and stdout, and
 * stderr, for what it has to say. Messages keep their boundaries
 * (SOCK_SEQPACKET). The parent believes nothing that comes back but its length,
 * and waits no longer than a deadline of its own, whatever comes meanwhile.
 */
#ifndef TOK_PROCESS_H
#define TOK_PROCESS_H

#include "pkcs11/shared/line.h"
#include "tlv/bytes.h"
#include "tlv/err.h"

struct process;

/* Milliseconds of a clock that nobody sets; deadlines are points of it. */
int64_t process_now(void);

/* Starts the program at an absolute path, in a process group of its own. env is ended by NULL. */
enum status process_spawn(struct process **out, const char *path, char *const *env,
			  struct tlv_err *e);

/*
 * The same with a function of this program, for work whose length a file says.
 * Before other threads are started only. It sees the memory of this process
 * but for secrets. When it returns the process ends, without atexit.
 */
enum status process_fork(struct process **out, void (*run)(int line, const void *arg),
			 const void *arg, struct tlv_err *e);

/*
 * Sends one request, with a descriptor if fd >= 0; the payload goes straight
 * from where it is. False if the process is gone, or if the kernel did not take
 * the request: then the line is closed, and whoever waits hears PROCESS_GONE at
 * once. May be called while another thread is in process_next.
 */
bool process_put(struct process *p, uint8_t type, uint8_t flag, struct span payload, int fd);
/* The errno with which the kernel did not take a request; 0: it took all. */
int process_unsent(const struct process *p);

/*
 * The socket, for those who may only read and write when they ask: one message a call.
 * It stays the process's.
 */
int process_line(const struct process *p);

enum process_got {
	PROCESS_MESSAGE,
	PROCESS_LONG,  /* a message of more than TOK_MSG_MAX bytes */
	PROCESS_GONE,  /* it has ended, or closed the line */
	PROCESS_LATE,  /* the deadline is over; the process was not touched */
	PROCESS_FAILED /* waiting failed, errno says why */
};

/* Waits for the next message, borrowed until the next call. */
enum process_got process_next(struct process *p, struct span *msg, int64_t deadline);

/* Says that no request will follow. Does not wait. */
void process_finish(struct process *p);

/*
 * Reads away what still comes until the process ends. PROCESS_GONE if it did
 * before the deadline: how it ended is known then.
 */
enum process_got process_drain(struct process *p, int64_t deadline);

/* Ends it and its whole group now, and waits for a second at most. */
void process_kill(struct process *p);

/* 0: it is gone. */
pid_t process_id(const struct process *p);
bool process_is_gone(const struct process *p);
/* How it ended, as waitpid tells it; false if nobody could tell. Waits for a second at most. */
bool process_ended(struct process *p, int *status);

/* Kills it if it still runs. */
void process_free(struct process **p);

#endif
