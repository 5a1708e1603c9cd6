/* domains.h: the files of the server's domains, read when a pipeline that names some is submitted. */
#ifndef CRESCENDO_RUN_DOMAINS_H
#define CRESCENDO_RUN_DOMAINS_H

#include "base/arena.h"
#include "spec/pipeline.h"

/* Puts FOLDER/NAME.yaml of every domain behind the sources of *set, under the name "domains/NAME.yaml". All of it, the new set too, lives
   in arena. A folder that is not there holds none. Blocks. */
int domains_read(const char *folder, struct arena *arena, struct source_set *set, struct error *err) MUST_CHECK;

#endif
