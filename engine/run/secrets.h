/* secrets.h: what a step is handed of its run's secrets. Read when the step is handed over, never stored, wiped when it was sent. Blocks
   for the reading of small local files. */
#ifndef CRESCENDO_RUN_SECRETS_H
#define CRESCENDO_RUN_SECRETS_H

#include "run/live.h"

/* The secret that source names: "file:NAME" below DATA/secrets, "env:NAME" of this process. *ret_value (NUL-terminated, no NUL in it, no
   line end behind it) is the caller's, to be given to secret_wipe. Every failure says where it was looked for and what to do. */
int secret_read(const char *data, const char *source, char **ret_value, struct error *err) MUST_CHECK;
void secret_wipe(char **value);

/* Two NULL-ended lists, or NULL: for struct start_request. */
struct secrets {
    char **environment; /* "TOKEN=value", of the step's env */
    char **hidden;      /* the others that the plan names and that can be read */
};
/* With `hidden`: also what other steps of the run may have left for this one to print; what cannot be read is left out. */
int secrets_gather(const struct live_run *run, const json_t *env, bool hidden, struct secrets *ret, struct error *err) MUST_CHECK;
void secrets_release(struct secrets *secrets);

#endif
