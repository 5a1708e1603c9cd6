/* stage.c: one sandbox per stage: which degree of isolation it could get, its init, and the steps that it is handed.
   Degrees, best first: namespaces; Landlock, system call filter and rlimits; refused. Going down is never silent: SHIM_ISOLATION tells the
   degree and why, once. */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct stage *stage_find(struct shim *shim, uint32_t id)
{
    for (struct stage *stage = shim->stages; stage; stage = stage->next)
        if (stage->id == id) return stage;
    return NULL;
}

static char *read_text(struct view *payload)
{
    size_t size;
    const char *text = view_text(payload, &size);
    return shim_copy(text, size);
}

static char **read_list(struct view *payload)
{
    uint32_t count = view_u32(payload);
    if (count > payload->left / 4) {
        payload->bad = true;
        count = 0;
    }
    char **list = shim_alloc((count + 1) * sizeof *list);
    for (uint32_t i = 0; i < count; i++)
        list[i] = read_text(payload);
    return list;
}

void stage_free(struct shim *shim, struct stage *stage)
{
    network_release(shim, stage->network);
    for (char **path = stage->read_only; path && *path; path++)
        free(*path);
    for (char **path = stage->read_write; path && *path; path++)
        free(*path);
    free(stage->read_only);
    free(stage->read_write);
    free(stage->workspace);
    free(stage->run_name);
    wire_release(&stage->in);
    limits_close(&stage->limits);
    walk_close(&stage->walk);
    if (stage->landlock >= 0) close(stage->landlock);
    free(stage);
}

struct stage *stage_blank(void)
{
    struct stage *stage = shim_alloc(sizeof *stage);
    stage->watch.fd = stage->landlock = stage->network = -1;
    stage->sandbox_uid = stage->sandbox_gid = UINT32_MAX;
    for (unsigned i = 0; i < 3; i++)
        stage->limits.join[i] = -1;
    return stage;
}

static struct stage *stage_read(struct view *payload)
{
    struct stage *stage = stage_blank();
    stage->id = view_u32(payload);
    stage->workspace = read_text(payload);
    stage->mode = (enum sandbox_mode)view_u32(payload);
    stage->network_host = view_u32(payload) != 0;
    stage->limits.memory_bytes = view_u64(payload);
    stage->limits.cpu_thousandths = view_u32(payload);
    stage->limits.processes = view_u32(payload);
    stage->limits.disk_bytes = view_u64(payload);
    stage->read_only = read_list(payload);
    stage->read_write = read_list(payload);
    stage->run_name = read_text(payload);
    return stage;
}

static void tell(struct shim *shim, struct stage *stage)
{
    if (stage->told) return;
    stage->told = true;
    limits_describe(&stage->limits, stage->why, sizeof stage->why);
    size_t start = report_begin(shim, SHIM_ISOLATION);
    wire_u32(&shim->reports.pending, stage->id);
    wire_u32(&shim->reports.pending, stage->degree);
    wire_text(&shim->reports.pending, stage->why);
    report_finish(shim, start);
    reports_soon(shim, false);
}

static void settle(struct shim *shim, struct stage *stage, enum stage_state state)
{
    stage->state = state;
    if (state == STAGE_READY) tell(shim, stage);
    steps_of_stage_go(shim, stage);
    stage_release(shim, stage);
}

void stage_open(struct shim *shim, struct view payload, bool *ret_bad)
{
    struct stage *stage = stage_read(&payload);
    *ret_bad = payload.bad || stage->workspace[0] != '/';
    if (*ret_bad || stage_find(shim, stage->id)) return stage_free(shim, stage);
    stage->next = shim->stages;
    shim->stages = stage;
    limits_open(shim, stage);
    if (stage->mode == SANDBOX_NONE) {
        stage->degree = DEGREE_NONE;
        snprintf(stage->why, sizeof stage->why, "no sandbox, as the pipeline asks");
        return settle(shim, stage, STAGE_READY);
    }
    sandbox_make(shim, stage);
}

/* The namespaces are there, or they are not: then the next degree is tried. */
void stage_settled(struct shim *shim, struct stage *stage, bool good)
{
    settle(shim, stage, good ? STAGE_READY : STAGE_REFUSED);
}

static void unlink_stage(struct shim *shim, struct stage *stage)
{
    for (struct stage **at = &shim->stages; *at; at = &(*at)->next)
        if (*at == stage) {
            *at = stage->next;
            return;
        }
}

void stage_release(struct shim *shim, struct stage *stage)
{
    if (!stage->ending || stage->claims || stage->state == STAGE_MAKING) return;
    unlink_stage(shim, stage);
    stage->next = shim->stage_graves;
    shim->stage_graves = stage;
}

/* Closing its socket ends a stage's init; what it still holds goes with its PID namespace. */
void stages_bury(struct shim *shim)
{
    for (struct stage *stage = shim->stage_graves, *next; stage; stage = next) {
        next = stage->next;
        watch_close(shim, &stage->watch);
        stage_free(shim, stage);
    }
    shim->stage_graves = NULL;
}

void stages_tick(struct shim *shim, int64_t now)
{
    for (struct stage *stage = shim->stages; stage; stage = stage->next)
        quota_tick(shim, stage, now);
}

int64_t stages_next_deadline(const struct shim *shim)
{
    int64_t first = 0;
    for (const struct stage *stage = shim->stages; stage; stage = stage->next)
        if (stage->live && stage->disk_check_us && (!first || stage->disk_check_us < first)) first = stage->disk_check_us;
    return first;
}
