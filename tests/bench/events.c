/* events.c: how long a durable event takes until it is acknowledged, through the journal's own functions, beside its floor:
   events floor|journal FOLDER COUNT SPACING_US: prints the latency of each event in microseconds, a line each.

   Event i is due at i * SPACING_US, whatever became of the others, and its latency counts from then. The floor appends the bytes of an
   event to a file and syncs them by fdatasync; what became due during a sync is appended together and shares the next one. The journal is
   given what the engine gives it: an event, the run's row and a step's row. */
#include "base/clock.h"
#include "base/mem.h"
#include "store/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char payload[] = "{\"attempt\":1,\"exit_code\":0,\"log_bytes\":1234,\"usage\":{\"cpu_ms\":12,\"memory_bytes\":1048576}}";

struct bench {
    uv_loop_t loop;
    struct journal *journal;
    int timer;
    int64_t start_us, spacing_us;
    long count, sent, answered;
    struct one {
        struct bench *bench;
        int64_t due_us, took_us;
    } * ones;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void start(struct bench *bench)
{
    bench->start_us = now_us() + 10000;
    for (long i = 0; i < bench->count; i++)
        bench->ones[i] = (struct one){bench, bench->start_us + i * bench->spacing_us, 0};
}

static struct timespec time_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* --- the floor --- */

static void floor_run(struct bench *bench, const char *folder)
{
    AUTO(free_text) char *path = mem_format("%s/floor", folder);
    int file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) die(path);
    start(bench);
    while (bench->answered < bench->count) {
        struct timespec due = time_of(bench->ones[bench->sent].due_us);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        for (int64_t now = now_us(); bench->sent < bench->count && bench->ones[bench->sent].due_us <= now; bench->sent++)
            if (write(file, payload, sizeof payload) != sizeof payload) die("write");
        if (fdatasync(file) < 0) die("fdatasync");
        for (int64_t now = now_us(); bench->answered < bench->sent; bench->answered++)
            bench->ones[bench->answered].took_us = now - bench->ones[bench->answered].due_us;
    }
    close(file);
}

/* --- the journal --- */

static void committed(void *context)
{
    struct one *one = context;
    one->took_us = now_us() - one->due_us;
    if (++one->bench->answered == one->bench->count) uv_stop(&one->bench->loop);
}

static void append(struct bench *bench, struct one *one)
{
    enum { EVENTS_OF_A_RUN = 100 };
    uint64_t number = (uint64_t)(one - bench->ones), run = number / EVENTS_OF_A_RUN + 1;
    const struct journal_event event = {.run = run,
        .seq = number % EVENTS_OF_A_RUN + 1,
        .time_ms = clock_now_ms(),
        .type = "step_succeeded",
        .step = (uint32_t)(number % EVENTS_OF_A_RUN),
        .durable = true,
        .data = payload};
    const struct run_row run_row = {.run = run, .pipeline = "bench", .state = "running", .accepted_ms = 1, .step_count = EVENTS_OF_A_RUN};
    const struct step_row step_row = {
        .run = run, .step = event.step, .path = "s/run", .type = "run", .title = "true", .state = "succeeded"};
    const struct journal_batch batch = {.events = &event, .event_count = 1, .run = &run_row, .steps = &step_row, .step_count = 1};
    journal_append(bench->journal, &batch, committed, one);
}

static void due(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct bench *bench = poll->data;
    uint64_t times;
    if (read(bench->timer, &times, sizeof times) < 0) return;
    for (int64_t now = now_us(); bench->sent < bench->count && bench->ones[bench->sent].due_us <= now; bench->sent++)
        append(bench, &bench->ones[bench->sent]);
}

static void failed(void *context, const struct error *err)
{
    (void)context;
    fprintf(stderr, "events: %s\n", err->message);
    exit(1);
}

/* After the last answer: closes all, and lets the loop come round. */
static void journal_run(struct bench *bench, const char *folder)
{
    struct error err;
    uv_poll_t poll = {.data = bench};
    const struct journal_options options = {.folder = folder, .failed = failed};
    uv_loop_init(&bench->loop);
    if (journal_open(&bench->loop, &options, &bench->journal, &err) < 0) failed(NULL, &err);
    bench->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    start(bench);
    const struct itimerspec times = {.it_value = time_of(bench->start_us), .it_interval = time_of(bench->spacing_us)};
    if (timerfd_settime(bench->timer, TFD_TIMER_ABSTIME, &times, NULL) < 0) die("timerfd_settime");
    uv_poll_init(&bench->loop, &poll, bench->timer);
    uv_poll_start(&poll, UV_READABLE, due);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&poll, NULL);
    if (journal_count(bench->journal).events != (uint64_t)bench->count) die("not all events are on disk");
    journal_close(&bench->journal);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    close(bench->timer);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: events floor|journal FOLDER COUNT SPACING_US\n");
        return 64;
    }
    struct bench bench = {.count = strtol(argv[3], NULL, 10), .spacing_us = strtoll(argv[4], NULL, 10)};
    bench.ones = mem_alloc_array((size_t)bench.count, sizeof *bench.ones);
    if (strcmp(argv[1], "floor") == 0)
        floor_run(&bench, argv[2]);
    else
        journal_run(&bench, argv[2]);
    for (long i = 0; i < bench.count; i++)
        printf("%lld\n", (long long)bench.ones[i].took_us);
    free(bench.ones);
    return 0;
}
