/* answer.c: a very fast HTTP/1.1 service for benches, and a bad one for tests of what keeps services: answer PORT [OPTION...]. PORT may be
   `$PORT`'s value, or 0 for any. One thread, epoll, keep-alive; each connection is answered in order. Prints `listening on PORT`, and at
   SIGTERM `answered N` and ends with 0. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_BYTES = 64 * 1024, EVENTS = 256, MANY = 65536, LEAK_BYTES = 1024 * 1024, LEAK_EACH_MS = 10 };

static const char help[] = "usage: answer PORT [OPTION...]\n"
                           "  --delay-ms N        answers come N ms late\n"
                           "  --body TEXT         what every answer says (default: hello)\n"
                           "  --body-bytes N      N bytes of it instead\n"
                           "  --fail-every N      each Nth request is answered 500\n"
                           "  --hang-every N      each Nth request is never answered\n"
                           "  --healthz           GET /healthz is answered 200, and neither late nor failing nor counted\n"
                           "  --never-healthy     GET /healthz is answered 503\n"
                           "  --exit-after-ms N   ends with status 3 then\n"
                           "  --leak              takes 1 MiB more each 10 ms\n"
                           "  --ignore-term       SIGTERM is ignored\n"
                           "  --say TEXT          writes that to standard error first\n"
                           "  --no-listen         listens nowhere\n";

struct options {
    int port;
    long delay_ms, body_bytes, fail_every, hang_every, exit_after_ms;
    const char *body, *say;
    int healthz, never_healthy, leak, ignore_term, no_listen;
};

struct connection {
    int fd;
    char *output; /* what the peer has not taken */
    size_t output_size, output_sent;
    bool closing;
    struct connection *next, *previous, *next_late;
    int64_t due_us;
    unsigned late; /* answers that are due at due_us */
    size_t size;   /* of input, which is not zeroed */
    char input[INPUT_BYTES];
};

/* One thread, one of it: answered is what the program says at its end. */
struct service {
    struct options options;
    int epoll, listener;
    uint64_t requests, answered, hung;
    char *good, *bad, *healthy, *unhealthy;
    void *leaked;                                            /* each block begins with the one before */
    struct connection *connections, *late_first, *late_last; /* by due time: all are equally late */
    int64_t began_us;
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    ended = number;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static __attribute__((noreturn)) void fail(const char *what)
{
    fprintf(stderr, "answer: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- the words --- */

static long number_of(const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || *end || end == text || number < 0) {
        fprintf(stderr, "answer: '%s' is no number\n%s", text, help);
        exit(64);
    }
    return number;
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {.body = "hello"};
    const struct option table[] = {{"delay-ms", 1, NULL, 'd'}, {"body", 1, NULL, 'b'}, {"body-bytes", 1, NULL, 'B'},
        {"fail-every", 1, NULL, 'f'}, {"hang-every", 1, NULL, 'h'}, {"exit-after-ms", 1, NULL, 'x'}, {"say", 1, NULL, 's'},
        {"healthz", 0, &options.healthz, 1}, {"never-healthy", 0, &options.never_healthy, 1}, {"leak", 0, &options.leak, 1},
        {"ignore-term", 0, &options.ignore_term, 1}, {"no-listen", 0, &options.no_listen, 1}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (option == 'd') options.delay_ms = number_of(optarg);
        if (option == 'b') options.body = optarg;
        if (option == 'B') options.body_bytes = number_of(optarg);
        if (option == 'f') options.fail_every = number_of(optarg);
        if (option == 'h') options.hang_every = number_of(optarg);
        if (option == 'x') options.exit_after_ms = number_of(optarg);
        if (option == 's') options.say = optarg;
        if (option == '?') exit(64);
    }
    if (optind + 1 != argc) {
        fputs(help, stderr);
        exit(64);
    }
    options.port = (int)number_of(argv[optind]);
    return options;
}

static char *make_answer(const char *status, const char *body, long bytes)
{
    char *answer, *filler = NULL;
    if (bytes) {
        filler = malloc((size_t)bytes + 1);
        if (!filler) fail("memory");
        memset(filler, 'x', (size_t)bytes);
        filler[bytes] = '\0';
        body = filler;
    }
    if (asprintf(&answer, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body) < 0)
        fail("memory");
    free(filler);
    return answer;
}

/* --- connections --- */

static void drop_late(struct service *service, struct connection *connection)
{
    struct connection **at = &service->late_first, *before = NULL;
    while (*at && *at != connection) {
        before = *at;
        at = &(*at)->next_late;
    }
    if (!*at) return;
    *at = connection->next_late;
    if (service->late_last == connection) service->late_last = before;
}

static void close_connection(struct service *service, struct connection *connection)
{
    drop_late(service, connection);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        service->connections = connection->next;
    if (connection->next) connection->next->previous = connection->previous;
    epoll_ctl(service->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    close(connection->fd);
    free(connection->output);
    free(connection);
}

static void watch(struct service *service, struct connection *connection)
{
    uint32_t wanted = EPOLLIN | (connection->output_size > connection->output_sent ? (uint32_t)EPOLLOUT : 0);
    struct epoll_event event = {.events = wanted, .data.ptr = connection};
    epoll_ctl(service->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* false: the peer has left. */
static bool send_bytes(struct service *service, struct connection *connection, const char *bytes, size_t size)
{
    ssize_t sent = 0;
    if (connection->output_size == connection->output_sent) {
        sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < 0) sent = 0;
    }
    if ((size_t)sent == size) return true;
    size_t left = size - (size_t)sent;
    char *output = realloc(connection->output, connection->output_size + left);
    if (!output) fail("memory");
    connection->output = output;
    memcpy(connection->output + connection->output_size, bytes + sent, left);
    connection->output_size += left;
    watch(service, connection);
    return true;
}

static bool send_rest(struct service *service, struct connection *connection)
{
    size_t left = connection->output_size - connection->output_sent;
    ssize_t sent = send(connection->fd, connection->output + connection->output_sent, left, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->output_sent += (size_t)sent;
    if (connection->output_sent < connection->output_size) return true;
    connection->output_size = connection->output_sent = 0;
    watch(service, connection);
    return !connection->closing;
}

/* --- requests --- */

static bool answer_one(struct service *service, struct connection *connection)
{
    bool bad = service->options.fail_every && ++service->requests % (uint64_t)service->options.fail_every == 0;
    service->answered++;
    const char *answer = bad ? service->bad : service->good;
    return send_bytes(service, connection, answer, strlen(answer));
}

static void answer_late(struct service *service, struct connection *connection)
{
    if (connection->late++) return;
    connection->due_us = now_us() + service->options.delay_ms * 1000;
    connection->next_late = NULL;
    if (service->late_last)
        service->late_last->next_late = connection;
    else
        service->late_first = connection;
    service->late_last = connection;
}

static bool answer_due(struct service *service, int64_t now)
{
    while (service->late_first && service->late_first->due_us <= now) {
        struct connection *connection = service->late_first;
        service->late_first = connection->next_late;
        if (!service->late_first) service->late_last = NULL;
        bool there = true;
        for (; there && connection->late; connection->late--)
            there = answer_one(service, connection);
        if (!there || (connection->closing && connection->output_size == 0)) close_connection(service, connection);
    }
    return service->late_first != NULL;
}

static bool handle(struct service *service, struct connection *connection, const char *head, size_t size)
{
    bool health = (service->options.healthz || service->options.never_healthy) && size > 12 && memcmp(head, "GET /healthz", 12) == 0;
    const char *found = memmem(head, size, "onnection: close", 16);
    if (found) connection->closing = true;
    if (health) {
        const char *answer = service->options.never_healthy ? service->unhealthy : service->healthy;
        return send_bytes(service, connection, answer, strlen(answer)) && !connection->closing;
    }
    if (service->options.hang_every && ++service->hung % (uint64_t)service->options.hang_every == 0) return true;
    if (service->options.delay_ms) {
        answer_late(service, connection);
        return true;
    }
    return answer_one(service, connection) && (!connection->closing || connection->output_size);
}

/* A body is passed over by its Content-Length; what is larger than the input is no request for this service. */
static size_t body_size(const char *head, size_t size)
{
    const char *line = memmem(head, size, "ontent-", 7);
    for (; line; line = memmem(line + 1, (size_t)(head + size - line - 1), "ontent-", 7))
        if (strncasecmp(line, "ontent-length:", 14) == 0) return strtoul(line + 14, NULL, 10);
    return 0;
}

static bool take_requests(struct service *service, struct connection *connection)
{
    size_t from = 0;
    for (const char *end; (end = memmem(connection->input + from, connection->size - from, "\r\n\r\n", 4));) {
        size_t head = (size_t)(end + 4 - connection->input) - from, body = body_size(connection->input + from, head);
        if (body > INPUT_BYTES || from + head + body > connection->size) break;
        if (!handle(service, connection, connection->input + from, head)) return false;
        from += head + body;
    }
    memmove(connection->input, connection->input + from, connection->size - from);
    connection->size -= from;
    return connection->size < INPUT_BYTES;
}

static bool on_input(struct service *service, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->input + connection->size, INPUT_BYTES - connection->size, 0);
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    connection->size += (size_t)got;
    return take_requests(service, connection);
}

static void on_connection(struct service *service)
{
    for (int fd; (fd = accept4(service->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct connection *connection = malloc(sizeof *connection);
        if (!connection) fail("memory");
        memset(connection, 0, offsetof(struct connection, input));
        connection->fd = fd;
        connection->next = service->connections;
        if (service->connections) service->connections->previous = connection;
        service->connections = connection;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(service->epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll");
    }
}

static void on_event(struct service *service, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;
    if (!connection) {
        on_connection(service);
        return;
    }
    bool there = true;
    if (event->events & EPOLLOUT) there = send_rest(service, connection);
    if (there && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))) there = on_input(service, connection);
    if (!there) close_connection(service, connection);
}

static void listen_on(struct service *service)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)service->options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    service->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(service->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(service->listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(service->listener, MANY) < 0) fail("listen");
    getsockname(service->listener, (struct sockaddr *)&address, &size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(service->epoll, EPOLL_CTL_ADD, service->listener, &event);
    printf("listening on %u\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void leak(struct service *service)
{
    void **block = malloc(LEAK_BYTES);
    if (!block) return;
    memset(block, 1, LEAK_BYTES);
    *block = service->leaked;
    service->leaked = block;
}

/* How long to wait for an event: until something is to be done without one. */
static int wait_ms(const struct service *service)
{
    int64_t left = service->late_first ? service->late_first->due_us - now_us() : 0;
    if (service->late_first) return left <= 0 ? 0 : (int)((left + 999) / 1000);
    return service->options.leak ? LEAK_EACH_MS : service->options.exit_after_ms ? 5 : -1;
}

static void serve(struct service *service)
{
    struct epoll_event events[EVENTS];
    while (!ended) {
        int count = epoll_wait(service->epoll, events, EVENTS, wait_ms(service));
        for (int i = 0; i < count; i++)
            on_event(service, &events[i]);
        answer_due(service, now_us());
        if (service->options.leak) leak(service);
        if (service->options.exit_after_ms && now_us() - service->began_us >= service->options.exit_after_ms * 1000) exit(3);
    }
}

static void release(struct service *service)
{
    while (service->connections)
        close_connection(service, service->connections);
    for (void **block = service->leaked, **before; block; block = before) {
        before = *block;
        free(block);
    }
    free(service->good);
    free(service->bad);
    free(service->healthy);
    free(service->unhealthy);
}

int main(int argc, char **argv)
{
    struct service service = {.options = read_options(argc, argv), .began_us = now_us(), .epoll = epoll_create1(EPOLL_CLOEXEC)};
    const struct options *options = &service.options;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    if (options->ignore_term) action.sa_handler = SIG_IGN;
    sigaction(SIGTERM, &action, NULL);
    service.good = make_answer("200 OK", options->body, options->body_bytes);
    service.bad = make_answer("500 Internal Server Error", "failing on purpose", 0);
    service.healthy = make_answer("200 OK", "healthy", 0);
    service.unhealthy = make_answer("503 Service Unavailable", "not healthy", 0);
    if (options->say) fprintf(stderr, "%s\n", options->say);
    if (!options->no_listen) listen_on(&service);
    serve(&service);
    printf("answered %llu\n", (unsigned long long)service.answered);
    release(&service);
    return 0;
}
