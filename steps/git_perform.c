/* git_perform.c: the little that steps need of libgit2. */
#include "git.h"

#include <string.h>

int git_failed(struct error *err, const char *what)
{
    const git_error *fault = git_error_last();
    return error_set(err, ERROR_IO, NOWHERE, "%s: %s", what, fault && fault->message ? fault->message : "git gives no reason");
}

int git_begin(const char *path, git_repository **ret, struct error *err)
{
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1);
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
    git_repository *repository = NULL;
    if (git_repository_open_ext(&repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) < 0) {
        int failed = git_failed(err, path);
        git_libgit2_shutdown();
        return failed;
    }
    *ret = repository;
    return 0;
}

void git_end(git_repository **repository)
{
    if (!*repository) return;
    git_repository_free(*repository);
    *repository = NULL;
    git_libgit2_shutdown();
}

void free_commit(git_commit **commit)
{
    git_commit_free(*commit);
}

void free_tree(git_tree **tree)
{
    git_tree_free(*tree);
}

int git_find_commit(git_repository *repository, const char *commit, git_commit **ret, struct error *err)
{
    git_object *object = NULL;
    git_oid id;
    if (git_oid_fromstrp(&id, commit) < 0) return error_set(err, ERROR_INVALID, NOWHERE, "\"%.80s\" is not a commit's id", commit);
    if (git_object_lookup_prefix(&object, repository, &id, strlen(commit), GIT_OBJECT_COMMIT) < 0) {
        git_failed(err, commit);
        return error_hint(err, "the commit may have been removed from the repository since: push it again");
    }
    *ret = (git_commit *)object;
    return 0;
}

int64_t git_commit_seconds(const git_commit *commit)
{
    const int64_t latest = INT64_MAX / 1000000000 - 1; /* what nanoseconds can hold */
    int64_t seconds = git_commit_time(commit);
    return seconds < 0 ? 0 : seconds > latest ? latest : seconds;
}
