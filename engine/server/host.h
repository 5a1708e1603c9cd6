/* host.h: what the programs in this file's folder do with their process: find their neighbours, listen, say that they are ready, stop. */
#ifndef CRESCENDO_SERVER_HOST_H
#define CRESCENDO_SERVER_HOST_H

#include "crescendo/error.h"

#include <uv.h>

enum { EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69, EXIT_JOURNAL = 74 };
/* Of a program that cannot start. */
int host_exit_code(int code);

/* What is said when the journal can be written no more, because the disk failed or because another server has it; the program's exit code.
 */
int host_journal_failed(const struct error *err);

/* A program that stands beside this one; caller frees. */
int host_find_program(const char *name, char **ret, struct error *err) MUST_CHECK;
/* -ERROR_CONFLICT: a server of this data folder answers on its socket, whatever became of its lock; it is named where the lock tells.
   Before the folder is taken, since whoever had it stops then. Waits for one that is dying, as lock_take does. */
int host_check_alone(const char *data, const char *socket, struct error *err) MUST_CHECK;
/* "http://HOST:PORT" of a socket that listens at `listen`, whose port may be 0; caller frees. */
char *host_address(int fd, const char *listen);
/* Writes a byte to ready_fd (-1: none) and closes it. */
void host_tell_ready(int ready_fd);
/* Runs the loop until SIGTERM, SIGINT or uv_stop. */
void host_run(uv_loop_t *loop);

#endif
