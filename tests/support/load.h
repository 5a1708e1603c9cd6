/* load.h: what the parts of `build/load` share: what it is told, what it counts, and how both are said. */
#ifndef CRESCENDO_TESTS_LOAD_H
#define CRESCENDO_TESTS_LOAD_H

#include "orchestrator/telemetry/histogram.h"
#include "tests/support/load_http.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYS = 32 };

enum failure { FAILED_REFUSED, FAILED_RESET, FAILED_TORN, FAILED_TIMEOUT, FAILED_PROTOCOL, FAILED_KINDS };

/* What it is told to do. */
struct load_options {
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

struct load_key {
    char name[ANSWER_KEY_BYTES];
    uint64_t count;
};

struct load {
    struct load_options options;
    int epoll;
    struct connection *connections;
    struct connection *free; /* those that ask nothing */
    unsigned asking;
    int64_t began_us, ended_us;
    uint64_t due, sent, answered, statuses[600], failed[FAILED_KINDS], bytes;
    struct load_key keys[KEYS];
    uint64_t other_keys;
    struct histogram latency;
};

/* load_options.c: what the words of the command say. Where they say nothing, it tells how they are written and ends the program. */
struct load_options load_read_options(int argc, char **argv);

/* load_report.c: what was counted, as one line of JSON or as lines for people. `interrupted`: it was ended before its time. */
void load_print_json(const struct load *load, bool interrupted);
void load_print_words(const struct load *load);

#endif
