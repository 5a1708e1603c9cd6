/* load.c: a load generator with counters of its own: load --url http://127.0.0.1:PORT/path (--rate N | --connections N) --seconds S.

   Open loop (--rate): request i is due at i / N seconds, whatever became of the others; its latency counts from when it was due, so that a
   service that stands still is not flattered (Gil Tene, "How NOT to Measure Latency"). Closed loop: each connection asks anew when it is
   answered. One thread, epoll. Every request that was sent ends as an answer or as one kind of failure. */
#include "tests/support/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, READ_BYTES = 64 * 1024, LOOK_US = 20 * 1000, PAUSE_US = 10 * 1000 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- a request --- */

static void watch(struct load *load, struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void drop(struct connection *connection)
{
    if (connection->fd >= 0) close(connection->fd);
    connection->fd = -1;
}

static void free_up(struct load *load, struct connection *connection)
{
    connection->phase = IDLE;
    connection->next_free = load->free;
    load->free = connection;
    load->asking--;
}

static void fail(struct load *load, struct connection *connection, enum failure kind)
{
    load->failed[kind]++;
    drop(connection);
    connection->paused_until_us = kind == FAILED_REFUSED ? now_us() + PAUSE_US : 0; /* or a closed loop spins */
    free_up(load, connection);
}

static void count_key(struct load *load, const char *name)
{
    for (struct load_key *key = load->keys; key < load->keys + KEYS; key++) {
        if (key->count && strcmp(key->name, name) != 0) continue;
        if (!key->count) snprintf(key->name, sizeof key->name, "%s", name);
        key->count++;
        return;
    }
    load->other_keys++;
}

static void finish(struct load *load, struct connection *connection)
{
    const struct answer *answer = &connection->answer;
    int64_t took = now_us() - connection->due_us;
    load->answered++;
    load->statuses[answer->status]++;
    histogram_add(&load->latency, took > UINT32_MAX ? UINT32_MAX : (uint32_t)took);
    if (load->options.counts) count_key(load, answer->key);
    if (load->options.closes || answer->closes) drop(connection);
    free_up(load, connection);
}

static void send_request(struct load *load, struct connection *connection)
{
    const struct load_options *options = &load->options;
    ssize_t sent = send(connection->fd, options->request + connection->sent, options->request_size - connection->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        fail(load, connection, FAILED_RESET);
        return;
    }
    if (connection->phase == CONNECTING || sent <= 0 || connection->sent + (size_t)sent < options->request_size)
        watch(load, connection,
            EPOLLIN | (connection->sent + (size_t)(sent > 0 ? sent : 0) < options->request_size ? (uint32_t)EPOLLOUT : 0));
    connection->phase = ASKING;
    if (sent > 0) connection->sent += (size_t)sent;
}

static void open_connection(struct load *load, struct connection *connection)
{
    const struct sockaddr_in *address = &load->options.address;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connection->phase = CONNECTING;
    if (connection->fd < 0) {
        fail(load, connection, FAILED_REFUSED);
        return;
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event);
    if (connect(connection->fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
        fail(load, connection, FAILED_REFUSED);
}

static void ask(struct load *load, struct connection *connection, int64_t due_us)
{
    load->sent++;
    load->asking++;
    connection->due_us = due_us;
    connection->begun_us = now_us();
    connection->sent = 0;
    answer_begin(&connection->answer, load->options.key_header);
    connection->phase = ASKING;
    if (connection->fd < 0)
        open_connection(load, connection);
    else
        send_request(load, connection);
}

/* --- what happens on a connection --- */

static void on_closed(struct load *load, struct connection *connection)
{
    const struct answer *answer = &connection->answer;
    if (connection->phase == IDLE)
        drop(connection);
    else if (answer_end(&connection->answer))
        finish(load, connection);
    else
        fail(load, connection, answer->head_size ? FAILED_TORN : FAILED_RESET);
}

static void on_input(struct load *load, struct connection *connection)
{
    char bytes[READ_BYTES];
    ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || connection->phase == IDLE) {
        on_closed(load, connection);
        return;
    }
    load->bytes += (uint64_t)got;
    size_t taken = answer_take(&connection->answer, bytes, (size_t)got);
    if (connection->answer.state == ANSWER_WRONG || taken < (size_t)got)
        fail(load, connection, FAILED_PROTOCOL);
    else if (connection->answer.state == ANSWER_WHOLE)
        finish(load, connection);
}

static void on_event(struct load *load, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;
    int error = 0;
    socklen_t size = sizeof error;
    if (connection->fd < 0) return;
    if (connection->phase == CONNECTING) {
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            fail(load, connection, error == ECONNREFUSED ? FAILED_REFUSED : FAILED_RESET);
        else
            send_request(load, connection);
    } else if (event->events & EPOLLOUT) {
        send_request(load, connection);
    } else {
        on_input(load, connection);
    }
}

/* --- when to ask --- */

/* One that may ask now; NULL: all are asking, or pause. */
static struct connection *take_free(struct load *load, int64_t now)
{
    struct connection **at = &load->free;
    while (*at && (*at)->paused_until_us > now)
        at = &(*at)->next_free;
    struct connection *connection = *at;
    if (connection) *at = connection->next_free;
    return connection;
}

static bool wants_more(const struct load *load, int64_t now)
{
    if (interrupted || load->due >= load->options.requests) return false;
    return load->options.seconds <= 0 || (double)(now - load->began_us) < load->options.seconds * 1e6;
}

/* Asks all that is due; *ret_next: when the next one is, -1 = when something happens. */
static void ask_due(struct load *load, int64_t now, int64_t *ret_next)
{
    double rate = load->options.rate;
    *ret_next = -1;
    while (wants_more(load, now)) {
        int64_t due = rate > 0 ? load->began_us + (int64_t)((double)load->due * 1e6 / rate) : now;
        if (due > now) {
            *ret_next = due;
            return;
        }
        struct connection *connection = take_free(load, now);
        if (!connection) return;
        load->due++;
        ask(load, connection, due);
    }
}

static void end_late(struct load *load, int64_t now)
{
    for (unsigned i = 0; i < load->options.connections; i++) {
        struct connection *connection = &load->connections[i];
        if (connection->phase != IDLE && now - connection->begun_us > load->options.timeout_us) fail(load, connection, FAILED_TIMEOUT);
    }
}

static int wait_events(const struct load *load, struct epoll_event *events, int64_t until_us, int64_t now)
{
    int64_t left = until_us < 0 || until_us - now > LOOK_US ? LOOK_US : until_us - now;
    struct timespec timeout = {.tv_nsec = left > 0 ? left * 1000 : 0};
    int count = epoll_pwait2(load->epoll, events, EVENTS, &timeout, NULL);
    return count < 0 && errno == ENOSYS ? epoll_wait(load->epoll, events, EVENTS, 1) : count;
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS];
    int64_t looked = load->began_us = now_us();
    for (int64_t now = looked, next; wants_more(load, now) || (load->asking && interrupted < 1000); now = now_us()) {
        ask_due(load, now, &next);
        int count = wait_events(load, events, next, now);
        for (int i = 0; i < count; i++)
            on_event(load, &events[i]);
        if (now - looked > LOOK_US) {
            end_late(load, now);
            looked = now;
        }
    }
    load->ended_us = now_us();
}

int main(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof *load);
    if (!load) exit(1);
    load->options = load_read_options(argc, argv);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc(load->options.connections, sizeof *load->connections);
    if (!load->connections || load->epoll < 0) exit(1);
    for (unsigned i = load->options.connections; i-- > 0;) {
        load->connections[i].fd = -1;
        load->connections[i].next_free = load->free;
        load->free = &load->connections[i];
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    run(load);
    if (load->options.json)
        load_print_json(load, interrupted != 0);
    else
        load_print_words(load);
    for (unsigned i = 0; i < load->options.connections; i++)
        drop(&load->connections[i]);
    free(load->connections);
    close(load->epoll);
    free(load);
    return 0;
}
