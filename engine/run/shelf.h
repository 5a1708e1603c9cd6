/* shelf.h: what the server keeps beside what is submitted: its domains and the shipped library, read when a pipeline names some of it. */
#ifndef CRESCENDO_RUN_SHELF_H
#define CRESCENDO_RUN_SHELF_H

#include "base/arena.h"
#include "spec/pipeline.h"

/* Puts FOLDER/NAME.yaml of every file behind the sources of *set, under the name "AS/NAME.yaml"; who looks one up takes the first. All of
   it, the new set too, lives in arena. A folder that is not there holds none. Blocks. */
int shelf_read(const char *folder, const char *as, struct arena *arena, struct source_set *set, struct error *err) MUST_CHECK;

/* Is FOLDER/NAME.yaml other bytes now than those with this SHA-256 in hex, or gone? Blocks. */
bool shelf_differs(const char *folder, const char *name, const char *digest);

#endif
