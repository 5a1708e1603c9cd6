/* health.c: is an instance healthy? One question at a time to its first port, never waited for: GET health answers 200 to 399, or, without
   a path, the port accepts. */
#include "keep.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAILURES = 3, EAGER = 20 /* questions */, STATUS_AT = 9, STATUS_END = 12 };
static const int64_t OFTEN_US = 20 * 1000, SELDOM_US = 1000 * 1000, PATIENCE_US = 2 * 1000 * 1000;

void check_stop(struct keep *keep, struct instance *instance)
{
    watch_close(&keep->shim, &instance->check.watch);
    instance->check.next_us = instance->check.deadline_us = 0;
}

void check_start(struct keep *keep, struct instance *instance, int64_t now)
{
    check_stop(keep, instance);
    instance->check.failures = 0;
    instance->check.next_us = now + OFTEN_US / 2;
}

/* What service_turn() makes of it is decided there. */
static void end_check(struct keep *keep, struct instance *instance, bool good)
{
    struct check *check = &instance->check;
    check_stop(keep, instance);
    check->failures = good ? 0 : check->failures + 1;
    if (good && (instance->state == INSTANCE_STARTING || instance->state == INSTANCE_UNHEALTHY)) {
        instance->state = INSTANCE_HEALTHY;
        instance->healthy_us = now_us();
        instance->next_us = 0;
    }
    if (!good && instance->state == INSTANCE_HEALTHY && check->failures >= FAILURES) {
        instance->state = INSTANCE_UNHEALTHY;
        instance->next_us = now_us() + instance->service->start_ms * 1000;
    }
    check->next_us = now_us() + (instance->state == INSTANCE_HEALTHY && good ? SELDOM_US : OFTEN_US * (check->failures < EAGER ? 1 : 10));
}

static bool send_question(struct instance *instance)
{
    struct text line = {0};
    text_add_format(&line, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: crescendo\r\nConnection: close\r\n\r\n",
        instance->service->health, instance->ports[0]);
    bool good = send(instance->check.watch.fd, line.bytes, line.size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)line.size;
    text_release(&line);
    return good;
}

/* 1: healthy, 0: go on, -1: not. "HTTP/1.1 200". */
static int read_status(struct check *check)
{
    ssize_t got = recv(check->watch.fd, check->answer + check->got, STATUS_END - check->got, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) return -1;
    check->got += (size_t)got;
    if (check->got < STATUS_END) return 0;
    check->answer[STATUS_END] = '\0';
    long status = strtol(check->answer + STATUS_AT, NULL, 10);
    check->status = (int)status;
    return strncmp(check->answer, "HTTP/1.", 7) == 0 && status >= 200 && status < 400 ? 1 : -1;
}

static void check_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct keep *keep = (struct keep *)shim;
    struct instance *instance = CONTAINER(watch, struct instance, check.watch);
    struct check *check = &instance->check;
    (void)events;
    if (check->asked) {
        int result = read_status(check);
        if (result) end_check(keep, instance, result > 0);
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) return end_check(keep, instance, false);
    if (!instance->service->health) return end_check(keep, instance, true);
    if (!send_question(instance)) return end_check(keep, instance, false);
    check->asked = true;
    watch_change(shim, watch, EPOLLIN);
}

static void ask(struct keep *keep, struct instance *instance, int64_t now)
{
    struct check *check = &instance->check;
    struct sockaddr_in place = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)instance->ports[0]), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check->next_us = 0;
    check->deadline_us = now + PATIENCE_US;
    check->got = 0;
    check->status = 0;
    check->asked = false;
    if (fd < 0) return end_check(keep, instance, false);
    int failed = connect(fd, (struct sockaddr *)&place, sizeof place) < 0 && errno != EINPROGRESS;
    check->watch = (struct watch){fd, check_ready};
    watch_add(&keep->shim, &check->watch, EPOLLOUT);
    if (failed) end_check(keep, instance, false);
}

void check_turn(struct keep *keep, struct instance *instance, int64_t now)
{
    struct check *check = &instance->check;
    if (check->deadline_us && now >= check->deadline_us) end_check(keep, instance, false);
    if (check->next_us && now >= check->next_us) ask(keep, instance, now);
}
