/* runtime.c: HAProxy's runtime API. It answers within a millisecond; one that does not answer for seconds serves nobody either, and is
   killed so that a new one takes its place. */
#include "keep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLICE_MS = 20, SERVERS = 4, COLUMN_QUEUED = 2, COLUMN_SESSIONS = 4, COLUMN_REQUESTS = 48 };
static const int64_t PATIENCE_US = 3 * 1000 * 1000, START_US = 10 * 1000 * 1000;

static bool has_died(const struct haproxy *haproxy)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)haproxy->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == haproxy->pid;
}

static bool read_answer(const struct haproxy *haproxy, int fd, struct text *answer)
{
    int64_t now = now_us(), end = now + (now - haproxy->started_us < START_US ? START_US : PATIENCE_US);
    char piece[16 * 1024];
    while (now_us() < end) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, SLICE_MS) == 0) {
            if (has_died(haproxy)) return false;
            continue;
        }
        ssize_t got = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (got == 0) return true;
        if (got > 0) text_add_bytes(answer, piece, (size_t)got);
        if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
    }
    return false;
}

static bool ask(struct keep *keep, const char *command, struct text *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/haproxy.sock", keep->shim.folder_fd);
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return false;
    struct text line = {0};
    text_add_format(&line, "%s\n", command);
    bool good = send(fd, line.bytes, line.size, MSG_NOSIGNAL) == (ssize_t)line.size;
    text_release(&line);
    return good && read_answer(&keep->haproxy, fd, answer);
}

bool runtime_ask(struct keep *keep, const char *command, struct text *answer)
{
    struct text own = {0}, *into = answer ? answer : &own;
    if (keep->haproxy.pid <= 0 || has_died(&keep->haproxy)) return false;
    bool good = ask(keep, command, into);
    if (!good && !has_died(&keep->haproxy)) kill(keep->haproxy.pid, SIGKILL);
    text_release(&own);
    return good;
}

static void name_server(const struct instance *instance, char name[64])
{
    const struct service *service = instance->service;
    snprintf(name, 64, "p%d%c/%u-%u", service->family->port, 'a' + (int)service->backend, service->arm, instance->number);
}

static enum server_state wanted_server(const struct instance *instance)
{
    if (instance->state == INSTANCE_HEALTHY || instance_is_held(instance)) return SERVER_READY;
    if (instance->state == INSTANCE_DRAINING && instance->server != SERVER_ABSENT) return SERVER_DRAINING;
    return instance->server == SERVER_ABSENT ? SERVER_ABSENT : SERVER_DOWN;
}

static void make_ready(struct keep *keep, struct instance *instance)
{
    char name[64], command[256];
    name_server(instance, name);
    if (instance->server == SERVER_ABSENT)
        snprintf(command, sizeof command, "add server %s 127.0.0.1:%d;set server %s state ready", name, instance->ports[0], name);
    else
        snprintf(command, sizeof command, "set server %s addr 127.0.0.1 port %d;set server %s state ready", name, instance->ports[0], name);
    if (!runtime_ask(keep, command, NULL)) return;
    instance->server = SERVER_READY;
    instance->server_port = instance->ports[0];
    keep->reconfigured = true;
}

void server_sync(struct keep *keep, struct instance *instance)
{
    enum server_state wanted = wanted_server(instance);
    char name[64], command[256];
    bool moved = instance->state == INSTANCE_HEALTHY && instance->server_port != instance->ports[0];
    if (wanted == instance->server && !moved) return;
    if (wanted == SERVER_READY) return make_ready(keep, instance);
    name_server(instance, name);
    snprintf(command, sizeof command, "set server %s state %s", name, wanted == SERVER_DRAINING ? "drain" : "maint");
    if (!runtime_ask(keep, command, NULL)) return;
    instance->server = wanted;
    keep->reconfigured = true;
}

bool server_remove(struct keep *keep, struct instance *instance)
{
    char name[64], command[256];
    struct text answer = {0};
    if (instance->server == SERVER_ABSENT || !keep->haproxy.pid) return true; /* a new HAProxy will not have it */
    name_server(instance, name);
    snprintf(command, sizeof command, "set server %s state maint;del server %s", name, name);
    bool good = runtime_ask(keep, command, &answer) && (strstr(text_view(&answer), "deleted") || strstr(text_view(&answer), "No such"));
    text_release(&answer);
    if (good) instance->server = SERVER_ABSENT;
    return good;
}

/* Column of a line of `show stat`, which is comma-separated; its texts are ours and hold no commas. */
static uint64_t column(const char *line, unsigned number)
{
    for (; number && *line && *line != '\n'; line++)
        number -= *line == ',';
    return strtoull(line, NULL, 10);
}

bool server_is_idle(struct keep *keep, const struct instance *instance)
{
    const struct service *service = instance->service;
    char command[64], wanted[64];
    struct text answer = {0};
    int size =
        snprintf(wanted, sizeof wanted, "p%d%c,%u-%u,", service->family->port, 'a' + (int)service->backend, service->arm, instance->number);
    snprintf(command, sizeof command, "show stat p%d%c %d -1", service->family->port, 'a' + (int)service->backend, SERVERS);
    if (instance->server == SERVER_ABSENT || !runtime_ask(keep, command, &answer)) {
        text_release(&answer);
        return true;
    }
    bool idle = true;
    for (const char *line = text_view(&answer); line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, wanted, (size_t)size) == 0) idle = !column(line, COLUMN_QUEUED) && !column(line, COLUMN_SESSIONS);
    }
    text_release(&answer);
    return idle;
}

static const struct family *family_at(const struct keep *keep, int port)
{
    for (const struct family *family = keep->families; family; family = family->next)
        if (family->port == port) return family;
    return NULL;
}

void routes_sync(struct keep *keep)
{
    for (unsigned i = 0; i < keep->port_count && keep->haproxy.pid > 0; i++) {
        struct port *port = &keep->ports[i];
        const struct family *family = family_at(keep, port->number);
        char route[sizeof port->route] = "closed", command[sizeof route + 64];
        if (family) family_route(keep, family, route, sizeof route);
        if (strcmp(route, port->route) == 0) continue;
        snprintf(command, sizeof command, "set map shares/%d.map route %s", port->number, route);
        if (!runtime_ask(keep, command, NULL)) return;
        memcpy(port->route, route, sizeof route);
        keep->reconfigured = true;
    }
}

/* A line of a backend: "p8080a,BACKEND,...". */
static void note_open(struct keep *keep, const char *line, uint64_t open)
{
    char name[32];
    for (struct service *service = keep->services; service; service = service->next) {
        int size = snprintf(name, sizeof name, "p%d%c,", service->family->port, 'a' + (int)service->backend);
        if (strncmp(line, name, (size_t)size) == 0) service->open = open;
    }
}

/* What HAProxy counted, in one look: the requests of its frontends and what its backends have under way. */
static bool count_requests(struct keep *keep, uint64_t *ret_requests, uint64_t *ret_under_way)
{
    struct text answer = {0};
    for (struct service *service = keep->services; service; service = service->next)
        service->open = 0;
    bool good = runtime_ask(keep, "show stat -1 3 -1", &answer);
    *ret_requests = *ret_under_way = 0;
    for (const char *line = good ? strchr(text_view(&answer), '\n') : NULL; line && *++line; line = strchr(line, '\n')) {
        const char *name = strchr(line, ',');
        if (!name) break;
        if (text_starts(name, ",FRONTEND,"))
            *ret_requests += column(line, COLUMN_REQUESTS);
        else
            *ret_under_way += column(line, COLUMN_QUEUED) + column(line, COLUMN_SESSIONS);
        note_open(keep, line, column(line, COLUMN_SESSIONS));
    }
    text_release(&answer);
    return good;
}

/* A request on a connection that its client had used before is not logged when the instance dies under it: HAProxy closes the connection so
   that the client asks again. With nothing under way, what was counted and is not recorded was such a one. */
static void find_unlogged(struct keep *keep, uint64_t requests, uint64_t under_way)
{
    struct haproxy *haproxy = &keep->haproxy;
    records_read(keep, true);
    records_flush(keep);
    uint64_t accounted = keep->records.total + keep->records.failed + haproxy->dropped_before + haproxy->dropped + haproxy->unlogged;
    if (under_way || requests <= accounted) return;
    records_gap(keep, requests - accounted);
    haproxy->unlogged += requests - accounted;
}

uint64_t runtime_requests(struct keep *keep)
{
    uint64_t requests, under_way;
    if (!count_requests(keep, &requests, &under_way)) return keep->haproxy.requests_before;
    requests += keep->haproxy.requests_before;
    find_unlogged(keep, requests, under_way);
    return requests;
}

void runtime_poll(struct keep *keep)
{
    struct text answer = {0};
    struct haproxy *haproxy = &keep->haproxy;
    const char *line = runtime_ask(keep, "show info", &answer) ? strstr(text_view(&answer), "DroppedLogs: ") : NULL;
    uint64_t dropped = line ? strtoull(line + strlen("DroppedLogs: "), NULL, 10) : haproxy->dropped;
    text_release(&answer);
    if (dropped > haproxy->dropped) records_gap(keep, dropped - haproxy->dropped);
    if (dropped > haproxy->dropped) haproxy->dropped = dropped;
    runtime_requests(keep);
}
