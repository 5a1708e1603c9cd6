/* checkout_perform.c: fills a stage's workspace: first with the commit's files or a folder's, then with its inputs. What is there is
   removed first, so that an attempt after a lost one starts from the same files. No .git is written: a build gets a commit's
   files and nothing that would let it depend on history; $CRESCENDO_COMMIT tells which commit it is. */
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "checkout.h"
#include "workspace.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static bool is_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/' || strcmp(folder, "/") == 0);
}

/* Emptying and filling the workspace must not touch its own source. */
static int check_apart(const char *source, const char *workspace, struct error *err)
{
    char real_source[PATH_MAX], real_workspace[PATH_MAX];
    if (!realpath(source, real_source)) return error_set_errno(err, errno, "%s", source);
    if (!realpath(workspace, real_workspace)) return error_set_errno(err, errno, "%s", workspace);
    if (!is_below(real_source, real_workspace) && !is_below(real_workspace, real_source)) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "the workspace %s and the source %s lie in each other", workspace, source);
    return error_hint(err, "keep the data folder outside of the folder that is built");
}

static int fill_from_source(struct checkout *checkout, const json_t *with, const json_t *facts, struct error *err)
{
    const char *source = json_text(facts, "source", NULL), *commit = json_text(facts, "commit", NULL);
    const char *workspace = json_text(facts, "workspace", ".");
    if (!json_flag(with, "source", true)) return workspace_empty(workspace, err);
    if (!source) return 0;
    int failed = check_apart(source, workspace, err);
    if (!failed) failed = workspace_empty(workspace, err);
    if (failed) return failed;
    if (json_flag(facts, "work_tree", false)) return checkout_folder(checkout, source, err);
    if (commit) return checkout_commit(checkout, source, commit, err);
    return error_set(err, ERROR_INVALID, NOWHERE, "the run has no commit to check out from %s", source);
}

int checkout_perform(struct step *step, struct error *err)
{
    const json_t *inputs = json_object_get(step_with(step), "inputs"), *facts = step_facts(step);
    AUTO(close_fd) int workspace = -1;
    size_t index;
    json_t *input;
    int failed = workspace_open(json_text(facts, "workspace", "."), &workspace, err);
    struct checkout checkout = {.step = step, .workspace = workspace};
    if (!failed) failed = fill_from_source(&checkout, step_with(step), facts, err);
    if (failed) return failed;
    json_array_foreach(inputs, index, input)
    {
        failed = checkout_input(&checkout, input, err);
        if (failed) return failed;
    }
    return step_progress(step, 1, "%lld file%s", (long long)checkout.files, checkout.files == 1 ? "" : "s");
}
