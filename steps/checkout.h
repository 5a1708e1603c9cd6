/* checkout.h: the three sources of a workspace's files, each in a file of its own. */
#ifndef CRESCENDO_STEPS_CHECKOUT_H
#define CRESCENDO_STEPS_CHECKOUT_H

#include "crescendo/step.h"

/* One checkout: counts what was written. */
struct checkout {
    struct step *step;
    int workspace; /* the folder */
    int64_t files, entries;
};
enum { ENTRIES_MAX = 1000 * 1000 }; /* a tree of a few objects can name endlessly many files */

/* checkout_commit_perform.c: the files of a commit in the repository at source. */
int checkout_commit(struct checkout *checkout, const char *source, const char *commit, struct error *err) MUST_CHECK;
/* checkout_folder_perform.c: the files of a folder, without .git and what git ignores. */
int checkout_folder(struct checkout *checkout, const char *source, struct error *err) MUST_CHECK;
/* checkout_inputs_perform.c: the files of {stage, globs, from} over what is there. */
int checkout_input(struct checkout *checkout, const json_t *input, struct error *err) MUST_CHECK;

#endif
