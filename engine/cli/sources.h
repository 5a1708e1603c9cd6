/* sources.h: reads a pipeline file and the files that it may use, for commands that need no server. */
#ifndef CRESCENDO_CLI_SOURCES_H
#define CRESCENDO_CLI_SOURCES_H

#include "spec/pipeline.h"

/* set.items[0] is the pipeline; behind it stand pipelines/NAME.yaml of its folder, the shipped library's, the
   service's descriptor, and domains/NAME.yaml of its folder or else of $CRESCENDO_DATA. Starts as {0};
   sources_release frees. What pipeline_load makes of it borrows the names. */
struct sources {
    struct source_set set;
    struct source *items;
    size_t capacity;
};

/* path: a file, or "-" for standard input (whose folder is the current one). Blocks. A file larger than the language allows is handed on as
   it is, so that it is the loader that says so. A path that cannot be read is a wrong command line: -ERROR_INVALID. */
int sources_read(const char *path, struct sources *ret, struct error *err) MUST_CHECK;
void sources_release(struct sources *sources);

#endif
