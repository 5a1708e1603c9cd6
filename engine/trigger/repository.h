/* repository.h: bare repositories in DATA/repositories, made without git and read by it. All block on the disk, briefly. */
#ifndef CRESCENDO_TRIGGER_REPOSITORY_H
#define CRESCENDO_TRIGGER_REPOSITORY_H

#include "trigger/trigger.h"

/* Makes an empty bare repository whose post-receive hook is a link to the program. -ERROR_CONFLICT: the name is taken;
   -ERROR_INVALID: it is no name. */
int repository_create(const char *data, const char *name, const char *hook, struct error *err) MUST_CHECK;
/* -ERROR_INVALID: not a name; -ERROR_NOT_FOUND: there is none. */
int repository_check(const char *data, const char *name, struct error *err) MUST_CHECK;
char *repository_path(const char *data, const char *name); /* DATA/repositories/NAME.git; caller frees */
/* Calls back for each repository, sorted by name. */
int repository_each(
    const char *data, void (*each)(void *context, const char *name, const char *path), void *context, struct error *err) MUST_CHECK;
/* Points every repository's hook at the program: after an upgrade it may stand elsewhere. What is not our link is left alone. */
void repository_renew_hooks(const char *data, const char *hook);

#endif
