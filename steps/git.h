/* git.h: the little that steps need of libgit2: opening what may be hostile, and a commit's tree and time. */
#ifndef CRESCENDO_STEPS_GIT_H
#define CRESCENDO_STEPS_GIT_H

#include "crescendo/error.h"

#include <git2.h>
#include <stdint.h>

/* libgit2's last complaint as an error. */
int git_failed(struct error *err, const char *what);

/* Initialises libgit2 (git_end undoes it) and opens the repository at path, whoever owns it: the engine chose it, and in a
   sandbox every file belongs to somebody else. */
int git_begin(const char *path, git_repository **ret, struct error *err) MUST_CHECK;
void git_end(git_repository **repository);

void free_commit(git_commit **commit);
void free_tree(git_tree **tree);
/* commit: its full or short id. */
int git_find_commit(git_repository *repository, const char *commit, git_commit **ret, struct error *err) MUST_CHECK;
/* Seconds since 1970, moved into the years 1970 to 2261: what a commit says of itself may be any number. */
int64_t git_commit_seconds(const git_commit *commit);

#endif
