/* workspace.c: the folder that a stage's steps run in. To make one and to remove it is most of what a stage costs that leaves nothing in
   it, so the next stage is given the folder of one that is over, where nothing shows that anybody was there. Blocks on the file system. */
#include "run/live.h"

#include "base/json.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

char *workspace_path(const struct live_run *run, uint32_t stage)
{
    char *path = mem_format("%s/workspaces/%s", run->folder, run->plan->stages[stage].path);
    for (char *slash = path + strlen(run->folder) + sizeof "/workspaces/" - 1; *slash; slash++)
        if (*slash == '/') *slash = '.'; /* a name never holds a dot, so "indoor.release" is nobody else's */
    return path;
}

/* Nothing but itself and what it is in. Not by readdir, which takes 32 KiB for each folder that it reads. */
static bool is_empty(int folder)
{
    char entries[2048] __attribute__((aligned(8)));
    unsigned count = 0;
    ssize_t size;
    while ((size = getdents64(folder, entries, sizeof entries)) > 0 && count <= 2)
        for (ssize_t at = 0; at < size; count++)
            at += ((const struct dirent64 *)(const void *)(entries + at))->d_reclen;
    return size == 0 && count == 2;
}

/* How a folder is that was only made: like the one that it is in, which came from the same hand. */
static const struct workspace_model *model_of(struct live_run *run)
{
    struct workspace_model *model = &run->vacant.model;
    AUTO(free_text) char *above = model->known ? NULL : mem_format("%s/workspaces", run->folder);
    struct stat status;
    if (above && stat(above, &status) == 0)
        *model = (struct workspace_model){true, status.st_mode, status.st_uid, status.st_gid, listxattr(above, NULL, 0)};
    return model;
}

static bool is_untouched(const char *path, const struct workspace_model *model)
{
    struct stat own;
    AUTO(close_fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || !model->known || fstat(folder, &own) < 0) return false;
    if (own.st_mode != model->mode || own.st_uid != model->uid || own.st_gid != model->gid) return false;
    return flistxattr(folder, NULL, 0) == model->attributes_size && is_empty(folder);
}

/* What comes back to a stage, to undo, finds its own. */
static void claim(struct vacant_workspaces *vacant, uint32_t stage)
{
    for (uint32_t i = vacant->count; i > 0; i--)
        if (vacant->stages[i - 1] == stage) vacant->stages[i - 1] = vacant->stages[--vacant->count];
}

/* True: it is at path now. What stands there is never replaced. */
static bool move_untouched(struct live_run *run, uint32_t stage, const char *path)
{
    AUTO(free_text) char *from = workspace_path(run, stage);
    return is_untouched(from, model_of(run)) && renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
}

int workspace_make(struct live_run *run, uint32_t stage, const char *path, struct error *err)
{
    struct vacant_workspaces *vacant = &run->vacant;
    claim(vacant, stage);
    while (vacant->count)
        if (move_untouched(run, vacant->stages[--vacant->count], path)) return 0;
    return mkdir(path, 0755) < 0 && errno != EEXIST ? error_set_errno(err, errno, "%s", path) : 0;
}

static bool succeeded(const struct live_run *run, const struct plan_stage *stage)
{
    for (uint32_t at = 0; at < stage->step_count; at++)
        if (run->state->steps[stage->first_step + at].status != STEP_succeeded) return false;
    return true;
}

void workspace_leave(struct live_run *run, uint32_t stage)
{
    struct vacant_workspaces *vacant = &run->vacant;
    if (run->plan_reads_workspaces || vacant->count == COUNT_OF(vacant->stages)) return;
    if (succeeded(run, &run->plan->stages[stage])) vacant->stages[vacant->count++] = stage;
}

bool workspaces_are_read(const struct plan *plan)
{
    for (uint32_t stage = 0; stage < plan->stage_count; stage++)
        if (json_array_size(plan->stages[stage].inputs)) return true;
    return false;
}
