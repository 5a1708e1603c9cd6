/* haproxy.c: the domain's HAProxy: its configuration, its process, its end. It inherits all of its sockets from the keeper and dies with
   it; one that died is started again at once with the same servers and routes. */
#include "exec/shim/process.h"
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its descriptors, which its configuration names. */
enum { LOG_FD = 3, SOCKET_FD, FIRST_PORT_FD, ABOVE_FD = FIRST_PORT_FD + KEEP_PORTS };
enum { PIPE_BYTES = 1024 * 1024, CONNECTIONS = 8000, HIGH_FD = 512, CONFIGURATION_BYTES = 96 };
static const int64_t POLL_US = 1000 * 1000, STABLE_US = 2000 * 1000, LONGEST_US = 10 * 1000 * 1000, PATIENCE_US = 10 * 1000 * 1000;

static bool write_file(int folder, const char *name, const char *bytes, size_t size)
{
    char fresh[CONFIGURATION_BYTES];
    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    bool good = write(fd, bytes, size) == (ssize_t)size;
    close(fd);
    return good && renameat(folder, fresh, folder, name) == 0;
}

static rlim_t connections(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 400;
    rlim_t most = limit.rlim_max < 600 ? 200 : (limit.rlim_max - 300) / 2; /* two descriptors a connection, and some of its own */
    return most < CONNECTIONS ? most : CONNECTIONS;
}

/* A connection that is refused is tried again, at another instance of the same version, or after `timeout connect` at the only one: five
   seconds in all. A request that may be repeated (RFC 9110, 9.2.1) is, when the instance dies before it answered. One whose client left is
   over, and logged, at that moment: else a client's time-out would be seen as an answer, or after ours. */
static void add_head(struct text *out)
{
    text_add_format(out,
        "# Written by crescendo-shim --keep on every change; what is changed here is lost.\n"
        "global\n"
        "  maxconn %llu\n"
        "  nbthread 1\n"
        "  stats socket fd@%d level admin\n"
        "  stats timeout 10s\n"
        "  log fd@%d len 1024 format raw local0 info\n"
        "defaults\n"
        "  mode http\n"
        "  log global\n"
        "  option dontlognull\n"
        "  option http-ignore-probes\n"
        "  option abortonclose\n"
        "  option redispatch 1\n"
        "  retries 20\n"
        "  retry-on conn-failure empty-response\n"
        "  timeout connect 250ms\n"
        "  timeout client 60s\n"
        "  timeout server 60s\n"
        "  timeout http-request 10s\n"
        "  timeout http-keep-alive 60s\n",
        (unsigned long long)connections(), SOCKET_FD, LOG_FD);
}

/* A route is FIRST:SECOND:SHARE. A random number below SHARE chooses SECOND. */
static void add_frontend(struct text *out, int port, int fd)
{
    text_add_format(out,
        "frontend p%d\n"
        "  bind fd@%d\n"
        "  tcp-request connection reject if { str(route),map_str(shares/%d.map,closed) -m str closed }\n"
        "  http-request set-var(txn.time) date(0,us)\n"
        "  http-request disable-l7-retry unless { method GET HEAD OPTIONS }\n"
        "  http-request set-var(txn.route) str(route),map_str(shares/%d.map,closed)\n"
        "  http-request set-var(txn.share) var(txn.route),field(3,:)\n"
        "  log-format \"R %%[var(txn.time)] %%[date(0,us)] %%ST %%ts %%s %%rc %%B %%b\"\n"
        "  use_backend %%[var(txn.route),field(2,:)] if { rand(10000),sub(txn.share) lt 0 }\n"
        "  use_backend %%[var(txn.route),field(1,:)]\n"
        "  default_backend nobody\n",
        port, fd, port, port);
}

/* Where a new HAProxy would find an instance; 0: it has nothing to finish with one that is on its way out. */
static int server_place(const struct instance *instance)
{
    return instance->state == INSTANCE_HEALTHY ? instance->ports[0] : instance_is_held(instance) ? instance->server_port : 0;
}

static void add_servers(struct keep *keep, struct text *out, int port, unsigned backend)
{
    for (struct service *service = keep->services; service; service = service->next) {
        if (service->family->port != port || service->backend != backend) continue;
        for (struct instance *instance = service->instances; instance; instance = instance->next)
            if (server_place(instance))
                text_add_format(out, "  server %u-%u 127.0.0.1:%d\n", service->arm, instance->number, server_place(instance));
    }
}

static const struct family *family_at(const struct keep *keep, int port)
{
    for (const struct family *family = keep->families; family; family = family->next)
        if (family->port == port) return family;
    return NULL;
}

static void write_map(struct keep *keep, const struct port *port)
{
    char name[64], route[sizeof port->route], line[sizeof route + 16];
    const struct family *family = family_at(keep, port->number);
    snprintf(route, sizeof route, "closed");
    if (family) family_route(keep, family, route, sizeof route);
    snprintf(name, sizeof name, "shares/%d.map", port->number);
    int size = snprintf(line, sizeof line, "route %s\n", route);
    write_file(keep->shim.folder_fd, name, line, (size_t)size);
}

/* A disk that is full leaves the files as they were: what counts is in `state`, and a new HAProxy is told all of it again. */
void haproxy_configure(struct keep *keep)
{
    struct text out = {0};
    keep->reconfigured = false;
    mkdirat(keep->shim.folder_fd, "shares", 0700);
    add_head(&out);
    for (unsigned i = 0; i < keep->port_count; i++) {
        add_frontend(&out, keep->ports[i].number, FIRST_PORT_FD + (int)i);
        for (unsigned backend = 0; backend < KEEP_ARMS; backend++) {
            text_add_format(&out, "backend p%d%c\n  balance roundrobin\n", keep->ports[i].number, 'a' + (int)backend);
            add_servers(keep, &out, keep->ports[i].number, backend);
        }
        write_map(keep, &keep->ports[i]);
    }
    text_add(&out, "backend nobody\n");
    write_file(keep->shim.folder_fd, "haproxy.cfg", out.bytes, out.size);
    text_release(&out);
}

static void log_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    records_read((struct keep *)shim, false);
}

static void words_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)events;
    struct keep *keep = (struct keep *)shim;
    static const struct step itself = {.id = NO_STEP};
    char piece[4096];
    ssize_t got = read(watch->fd, piece, sizeof piece);
    if (got <= 0) return;
    log_write(shim, &itself, LOG_ENGINE, piece, (size_t)got);
    tail_add(keep->haproxy.tail, &keep->haproxy.tail_size, piece, (size_t)got);
}

static int make_pipe(int *ret_write)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) shim_die("a pipe for HAProxy");
    *ret_write = ends[1];
    return ends[0];
}

static int listen_socket(int folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/haproxy.sock", folder);
    unlinkat(folder, "haproxy.sock", 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) shim_die("haproxy.sock");
    umask(mask);
    return fd;
}

void haproxy_open(struct keep *keep)
{
    struct haproxy *haproxy = &keep->haproxy;
    haproxy->socket = listen_socket(keep->shim.folder_fd);
    haproxy->log = (struct watch){make_pipe(&haproxy->log_ends[1]), log_ready};
    haproxy->words = (struct watch){make_pipe(&haproxy->words_end), words_ready};
    fcntl(haproxy->log_ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one loses lines sooner, and they are counted */
    watch_add(&keep->shim, &haproxy->log, EPOLLIN);
    watch_add(&keep->shim, &haproxy->words, EPOLLIN);
}

static void place(int from, int to)
{
    if (dup2(from, to) < 0) _exit(126);
}

/* First out of the way of the numbers that they are to have. */
static void place_descriptors(const struct keep *keep)
{
    int high[FIRST_PORT_FD + KEEP_PORTS] = {[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    unsigned count = FIRST_PORT_FD + keep->port_count;
    const int low[] = {-1, keep->haproxy.words_end, keep->haproxy.words_end, keep->haproxy.log_ends[1], keep->haproxy.socket};
    for (unsigned i = 0; i < count; i++) {
        int fd = i == 0 ? high[0] : i < FIRST_PORT_FD ? low[i] : keep->ports[i - FIRST_PORT_FD].fd;
        high[i] = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
        if (high[i] < 0) _exit(126);
    }
    for (unsigned i = 0; i < count; i++)
        place(high[i], (int)i);
    syscall(SYS_close_range, count, ~0U, 0);
}

static _Noreturn void become_haproxy(const struct keep *keep, pid_t parent)
{
    static const char *const places[] = {"/usr/local/sbin/haproxy", "/usr/sbin/haproxy", "/usr/bin/haproxy"};
    char *const argv[] = {"haproxy", "-db", "-f", "haproxy.cfg", NULL}, *const environment[] = {"PATH=/usr/sbin:/usr/bin:/bin", NULL};
    setsid();
    if (fchdir(keep->shim.folder_fd) < 0) _exit(126);
    place_descriptors(keep);
    if (privileges_drop(UINT32_MAX, UINT32_MAX, true) < 0 || seccomp_apply(false) < 0) _exit(126); /* all that it needs is open */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    reset_signals();
    for (unsigned i = 0; i < COUNT_OF(places); i++)
        execve(places[i], argv, environment);
    dprintf(STDERR_FILENO, "haproxy cannot be run: %s; install it: apt-get install haproxy\n", strerror(errno));
    _exit(127);
}

/* What its files say is what it knows. */
static void note_known(struct keep *keep)
{
    for (unsigned i = 0; i < keep->port_count; i++) {
        const struct family *family = family_at(keep, keep->ports[i].number);
        snprintf(keep->ports[i].route, sizeof keep->ports[i].route, "closed");
        if (family) family_route(keep, family, keep->ports[i].route, sizeof keep->ports[i].route);
    }
    for (struct service *service = keep->services; service; service = service->next)
        for (struct instance *instance = service->instances; instance; instance = instance->next) {
            instance->server_port = server_place(instance);
            instance->server = instance->server_port ? SERVER_READY : SERVER_ABSENT;
        }
}

static void start(struct keep *keep, int64_t now)
{
    struct haproxy *haproxy = &keep->haproxy;
    pid_t self = getpid();
    haproxy_configure(keep);
    pid_t pid = fork();
    if (pid == 0) become_haproxy(keep, self);
    if (pid < 0) {
        haproxy->retry_us = now + POLL_US;
        return;
    }
    haproxy->pid = keep->shim.companion = pid;
    haproxy->started_us = now;
    haproxy->retry_us = 0;
    haproxy->poll_us = now + POLL_US;
    note_known(keep);
}

/* A keeper that takes up a state lets clients wait in the sockets' queues until the instances are there again. */
static bool is_expected(const struct keep *keep, int64_t now)
{
    if (!keep->families || now < keep->haproxy.retry_us) return false;
    bool all = true;
    for (const struct service *service = keep->services; service; service = service->next)
        all &= !service->introduced || service->stopping || !service->replicas || service_ready(service) > 0;
    return all || keep->haproxy.started_us || now >= keep->opened_us + PATIENCE_US;
}

void haproxy_turn(struct keep *keep, int64_t now)
{
    struct haproxy *haproxy = &keep->haproxy;
    if (!haproxy->pid && is_expected(keep, now)) start(keep, now);
    if (!haproxy->pid || now < haproxy->poll_us) return;
    haproxy->poll_us = now + POLL_US;
    runtime_poll(keep);
}

int64_t haproxy_deadline(const struct keep *keep)
{
    if (keep->haproxy.pid) return keep->haproxy.poll_us;
    if (!keep->families) return 0;
    return keep->haproxy.started_us ? (keep->haproxy.retry_us ? keep->haproxy.retry_us : 1) : keep->opened_us + PATIENCE_US;
}

/* What it had logged is in the pipe; what it had counted and not logged was under way, and died with it. */
bool haproxy_reaped(struct keep *keep, pid_t pid, int status)
{
    struct haproxy *haproxy = &keep->haproxy;
    static const struct step itself = {.id = NO_STEP};
    if (pid != haproxy->pid) return false;
    int64_t now = now_us();
    haproxy->pid = keep->shim.companion = 0;
    records_read(keep, true);
    records_flush(keep);
    haproxy->dropped_before += haproxy->dropped;
    haproxy->dropped = 0;
    haproxy->requests_before = keep->records.total + keep->records.failed + haproxy->dropped_before + haproxy->unlogged;
    haproxy->failures = now - haproxy->started_us >= STABLE_US ? 0 : haproxy->failures + 1;
    int64_t delay = haproxy->failures < 2 ? 0 : 100 * 1000LL << (haproxy->failures < 9 ? haproxy->failures - 2 : 7);
    haproxy->retry_us = delay ? now + (delay > LONGEST_US ? LONGEST_US : delay) : 0;
    log_say(&keep->shim, &itself, "HAProxy ended (status %d); it is started again", status);
    return true;
}
