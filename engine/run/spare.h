/* spare.h: a supervisor that is started before the run that will have it: a push then waits for none. Its folder is renamed to the run's,
   so that it is found there as any other. It belongs to this server alone, and ends with it. */
#ifndef CRESCENDO_RUN_SPARE_H
#define CRESCENDO_RUN_SPARE_H

#include "exec/supervisor.h"

struct engine;
struct spare;

struct spare *spare_open(struct engine *engine); /* makes the first one a moment later */
void spare_close(struct spare **spare);

/* The supervisor for a run that has no folder yet, which then is there; NULL: there is none, or the folder is there. Another one is made a
   moment later. */
struct supervisor *spare_take(struct spare *spare, const char *run_folder, const struct supervisor_hooks *hooks);

/* act.c: what a supervisor finds in its folder. */
int make_run_folder(const char *folder, struct error *err) MUST_CHECK;

#endif
