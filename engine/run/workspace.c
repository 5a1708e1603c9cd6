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

static void close_folder(DIR **folder)
{
    if (*folder) closedir(*folder);
}

static bool is_empty(DIR *folder)
{
    unsigned count = 0;
    while (readdir(folder))
        count++;
    return count == 2; /* itself, and what it is in */
}

/* As it was made: like the folder that it is in, which came from the same hand. */
static bool is_untouched(const char *path, const char *above)
{
    struct stat own, model;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(close_folder) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        close_fd(&fd);
        return false;
    }
    if (fstat(fd, &own) < 0 || stat(above, &model) < 0) return false;
    if (own.st_mode != model.st_mode || own.st_uid != model.st_uid || own.st_gid != model.st_gid) return false;
    return flistxattr(fd, NULL, 0) == listxattr(above, NULL, 0) && is_empty(folder);
}

/* What comes back to a stage, to undo, finds its own. */
static void claim(struct vacant_workspaces *vacant, uint32_t stage)
{
    for (uint32_t i = vacant->count; i > 0; i--)
        if (vacant->stages[i - 1] == stage) vacant->stages[i - 1] = vacant->stages[--vacant->count];
}

/* True: it is at path now. What stands there is never replaced. */
static bool move_untouched(const struct live_run *run, uint32_t stage, const char *path)
{
    AUTO(free_text) char *from = workspace_path(run, stage);
    AUTO(free_text) char *above = mem_format("%s/workspaces", run->folder);
    return is_untouched(from, above) && renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
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
