/* sandbox.c: makes a stage's sandbox, as good as this machine allows, and talks with its init.
   Root gives its sandboxes a user number that nobody else has, and maps ids on the workspace so that root's files are that user's inside: a
   step is never root outside, not even without capabilities. */
#include "init.h"
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

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    close(fd);
    errno = saved;
    return good;
}

static bool write_map(pid_t pid, const char *name, uint32_t inside, uint32_t outside)
{
    char path[64], line[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    snprintf(line, sizeof line, "%u %u 1\n", inside, outside);
    return write_file(path, line);
}

/* What is in a sandbox is what the kernel shall end first when memory is short. */
static void raise_oom_score(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    write_file(path, "300");
}

static bool write_maps(pid_t pid, uint32_t uid, uint32_t outside_uid, uint32_t gid, uint32_t outside_gid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/setgroups", (int)pid);
    write_file(path, "deny");
    return write_map(pid, "uid_map", uid, outside_uid) && write_map(pid, "gid_map", gid, outside_gid);
}

/* Root of the whole machine, who may take any user number; root of a container's user namespace may not. */
static bool look_for_root(void)
{
    char text[64] = "";
    int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    unsigned inside, outside, count;
    return size > 0 && geteuid() == 0 && sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && outside == 0 && count == UINT32_MAX;
}

static bool is_real_root(struct shim *shim)
{
    if (!shim->root) shim->root = look_for_root() ? ROOT_REAL : ROOT_NOT;
    return shim->root == ROOT_REAL;
}

/* A user namespace that nobody lives in: it is only the map "root on disk is the sandbox's user". */
static int make_id_map(void)
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) return -1;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        char byte;
        close(gate[1]);
        _exit((int)read(gate[0], &byte, 1));
    }
    int fd = -1;
    if (pid > 0 && write_maps(pid, 0, SANDBOX_USER, 0, SANDBOX_USER)) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(gate[0]);
    close(gate[1]);
    if (pid > 0) waitpid(pid, NULL, 0);
    return fd;
}

static void choose_users(struct shim *shim, struct stage *stage)
{
    bool root = is_real_root(shim);
    stage->sandbox_uid = root ? SANDBOX_USER : geteuid();
    stage->sandbox_gid = root ? SANDBOX_USER : getegid();
    stage->inside_uid = geteuid() == 0 ? INSIDE_USER : geteuid();
    stage->inside_gid = geteuid() == 0 ? INSIDE_USER : getegid();
    if (stage->without_users) {
        stage->inside_uid = stage->sandbox_uid;
        stage->inside_gid = stage->sandbox_gid;
    }
}

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
    if (shim->id_map_fd < 0 && !stage->without_users) shim->id_map_fd = make_id_map();
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
    if (pid == 0) init_run(stage, sources, templated, socket);
    int saved = errno;
    if (templated) template_leave(shim);
    errno = saved;
    return pid;
}

static bool try_namespaces(struct shim *shim, struct stage *stage)
{
    struct sources sources = {.count = 0};
    int ends[2];
    choose_users(shim, stage);
    int failed = collect(shim, stage, &sources);
    if (failed < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        sources_close(&sources);
        return why_not(stage, "its workspace", failed ? -failed : errno), false;
    }
    pid_t pid = clone_init(shim, stage, &sources, ends[1]);
    int saved = errno;
    close(ends[1]);
    sources_close(&sources);
    bool good = pid > 0;
    if (good && !stage->without_users) good = write_maps(pid, stage->inside_uid, stage->sandbox_uid, stage->inside_gid, stage->sandbox_gid);
    if (pid > 0 && !good) saved = errno;
    if (good) raise_oom_score(pid);
    if (!good || write(ends[0], "1", 1) != 1) {
        close(ends[0]);
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        return why_not(stage, stage->without_users ? "namespaces" : "user namespaces", saved), false;
    }
    stage->init = pid;
    network_release(shim, stage->network);
    stage->network = stage->network_host || shim->hooks.turn ? -1 : network_hold(pid);
    stage->degree = DEGREE_NAMESPACES;
    stage->watch = (struct watch){ends[0], init_ready};
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
    template_begin(shim);
    if (shim->spare_argv) shim->id_map_fd = make_id_map(); /* else somebody waits */
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
