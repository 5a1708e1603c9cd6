/* sources.h: reads a pipeline file and the files that it may use, for commands that need no server. */
#ifndef CRESCENDO_CLI_SOURCES_H
#define CRESCENDO_CLI_SOURCES_H

#include "spec/pipeline.h"

struct sources;

/* path: a file, or "-" for standard input (whose folder is the current one). Blocks. A file larger than the language allows is handed on,
   so that it is the loader that says so. Caller frees. */
int sources_read(const char *path, struct sources **ret, struct error *err) MUST_CHECK;
void sources_free(struct sources **sources);

/* items[0] is the pipeline; behind it stand pipelines/NAME.yaml of its folder, then the shipped library's. Borrowed, as are the names in
   whatever pipeline_load makes of it. */
const struct source_set *sources_set(const struct sources *sources);

#endif
