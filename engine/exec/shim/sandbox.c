/* sandbox.c: makes a stage's sandbox, as good as this machine allows, and talks with its init. */
#include "init.h"
#include "process.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void why_not(struct stage *stage, const char *what, int error)
{
    size_t used = strlen(stage->why);
    snprintf(stage->why + used, sizeof stage->why - used, "%s%s: %s", used ? "; " : "", what, strerror(error));
}

static void init_ready(struct shim *shim, struct watch *watch, uint32_t events);

/* Where ids cannot be mapped (an old kernel, a file system that cannot), the workspace is given to the sandbox's user. */
static int give(const char *folder_path, uid_t owner)
{
    struct walk *walk = walk_open(folder_path);
    if (!walk) return -errno;
    int folder, failed = lchown(folder_path, owner, owner) < 0 ? -errno : 0;
    const char *name;
    struct stat facts;
    while (!failed && walk_next(walk, &folder, &name, &facts))
        if (facts.st_uid != owner && fchownat(folder, name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT) failed = -errno;
    walk_close(&walk);
    return failed;
}

static int give_writable(const struct stage *stage, uid_t owner)
{
    int failed = give(stage->workspace, owner);
    for (char **path = stage->read_write; !failed && *path; path++)
        failed = give(*path, owner);
    return failed;
}

static int collect(struct shim *shim, struct stage *stage, struct sources *sources)
{
    const char *what = "";
    if (!is_real_root(shim)) return 0;
    if (shim->id_map_fd < 0 && !stage->without_users) shim->id_map_fd = users_make_id_map();
    if (shim->id_map_fd >= 0 && sources_of_request(sources, stage, shim->id_map_fd, &what) == 0) return 0;
    sources_close(sources);
    return give_writable(stage, SANDBOX_USER);
}

/* The template belongs to root's user namespace, and its user is the one with a map; a keeper lives for long, and its machine's tree may
   change. */
static bool enter_template(struct shim *shim, struct stage *stage, const struct sources *sources)
{
    bool can = sources->complete && !stage->without_users && !shim->hooks.turn && is_real_root(shim);
    stage->templated = can && template_enter(shim, sources);
    return stage->templated;
}

static pid_t clone_init(struct shim *shim, struct stage *stage, struct sources *sources, int socket)
{
    unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (!stage->network_host) flags |= CLONE_NEWNET;
    if (!stage->without_users) flags |= CLONE_NEWUSER;
    bool templated = enter_template(shim, stage, sources);
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) init_run(stage, sources, socket);
    int saved = errno;
    if (templated) template_leave(shim);
    errno = saved;
    return pid;
}

/* Lets the init go on, with its map of users. */
static bool let_go(const struct stage *stage, pid_t pid, int socket)
{
    if (!stage->without_users && !users_map(pid, stage->inside_uid, stage->sandbox_uid, stage->inside_gid, stage->sandbox_gid))
        return false;
    raise_oom_score(pid);
    return write(socket, "1", 1) == 1;
}

int sandbox_start_init(struct shim *shim, struct stage *stage, struct sources *sources)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    pid_t pid = clone_init(shim, stage, sources, ends[1]);
    int failed = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (!failed && !let_go(stage, pid, ends[0])) failed = -errno;
    if (!failed) {
        stage->init = pid;
        network_release(shim, stage->network);
        stage->network = stage->network_host || shim->hooks.turn ? -1 : network_hold(pid);
        stage->watch.fd = ends[0];
        return 0;
    }
    close(ends[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return failed;
}

static bool try_namespaces(struct shim *shim, struct stage *stage)
{
    struct sources sources = {.count = 0};
    users_choose(shim, stage);
    int failed = collect(shim, stage, &sources);
    if (failed < 0) {
        sources_close(&sources);
        return why_not(stage, "its workspace", -failed), false;
    }
    failed = ahead_take(shim, stage, &sources) ? 0 : sandbox_start_init(shim, stage, &sources);
    sources_close(&sources);
    if (failed) return why_not(stage, stage->without_users ? "namespaces" : "user namespaces", -failed), false;
    stage->degree = DEGREE_NAMESPACES;
    stage->watch.ready = init_ready;
    watch_add(shim, &stage->watch, EPOLLIN);
    return true;
}

static void refuse(struct shim *shim, struct stage *stage)
{
    char why[MESSAGE_BYTES + 256];
    snprintf(why, sizeof why,
        "no sandbox can be made here (%s); enable unprivileged user namespaces (sysctl "
        "user.max_user_namespaces), or let the pipeline say `sandbox: none` where the operator allows it",
        stage->why);
    memcpy(stage->why, why, sizeof stage->why - 1);
    stage->degree = DEGREE_NONE;
    stage_settled(shim, stage, false);
}

static void try_landlock(struct shim *shim, struct stage *stage)
{
    stage->sandbox_uid = stage->sandbox_gid = UINT32_MAX;
    stage->without_users = false;
    stage->degree = DEGREE_LANDLOCK;
    output_folder(shim);
    if (is_real_root(shim) && give_writable(stage, geteuid()) < 0) return refuse(shim, stage); /* a sandbox that failed may have had them */
    stage->landlock = landlock_make(stage, shim->folder);
    if (stage->landlock < 0) {
        why_not(stage, "Landlock", -stage->landlock);
        return refuse(shim, stage);
    }
    char why[MESSAGE_BYTES + 256];
    snprintf(why, sizeof why, "no namespaces (%s): Landlock, a system call filter and rlimits instead", stage->why);
    memcpy(stage->why, why, sizeof stage->why - 1);
    stage_settled(shim, stage, true);
}

/* Without the template first: what failed may be its own. */
static void next_degree(struct shim *shim, struct stage *stage)
{
    if (stage->templated) {
        shim->template.state = TEMPLATE_REFUSED;
        stage->templated = false;
        if (try_namespaces(shim, stage)) return;
    }
    if (!stage->without_users && geteuid() == 0) {
        stage->without_users = true;
        if (try_namespaces(shim, stage)) return;
    }
    try_landlock(shim, stage);
}

void sandbox_prepare(struct shim *shim)
{
    if (!is_real_root(shim)) return;
    if (shim->spare_argv) shim->id_map_fd = users_make_id_map(); /* else somebody waits */
    template_begin(shim);
}

void sandbox_make(struct shim *shim, struct stage *stage)
{
    if (!try_namespaces(shim, stage)) next_degree(shim, stage);
}

static void lose_init(struct shim *shim, struct stage *stage)
{
    watch_close(shim, &stage->watch);
    if (stage->init > 0) kill(stage->init, SIGKILL);
    if (stage->state != STAGE_MAKING) return;
    if (stage->init > 0) waitpid(stage->init, NULL, 0);
    stage->init = 0;
    next_degree(shim, stage);
}

static struct step *step_of(struct shim *shim, const struct init_header *header)
{
    for (struct step *step = shim->live; step; step = step->next)
        if (step->id == header->step && step->attempt == header->attempt && !step->reaped) return step;
    return NULL;
}

/* A piece of its $CRESCENDO_OUTPUT. */
static void add_output(struct shim *shim, const struct init_header *header, const char *content)
{
    struct step *step = step_of(shim, header);
    if (!step) return;
    struct wire outputs = {(unsigned char *)step->outputs, step->outputs_size, step->outputs_room};
    wire_bytes(&outputs, content, header->size);
    step->outputs = (char *)outputs.bytes;
    step->outputs_size = outputs.size;
    step->outputs_room = outputs.capacity;
}

static void end_step(struct shim *shim, const struct init_header *header)
{
    struct step *step = step_of(shim, header);
    if (!step) return;
    step->reaped = true;
    step->status = (int)header->value;
    step->cpu_us = header->cpu_us;
    step->memory_bytes = header->memory_bytes;
    step->start_errno = header->error;
    if (header->what[0]) {
        memcpy(step->what, header->what, sizeof step->what - 1);
        step->start_what = step->what;
    }
    step_exited(shim, step);
}

static void handle(struct shim *shim, struct stage *stage, const struct init_header *header, const char *content)
{
    if (header->type == INIT_OUTPUT) return add_output(shim, header, content);
    if (header->type == INIT_ENDED) return end_step(shim, header);
    if (header->type == INIT_FAILED) {
        why_not(stage, header->what, header->error);
        return lose_init(shim, stage);
    }
    snprintf(stage->why, sizeof stage->why, "namespaces%s%s", stage->without_users ? " without a user namespace" : "",
        header->error ? ", no Landlock" : ", Landlock and a system call filter");
    stage_settled(shim, stage, true);
}

static void init_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)events;
    struct stage *stage = CONTAINER(watch, struct stage, watch);
    struct wire *in = &stage->in;
    wire_reserve(in, 16 * 1024);
    ssize_t got = recv(watch->fd, in->bytes + in->size, in->capacity - in->size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return lose_init(shim, stage);
    in->size += (size_t)got;
    struct init_header header;
    while (watch->fd >= 0 && in->size >= sizeof header) {
        memcpy(&header, in->bytes, sizeof header);
        if (in->size < sizeof header + header.size) break;
        char *content = shim_copy((const char *)in->bytes + sizeof header, header.size);
        wire_drop(in, sizeof header + header.size);
        handle(shim, stage, &header, content);
        free(content);
    }
}

/* The init is gone, and with it every process of the stage: its steps end as killed. */
void stage_ended(struct shim *shim, struct stage *stage)
{
    stage->init = 0;
    watch_close(shim, &stage->watch);
    stage->in.size = 0;
    if (stage->state == STAGE_MAKING) return next_degree(shim, stage);
    stage->state = STAGE_REFUSED;
    snprintf(stage->why, sizeof stage->why, "the sandbox's init ended unexpectedly");
    for (struct step *step = shim->live, *next; step; step = next) {
        next = step->next;
        if (step->stage != stage || step->reaped) continue;
        step->reaped = true;
        step->status = SIGKILL;
        step_exited(shim, step);
    }
}

static uint32_t add_texts(struct wire *wire, char *const *list)
{
    uint32_t count = 0;
    for (; list[count]; count++)
        wire_bytes(wire, list[count], strlen(list[count]) + 1);
    return count;
}

bool stage_start_step(struct shim *shim, struct step *step, const struct descriptors *ends)
{
    (void)shim;
    struct wire texts = {0};
    struct init_header header = {.type = INIT_START, .step = step->id, .attempt = step->attempt, .limit = step->output_limit_bytes};
    header.argc = add_texts(&texts, step->argv);
    header.environment_count = add_texts(&texts, step->environment);
    header.size = (uint32_t)texts.size;
    header.value = step->stage->claims > 1;
    const int fds[] = {ends->input, ends->output, ends->error, ends->talk};
    bool good = header_send(step->stage->watch.fd, &header, texts.bytes, fds, ends->talk >= 0 ? 4 : 3);
    wire_release(&texts);
    return good;
}

void stage_signal_step(struct stage *stage, const struct step *step, int number)
{
    struct init_header header = {.type = INIT_SIGNAL, .step = step->id, .attempt = step->attempt, .value = (uint32_t)number};
    if (stage->watch.fd >= 0 && send(stage->watch.fd, &header, sizeof header, MSG_NOSIGNAL) < 0) return;
}
