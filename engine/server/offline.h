/* offline.h: what `crescendo-server` does with a data folder without serving it: fsck, replay, backup. Each prints its answer on standard
   output, for a person or as JSON, and what kept it from one on standard error. All block. */
#ifndef CRESCENDO_SERVER_OFFLINE_H
#define CRESCENDO_SERVER_OFFLINE_H

#include "crescendo/error.h"

struct offline { /* borrowed from argv */
    const char *data;
    bool json;
    const char *word; /* RUN, FILE; NULL = none */
};

/* Is argv[1] one of them? Then it is done, and *ret_exit is the exit code. */
bool offline_run(int argc, char **argv, int *ret_exit);

/* One each; the exit code, or an error that offline_run prints. */
int fsck_run(const struct offline *offline, struct error *err) MUST_CHECK;
int backup_run(const struct offline *offline, struct error *err) MUST_CHECK;
int replay_run(const struct offline *offline, struct error *err) MUST_CHECK;

/* Prints a line whose texts may come from anywhere: what would steer a terminal becomes a space. */
void offline_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
