/* keep.c: forgets old runs. One thing is under way at a time: a run's folder is removed by a worker thread, or a few rows of it by the
   journal's writer, behind everything that was queued before; what comes next is looked for when that is done. Never forgotten: a run that
   is not at rest, one that an open run goes on from, and the one with the highest number, because numbers, and with them the keys of
   effects, must not come again. */
#include "run/keep.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/compress.h"

#include <stdlib.h>

enum {
    LOOK_MS = 60 * 1000,
    ROWS_AT_ONCE = 500,  /* of a transaction: some 5 ms of the writer */
    LOOKS_AT_ONCE = 200, /* old runs that are still open are passed over; so many in one go */
};

struct keeping {
    struct engine *engine; /* NULL: closed */
    int64_t keep_ms;
    uint64_t after;         /* old runs up to here were looked at */
    uint64_t folder_gone;   /* the marked run whose folder was removed */
    char *folder;           /* that the worker removes */
    bool writing, removing; /* by the journal's writer, by the worker */
    uv_timer_t timer;
    uv_work_t work;
    bool timer_closed;
};

static void go_on(struct keeping *keeping);
static void look_later(struct keeping *keeping, uint64_t wait_ms);

static void release(struct keeping *keeping)
{
    if (keeping->engine || keeping->removing || !keeping->timer_closed) return;
    free(keeping->folder);
    free(keeping);
}

static void done(struct keeping *keeping)
{
    keeping->writing = keeping->removing = false;
    if (keeping->engine)
        go_on(keeping);
    else
        release(keeping);
}

/* --- the journal --- */

static void on_removed(void *context)
{
    done(context);
}

/* rows 0: it is marked, and gone from the lists. */
static void forget(struct keeping *keeping, uint64_t run, unsigned rows)
{
    keeping->writing = true;
    journal_append(keeping->engine->journal, &(struct journal_batch){.forget = {run, rows}}, on_removed, keeping);
}

/* --- the folder --- */

static void remove_folder(uv_work_t *work)
{
    struct keeping *keeping = work->data;
    struct error err;
    if (file_remove_tree(keeping->folder, &err) < 0) log_error(&err, "the folder of a run that is forgotten stays behind");
}

static void folder_removed(uv_work_t *work, int status)
{
    struct keeping *keeping = work->data;
    (void)status;
    done(keeping);
}

static void forget_folder(struct keeping *keeping, uint64_t run)
{
    free(keeping->folder);
    keeping->folder = mem_format("%s/runs/%llu", keeping->engine->options.data, (unsigned long long)run);
    keeping->folder_gone = run;
    keeping->work.data = keeping;
    keeping->removing = uv_queue_work(keeping->engine->loop, &keeping->work, remove_folder, folder_removed) == 0;
    if (!keeping->removing) look_later(keeping, LOOK_MS);
}

/* --- which --- */

static bool is_needed(const struct engine *engine, uint64_t run)
{
    for (const struct live_run *live = engine->runs; live; live = live->next)
        if (live->number == run || live->from_run == run) return true;
    return false;
}

/* The next run that is old enough; 0 = none now. Runs are accepted in the order of their numbers, so the first that is too young ends it.
 */
static int find_old(struct keeping *keeping, uint64_t *ret_run, struct error *err)
{
    int64_t before_ms = clock_now_ms() - keeping->keep_ms;
    *ret_run = 0;
    for (unsigned looks = 0; looks < LOOKS_AT_ONCE; looks++) {
        struct old_run old;
        int failed = journal_next_old_run(keeping->engine->journal, keeping->after, &old, err);
        if (failed) return failed;
        if (!old.run || old.accepted_ms >= before_ms) {
            keeping->after = 0;
            return 0;
        }
        keeping->after = old.run;
        if (!old.ended_ms || old.ended_ms >= before_ms || is_needed(keeping->engine, old.run)) continue;
        *ret_run = old.run;
        return 0;
    }
    return 0;
}

static int look(struct keeping *keeping, struct error *err)
{
    uint64_t run = 0;
    int failed = journal_next_forgotten(keeping->engine->journal, &run, err);
    if (failed) return failed;
    if (run && compress_is_at(keeping->engine->compressing, run)) return 0; /* a new file would come into its folder: the next time */
    if (run && keeping->folder_gone != run) {
        forget_folder(keeping, run);
        return 0;
    }
    if (run) {
        forget(keeping, run, ROWS_AT_ONCE);
        return 0;
    }
    if (keeping->keep_ms) failed = find_old(keeping, &run, err);
    if (run) forget(keeping, run, 0);
    return failed;
}

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

static void look_later(struct keeping *keeping, uint64_t wait_ms)
{
    uv_timer_start(&keeping->timer, on_timer, wait_ms, 0);
    uv_unref((uv_handle_t *)&keeping->timer);
}

static void go_on(struct keeping *keeping)
{
    struct error err;
    if (keeping->writing || keeping->removing || keeping->engine->closing || keeping->engine->failed) return;
    if (look(keeping, &err) < 0) log_error(&err, "old runs cannot be looked for");
    /* Old runs that are open were passed over, and there are more behind them: go on where that ended. */
    if (!keeping->writing && !keeping->removing) look_later(keeping, keeping->after ? 0 : LOOK_MS);
}

struct keeping *keep_open(struct engine *engine, int64_t keep_ms)
{
    struct keeping *keeping = mem_alloc(sizeof *keeping);
    *keeping = (struct keeping){.engine = engine, .keep_ms = keep_ms};
    uv_timer_init(engine->loop, &keeping->timer);
    keeping->timer.data = keeping;
    look_later(keeping, 0);
    return keeping;
}

static void on_closed(uv_handle_t *handle)
{
    struct keeping *keeping = handle->data;
    keeping->timer_closed = true;
    release(keeping);
}

void keep_close(struct keeping **place)
{
    struct keeping *keeping = take(place);
    if (!keeping) return;
    keeping->engine = NULL;
    uv_close((uv_handle_t *)&keeping->timer, on_closed);
}
