/* load.c: a load generator with counters of its own: load --url http://127.0.0.1:PORT/path (--rate N | --connections N) --seconds S.

   Open loop (--rate): request i is due at i / N seconds, whatever became of the others; its latency counts from when it was due, so that a
   service that stands still is not flattered (Gil Tene, "How NOT to Measure Latency"). Closed loop: each connection asks anew when it is
   answered. One thread, epoll. Every request that was sent ends as an answer or as one kind of failure. */
#include "orchestrator/telemetry/histogram.h"
#include "tests/support/load_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
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

enum { EVENTS = 256, KEYS = 32, READ_BYTES = 64 * 1024, LOOK_US = 20 * 1000, PAUSE_US = 10 * 1000 };

static const char help[] =
    "usage: load --url http://127.0.0.1:PORT/PATH [OPTION...]\n"
    "  --rate N             so many requests a second, whether they are answered or not\n"
    "  --connections N      so many connections, each asking anew when answered (16); with --rate: at most so many (1000)\n"
    "  --seconds S          for so long (10); 0: until SIGINT or SIGTERM\n"
    "  --requests N         at most so many\n"
    "  --timeout-ms N       an answer later than this is a failure (5000)\n"
    "  --close              a connection a request\n"
    "  --count-by WHAT      `body`: counts answers by their first line; `header:NAME`: by a header\n"
    "  --json               one line of JSON\n";

enum failure { FAILED_REFUSED, FAILED_RESET, FAILED_TORN, FAILED_TIMEOUT, FAILED_PROTOCOL, FAILED_KINDS };
static const char *const failure_names[FAILED_KINDS] = {"refused", "reset", "torn", "timeout", "protocol"};

struct options {
    struct sockaddr_in address;
    char request[2048];
    size_t request_size;
    double rate, seconds;
    unsigned connections;
    uint64_t requests;
    int64_t timeout_us;
    bool closes, json, counts;
    const char *key_header; /* NULL with counts: the body */
};

enum phase { IDLE, CONNECTING, ASKING };

struct connection {
    int fd; /* -1: none */
    enum phase phase;
    size_t sent;
    int64_t due_us, begun_us, paused_until_us;
    struct answer answer;
    struct connection *next_free;
};

struct key {
    char name[ANSWER_KEY_BYTES];
    uint64_t count;
};

struct load {
    struct options options;
    int epoll;
    struct connection *connections;
    struct connection *free; /* those that ask nothing */
    unsigned asking;
    int64_t began_us, ended_us;
    uint64_t due, sent, answered, statuses[600], failed[FAILED_KINDS], bytes;
    struct key keys[KEYS];
    uint64_t other_keys;
    struct histogram latency;
};

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

/* --- the words --- */

static void wrong(const char *what, const char *text)
{
    fprintf(stderr, "load: %s '%s'\n%s", what, text, help);
    exit(64);
}

static double number_of(const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (*end || end == text || !(number >= 0) || number > 1e9) wrong("no number:", text);
    return number;
}

static void read_url(const char *url, bool closes, struct options *options)
{
    char host[64] = "";
    unsigned port = 80;
    int used = 0;
    if (sscanf(url, "http://%63[0-9.]:%u%n", host, &port, &used) < 1 || port > 65535) wrong("no address like http://127.0.0.1:80/:", url);
    if (!used) used = 7 + (int)strlen(host);
    const char *path = url[used] ? url + used : "/";
    options->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &options->address.sin_addr) != 1 || path[0] != '/') wrong("no address like http://127.0.0.1:80/:", url);
    int size = snprintf(options->request, sizeof options->request, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: load\r\n%s\r\n", path,
        host, port, closes ? "Connection: close\r\n" : "");
    if (size < 0 || (size_t)size >= sizeof options->request) wrong("too long:", url);
    options->request_size = (size_t)size;
}

static void read_count_by(const char *what, struct options *options)
{
    options->counts = true;
    if (strncmp(what, "header:", 7) == 0)
        options->key_header = what + 7;
    else if (strcmp(what, "body") != 0)
        wrong("--count-by is body or header:NAME, not", what);
}

static struct options read_options(int argc, char **argv)
{
    struct options options = {.seconds = 10, .requests = UINT64_MAX, .timeout_us = 5000000};
    const char *url = NULL;
    const struct option table[] = {{"url", 1, NULL, 'u'}, {"rate", 1, NULL, 'r'}, {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'},
        {"requests", 1, NULL, 'n'}, {"timeout-ms", 1, NULL, 't'}, {"close", 0, NULL, 'x'}, {"count-by", 1, NULL, 'k'},
        {"json", 0, NULL, 'j'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        if (option == 'u') url = optarg;
        if (option == 'r') options.rate = number_of(optarg);
        if (option == 'c') options.connections = (unsigned)number_of(optarg);
        if (option == 's') options.seconds = number_of(optarg);
        if (option == 'n') options.requests = (uint64_t)number_of(optarg);
        if (option == 't') options.timeout_us = (int64_t)(number_of(optarg) * 1000);
        if (option == 'x') options.closes = true;
        if (option == 'k') read_count_by(optarg, &options);
        if (option == 'j') options.json = true;
        if (option == '?') exit(64);
    }
    if (!url || optind != argc) wrong("--url is needed, and nothing else that is no option:", optind < argc ? argv[optind] : "");
    if (!options.connections) options.connections = options.rate > 0 ? 1000 : 16;
    read_url(url, options.closes, &options);
    return options;
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
    for (struct key *key = load->keys; key < load->keys + KEYS; key++) {
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
    const struct options *options = &load->options;
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

/* --- what it has --- */

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        if ((unsigned char)*text >= 32) putchar(*text);
    }
    putchar('"');
}

static void print_latency(const struct histogram *latency)
{
    static const struct {
        const char *name;
        unsigned of_10000;
    } quantiles[] = {{"p50", 5000}, {"p90", 9000}, {"p95", 9500}, {"p99", 9900}, {"p99_9", 9990}};
    printf("\"latency_us\": {");
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        printf("\"%s\": %u, ", quantiles[i].name, histogram_quantile(latency, quantiles[i].of_10000));
    printf("\"max\": %u}", latency->max);
}

/* Of an open loop: what was due, but found every connection busy to the end. */
static uint64_t unsent(const struct load *load)
{
    double asked_us = load->options.seconds * 1e6, took_us = (double)(load->ended_us - load->began_us);
    double due = load->options.rate * (asked_us > 0 && asked_us < took_us ? asked_us : took_us) / 1e6;
    if (due > (double)load->options.requests) due = (double)load->options.requests;
    return !interrupted && due > (double)load->sent ? (uint64_t)due - load->sent : 0;
}

static void print_json(const struct load *load)
{
    double seconds = (double)(load->ended_us - load->began_us) / 1e6;
    const char *comma = "";
    uint64_t failed = 0;
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        failed += load->failed[kind];
    printf("{\"sent\": %llu, \"unsent\": %llu, \"answered\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"per_second\": %.1f, \"bytes\": "
           "%llu, \"status\": {",
        (unsigned long long)load->sent, (unsigned long long)unsent(load), (unsigned long long)load->answered, (unsigned long long)failed,
        seconds, (double)load->answered / seconds, (unsigned long long)load->bytes);
    for (int status = 0; status < 600; status++) {
        if (!load->statuses[status]) continue;
        printf("%s\"%d\": %llu", comma, status, (unsigned long long)load->statuses[status]);
        comma = ", ";
    }
    printf("}, \"failures\": {");
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        printf("%s\"%s\": %llu", kind ? ", " : "", failure_names[kind], (unsigned long long)load->failed[kind]);
    printf("}, \"by\": {");
    for (int i = 0; i < KEYS && load->keys[i].count; i++) {
        if (i) printf(", ");
        print_text(load->keys[i].name);
        printf(": %llu", (unsigned long long)load->keys[i].count);
    }
    printf("}, \"by_other\": %llu, ", (unsigned long long)load->other_keys);
    print_latency(&load->latency);
    printf("}\n");
}

static void print_words(const struct load *load)
{
    const struct histogram *latency = &load->latency;
    printf("sent %llu, answered %llu in %.1f s\n", (unsigned long long)load->sent, (unsigned long long)load->answered,
        (double)(load->ended_us - load->began_us) / 1e6);
    for (int status = 0; status < 600; status++)
        if (load->statuses[status]) printf("  status %d: %llu\n", status, (unsigned long long)load->statuses[status]);
    for (int kind = 0; kind < FAILED_KINDS; kind++)
        if (load->failed[kind]) printf("  failed, %s: %llu\n", failure_names[kind], (unsigned long long)load->failed[kind]);
    for (int i = 0; i < KEYS && load->keys[i].count; i++)
        printf("  %s: %llu\n", load->keys[i].name, (unsigned long long)load->keys[i].count);
    printf("  p50 %u us, p95 %u us, p99 %u us, most %u us\n", histogram_quantile(latency, 5000), histogram_quantile(latency, 9500),
        histogram_quantile(latency, 9900), latency->max);
}

int main(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof *load);
    if (!load) exit(1);
    load->options = read_options(argc, argv);
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
        print_json(load);
    else
        print_words(load);
    for (unsigned i = 0; i < load->options.connections; i++)
        drop(&load->connections[i]);
    free(load->connections);
    close(load->epoll);
    free(load);
    return 0;
}
