/* checkout_folder_perform.c: copies a working folder as it is, for `crescendo run` on a laptop: without .git, and without what git
   ignores where it is the top of a repository. A file that git tracks is copied even if a pattern would ignore it, as in git. */
#include "checkout.h"

#include "base/file.h"
#include "base/mem.h"
#include "copy.h"
#include "git.h"
#include "workspace.h"

struct ignoring {
    git_repository *repository;
    git_index *index;
};

static void ignoring_release(struct ignoring *ignoring)
{
    git_index_free(ignoring->index);
    git_end(&ignoring->repository);
}

static bool is_ignored(void *context, const char *shown, bool is_folder)
{
    const struct ignoring *ignoring = context;
    AUTO(free_text) char *path = mem_format("%s%s", shown, is_folder ? "/" : "");
    int ignored = 0;
    if (git_ignore_path_is_ignored(&ignored, ignoring->repository, path) < 0 || !ignored) return false;
    if (is_folder) return git_index_find_prefix(NULL, ignoring->index, path) < 0;
    return git_index_find(NULL, ignoring->index, path) < 0;
}

static int open_ignoring(const char *source, struct ignoring *ret, struct error *err)
{
    int failed = git_begin(source, &ret->repository, err);
    if (failed) return failed;
    return git_repository_index(&ret->index, ret->repository) < 0 ? git_failed(err, source) : 0;
}

int checkout_folder(struct checkout *checkout, const char *source, struct error *err)
{
    AUTO(close_fd) int from = -1;
    AUTO(ignoring_release) struct ignoring ignoring = {0};
    AUTO(free_text) char *git_folder = mem_format("%s/.git", source);
    struct copy copy = {.checkout = checkout};
    int failed = workspace_open(source, &from, err);
    if (!failed && file_exists(git_folder)) {
        failed = open_ignoring(source, &ignoring, err);
        copy.leave_out = is_ignored;
        copy.context = &ignoring;
    }
    return failed ? failed : copy_folder(&copy, from, checkout->workspace, "", 0, err);
}
