/* compress.c: compresses the logs of runs at rest. Which are left is a mark in the journal (store/journal.h), written with the end of the
   run and removed when its log is compressed, or found not to be worth it; so nothing is forgotten over a restart, and nobody looks at all
   runs. A log whose shim is not gone yet waits for its turn to come round again. A full disk ends the round. */
#include "run/compress.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/log_compress.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SOON_MS = 500,        /* after a run's end: its shim is mostly gone then */
    ROUND_MS = 60 * 1000, /* after a round that left something */
    LOWEST_NICE = 19,
    LOWEST_IO = 3 << 13, /* the idle class of ioprio_set(2) */
};

struct compressing {
    struct engine *engine;
    uint64_t after;    /* the marks up to here were looked at in this round */
    uint64_t run;      /* whose log is worked at, or whose mark is being removed; 0 = none */
    bool again;        /* a run ended meanwhile */
    bool left;         /* something was passed over in this round */
    uint64_t pause_ms; /* before the next round, where one left something: longer each time */
    bool told;         /* that the disk is full */
    uv_timer_t timer;
    uv_async_t done;
    unsigned handles; /* that are not closed */
    /* the thread's, while it runs */
    bool working;
    uv_thread_t thread;
    char *folder;
    atomic_bool stop;
    bool is_written; /* its shim is alive */
    int failed;
    struct log_compressed result;
    struct error err;
};

static void go_on(struct compressing *compressing);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void look_later(struct compressing *compressing, uint64_t wait_ms)
{
    uv_timer_start(&compressing->timer, on_timer, wait_ms, 0);
}

/* --- the thread --- */

/* Linux gives each thread a priority of its own. That cannot be taken back, so the thread is not one of libuv's. */
static void be_modest(void)
{
    pid_t thread = (pid_t)syscall(SYS_gettid);
    (void)setpriority(PRIO_PROCESS, (id_t)thread, LOWEST_NICE);
    (void)syscall(SYS_ioprio_set, 1, thread, LOWEST_IO);
}

static void work(void *context)
{
    struct compressing *compressing = context;
    AUTO(free_text) char *path = mem_format("%s/log", compressing->folder);
    be_modest();
    compressing->is_written = supervisor_lives(compressing->folder);
    compressing->failed = compressing->is_written ? 0 : log_compress(path, &compressing->stop, &compressing->result, &compressing->err);
    uv_async_send(&compressing->done);
}

static void begin(struct compressing *compressing, uint64_t run)
{
    free(compressing->folder);
    compressing->folder = mem_format("%s/runs/%llu", compressing->engine->options.data, (unsigned long long)run);
    compressing->run = run;
    compressing->result = (struct log_compressed){0};
    compressing->working = uv_thread_create(&compressing->thread, work, compressing) == 0;
    if (compressing->working) return;
    compressing->run = 0;
    look_later(compressing, ROUND_MS);
}

static void join(struct compressing *compressing)
{
    if (!compressing->working) return;
    uv_thread_join(&compressing->thread);
    compressing->working = false;
}

/* --- what came of it --- */

static void on_unmarked(void *context)
{
    struct compressing *compressing = context;
    compressing->run = 0;
    go_on(compressing);
}

static void unmark(struct compressing *compressing)
{
    journal_append(compressing->engine->journal, &(struct journal_batch){.log_mark = {compressing->run, true}}, on_unmarked, compressing);
}

/* Another failure than a full disk would be the same the next time: the log stays as it is, and can be read as it is. */
static bool is_passing(struct compressing *compressing)
{
    if (compressing->failed == -ERROR_TIMEOUT || compressing->failed == -ERROR_UNAVAILABLE) return true;
    if (compressing->failed != -ERROR_NO_SPACE) {
        log_error(&compressing->err, "a log stays uncompressed");
        return false;
    }
    if (!compressing->told) log_error(&compressing->err, "logs stay uncompressed until there is space again");
    compressing->told = true;
    return true;
}

static void on_done(uv_async_t *async)
{
    struct compressing *compressing = async->data;
    if (!compressing->working) return;
    join(compressing);
    if (compressing->engine->closing || compressing->engine->failed) return;
    if (compressing->failed && is_passing(compressing)) {
        compressing->run = 0;
        compressing->after = 0;
        look_later(compressing, ROUND_MS);
        return;
    }
    if (compressing->result.after) compressing->told = false;
    compressing->after = compressing->run;
    if (!compressing->is_written) {
        unmark(compressing);
        return;
    }
    compressing->left = true;
    compressing->run = 0;
    go_on(compressing);
}

/* --- which --- */

static void go_on(struct compressing *compressing)
{
    struct error err;
    uint64_t run = 0;
    if (compressing->run || compressing->engine->closing || compressing->engine->failed) return;
    if (journal_next_marked_log(compressing->engine->journal, compressing->after, &run, &err) < 0)
        log_error(&err, "logs to compress cannot be looked for");
    if (run) {
        begin(compressing, run);
        return;
    }
    compressing->after = 0;
    compressing->pause_ms = compressing->again || !compressing->left ? SOON_MS : 2 * compressing->pause_ms;
    if (compressing->pause_ms > ROUND_MS) compressing->pause_ms = ROUND_MS;
    if (compressing->again || compressing->left) look_later(compressing, compressing->pause_ms);
    compressing->again = compressing->left = false;
}

struct log_mark compress_mark(const struct live_run *run)
{
    AUTO(free_text) char *path = mem_format("%s/log", run->folder);
    struct stat status;
    bool pays = run_status_at_rest(run->state->status) && stat(path, &status) == 0 && status.st_size >= LOG_COMPRESS_MIN_BYTES;
    return (struct log_mark){pays ? run->number : 0, false};
}

void compress_soon(struct compressing *compressing)
{
    if (!compressing) return;
    compressing->again = true;
    if (!compressing->run && !compressing->told) look_later(compressing, SOON_MS);
}

bool compress_is_at(const struct compressing *compressing, uint64_t run)
{
    return compressing && compressing->run == run;
}

/* --- opening and closing --- */

struct compressing *compress_open(struct engine *engine)
{
    struct compressing *compressing = mem_alloc(sizeof *compressing);
    compressing->engine = engine;
    compressing->handles = 2;
    compressing->pause_ms = SOON_MS;
    uv_timer_init(engine->loop, &compressing->timer);
    uv_async_init(engine->loop, &compressing->done, on_done);
    compressing->timer.data = compressing->done.data = compressing;
    uv_unref((uv_handle_t *)&compressing->timer);
    uv_unref((uv_handle_t *)&compressing->done);
    look_later(compressing, SOON_MS);
    return compressing;
}

static void on_closed(uv_handle_t *handle)
{
    struct compressing *compressing = handle->data;
    if (--compressing->handles) return;
    free(compressing->folder);
    free(compressing);
}

void compress_close(struct compressing **place)
{
    struct compressing *compressing = take(place);
    if (!compressing) return;
    atomic_store(&compressing->stop, true);
    join(compressing);
    uv_close((uv_handle_t *)&compressing->timer, on_closed);
    uv_close((uv_handle_t *)&compressing->done, on_closed);
}
