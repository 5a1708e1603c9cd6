/* ahead.c: a stage's init that is there before its stage: all of it is made but what the stage names, which it is told then. A spare shim
   makes one, for the stage that most runs begin with: a network of its own, and no limits but of processes and disk. */
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FDS_MAX = 4 };

void ahead_make(struct shim *shim)
{
    struct ahead *ahead = &shim->ahead;
    struct sources none = {.complete = true};
    if (ahead->stage || shim->template.state != TEMPLATE_READY || shim->id_map_fd < 0) return;
    struct stage *stage = stage_blank();
    stage->ahead = true;
    users_choose(shim, stage);
    if (sandbox_start_init(shim, stage, &none) < 0 || !stage->templated) {
        ahead->stage = stage;
        ahead_drop(shim);
        return;
    }
    ahead->stage = stage;
    ahead->generation = shim->template.generation;
}

/* Closing its socket ends it. */
void ahead_drop(struct shim *shim)
{
    struct stage *stage = shim->ahead.stage;
    shim->ahead.stage = NULL;
    if (!stage) return;
    if (stage->watch.fd >= 0) close(stage->watch.fd);
    stage_free(shim, stage);
}

pid_t ahead_pid(const struct shim *shim)
{
    return shim->ahead.stage ? shim->ahead.stage->init : 0;
}

static bool fits(const struct stage *stage, const struct sources *sources)
{
    const struct limits *limits = &stage->limits;
    bool joins = limits->join[0] >= 0 || limits->join[1] >= 0 || limits->join[2] >= 0;
    return sources->complete && sources->count <= FDS_MAX && !stage->network_host && !stage->without_users && !joins &&
           !limits->memory_bytes && !limits->cpu_thousandths;
}

static uint32_t add_list(struct wire *texts, char *const *list)
{
    uint32_t count = 0;
    for (; list[count]; count++)
        wire_bytes(texts, list[count], strlen(list[count]) + 1);
    return count;
}

/* The workspace, what may be written, what may be read; then the mounts, each with "d" or "f" before its path. */
static bool tell(int socket, const struct stage *stage, const struct sources *sources)
{
    struct wire texts = {0};
    int fds[FDS_MAX];
    struct init_header header = {
        .type = INIT_ADOPT, .step = stage->limits.processes, .limit = stage->limits.disk_bytes, .value = sources->count};
    wire_bytes(&texts, stage->workspace, strlen(stage->workspace) + 1);
    header.argc = add_list(&texts, stage->read_write);
    header.environment_count = add_list(&texts, stage->read_only);
    for (unsigned i = 0; i < sources->count; i++) {
        fds[i] = sources->items[i].fd;
        wire_bytes(&texts, sources->items[i].folder ? "d" : "f", 1);
        wire_bytes(&texts, sources->items[i].path, strlen(sources->items[i].path) + 1);
    }
    header.size = (uint32_t)texts.size;
    bool good = header_send(socket, &header, texts.bytes, fds, sources->count);
    wire_release(&texts);
    return good;
}

bool ahead_take(struct shim *shim, struct stage *stage, const struct sources *sources)
{
    struct stage *ready = shim->ahead.stage;
    if (!ready || !fits(stage, sources) || !template_enter(shim, sources)) return false;
    template_leave(shim); /* what it was entered for are the ways to the mounts */
    if (shim->ahead.generation != shim->template.generation || !tell(ready->watch.fd, stage, sources)) {
        ahead_drop(shim);
        return false;
    }
    stage->init = ready->init;
    stage->watch.fd = ready->watch.fd;
    stage->network = ready->network;
    stage->templated = true;
    ready->watch.fd = ready->network = -1;
    ahead_drop(shim);
    return true;
}

static char **take_list(const char **at, uint32_t count)
{
    char **list = shim_alloc((count + 1) * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (char *)(uintptr_t)*at;
        *at += strlen(*at) + 1;
    }
    return list;
}

void ahead_adopt(struct init *init, struct sources *request)
{
    struct init_header header = {0};
    struct stage *stage = init->stage;
    int fds[FDS_MAX];
    unsigned count;
    if (!header_read(init->socket, &header, fds, &count) || header.type != INIT_ADOPT || count != header.value) _exit(0);
    char *texts = shim_alloc(header.size + 1);
    if (!bytes_read(init->socket, texts, header.size)) _exit(0);
    const char *at = texts;
    stage->limits.processes = header.step;
    stage->limits.disk_bytes = header.limit;
    stage->workspace = texts;
    at += strlen(at) + 1;
    stage->read_write = take_list(&at, header.argc);
    stage->read_only = take_list(&at, header.environment_count);
    for (unsigned i = 0; i < count; i++) {
        request->items[i] = (struct source){at + 1, fds[i], *at == 'd'};
        at += strlen(at) + 1;
    }
    request->count = count;
}
