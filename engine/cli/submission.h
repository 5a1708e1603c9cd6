/* submission.h: what `crescendo run` hands to the server: a file's text, the texts that it may use, and where the sources are. */
#ifndef CRESCENDO_CLI_SUBMISSION_H
#define CRESCENDO_CLI_SUBMISSION_H

#include "spec/pipeline.h"

#include <jansson.h>

/* The body of POST /v1/runs from a file on this machine (or "-") and what sources_read made of it: its folder is the work tree, the sources
   behind it are the files that it may use. Caller frees. */
int submission_from_file(const char *path, const struct source_set *set, json_t **ret_body, struct error *err) MUST_CHECK;

/* The same from a bare repository at a ref, read with `git cat-file`. file: its path in the commit. */
int submission_from_repository(
    const char *repository, const char *git_folder, const char *ref, const char *file, json_t **ret_body, struct error *err) MUST_CHECK;

#endif
