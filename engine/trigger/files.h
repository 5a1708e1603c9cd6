/* files.h: texts that came in a request's body become a source set. */
#ifndef CRESCENDO_TRIGGER_FILES_H
#define CRESCENDO_TRIGGER_FILES_H

#include "base/arena.h"
#include "spec/pipeline.h"

/* A file that is too large is taken here; the loader says so, as of every other mistake in it. list: an array of {name, text} or {name,
   base64}; NULL is empty. Appends to items[*count] up to capacity. What is added lives in arena. */
int files_read(const json_t *list, struct arena *arena, struct source *items, size_t capacity, size_t *count, struct error *err) MUST_CHECK;

enum { FILES_MAX = 256 }; /* in one body */

#endif
