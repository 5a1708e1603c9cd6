/* checkout_commit_perform.c: writes a commit's tree into the workspace: bytes as they are in the repository (no line-ending or other
   filters), 0755 or 0644 as git says, every time that of the commit. The tree may be hostile: names and links are checked by
   workspace.h, folders are made anew (one that is there already stands twice in the tree), depth is bounded. */
#include "checkout.h"

#include "base/mem.h"
#include "base/text.h"
#include "git.h"
#include "workspace.h"

struct tree_walk {
    struct checkout *checkout;
    git_repository *repository;
    int64_t mtime_ns;
};

static int write_tree(struct tree_walk *walk, const git_tree *tree, int folder, const char *above, unsigned depth, struct error *err);

static void free_blob(git_blob **blob)
{
    git_blob_free(*blob);
}

static int write_blob(struct tree_walk *walk, const git_tree_entry *entry, int folder, const char *shown, struct error *err)
{
    AUTO(free_blob) git_blob *blob = NULL;
    const char *name = git_tree_entry_name(entry);
    git_filemode_t mode = git_tree_entry_filemode(entry);
    if (git_blob_lookup(&blob, walk->repository, git_tree_entry_id(entry)) < 0) return git_failed(err, shown);
    const void *bytes = git_blob_rawcontent(blob);
    size_t size = (size_t)git_blob_rawsize(blob);
    walk->checkout->files++;
    if (mode != GIT_FILEMODE_LINK)
        return workspace_write_file(folder, name, shown, bytes, size, mode == GIT_FILEMODE_BLOB_EXECUTABLE, walk->mtime_ns, err);
    AUTO(free_text) char *target = mem_copy_bytes(bytes, size);
    return workspace_write_link(folder, name, shown, target, walk->mtime_ns, err);
}

static int write_folder(
    struct tree_walk *walk, const git_tree_entry *entry, int folder, const char *shown, unsigned depth, struct error *err)
{
    AUTO(free_tree) git_tree *tree = NULL;
    AUTO(close_fd) int below = -1;
    if (depth == TREE_DEPTH_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "%.80s...: folders are nested more than 200 deep", shown);
    if (git_tree_lookup(&tree, walk->repository, git_tree_entry_id(entry)) < 0) return git_failed(err, shown);
    int failed = workspace_make_folder(folder, git_tree_entry_name(entry), shown, &below, err);
    if (!failed) failed = write_tree(walk, tree, below, shown, depth + 1, err);
    if (!failed) workspace_set_time(below, walk->mtime_ns);
    return failed;
}

static int write_entry(
    struct tree_walk *walk, const git_tree_entry *entry, int folder, const char *shown, unsigned depth, struct error *err)
{
    if (++walk->checkout->entries > ENTRIES_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "the commit has more than a million files");
    switch (git_tree_entry_type(entry)) {
    case GIT_OBJECT_TREE: return write_folder(walk, entry, folder, shown, depth, err);
    case GIT_OBJECT_BLOB: return write_blob(walk, entry, folder, shown, err);
    case GIT_OBJECT_COMMIT:
        return step_annotate(walk->checkout->step, "warning", shown, 0, "submodules are not checked out; their folders stay away");
    case GIT_OBJECT_ANY:
    case GIT_OBJECT_INVALID:
    case GIT_OBJECT_TAG:
    case GIT_OBJECT_OFS_DELTA:
    case GIT_OBJECT_REF_DELTA: break;
    }
    return error_set(err, ERROR_INVALID, NOWHERE, "%s: an entry of unknown kind in the commit's tree", shown);
}

static int write_tree(struct tree_walk *walk, const git_tree *tree, int folder, const char *above, unsigned depth, struct error *err)
{
    for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        AUTO(free_text) char *shown = mem_format("%s%s%s", above, *above ? "/" : "", git_tree_entry_name(entry));
        int failed = write_entry(walk, entry, folder, shown, depth, err);
        if (failed) return failed;
    }
    return 0;
}

int checkout_commit(struct checkout *checkout, const char *source, const char *commit_id, struct error *err)
{
    AUTO(git_end) git_repository *repository = NULL;
    AUTO(free_commit) git_commit *commit = NULL;
    AUTO(free_tree) git_tree *tree = NULL;
    int failed = git_begin(source, &repository, err);
    if (!failed) failed = git_find_commit(repository, commit_id, &commit, err);
    if (failed) return failed;
    if (git_commit_tree(&tree, commit) < 0) return git_failed(err, commit_id);
    struct tree_walk walk = {.checkout = checkout, .repository = repository, .mtime_ns = git_commit_seconds(commit) * 1000000000};
    return write_tree(&walk, tree, checkout->workspace, "", 0, err);
}
