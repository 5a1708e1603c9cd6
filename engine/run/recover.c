/* recover.c: what a restart takes up: each open run is folded from the journal, and its shim is asked what happened since. */
#include "run/live.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "exec/launch.h"
#include "run/lease.h"
#include "run/sleep.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

struct fold { /* the run that grows from its rows */
    struct engine *engine;
    struct live_run *run;
    struct error err;
};

static int first_row(struct fold *fold, const struct journal_row *row, json_t *data)
{
    struct plan *plan = NULL;
    if (engine_read_plan(fold->engine, row->run, &plan, &fold->err) < 0) return -(int)fold->err.code;
    fold->run = live_new(fold->engine, row->run, plan, json_incref(data));
    return 0;
}

static int fold_row(void *context, const struct journal_row *row)
{
    struct fold *fold = context;
    AUTO(free_json) json_t *data = NULL;
    int type = event_type_from_name(row->type);
    if (type < 0) {
        error_set(&fold->err, ERROR_UNSUPPORTED, NOWHERE, "run %llu holds the event '%s', which this version does not know",
            (unsigned long long)row->run, row->type);
        return error_hint(&fold->err, "start the version that wrote it, or a newer one");
    }
    if (row->data && json_parse_stored(row->data, strlen(row->data), row->type, &data, &fold->err) < 0) return -(int)fold->err.code;
    if (!fold->run && first_row(fold, row, data) < 0) return -(int)fold->err.code;
    struct event_list one = {0};
    event_list_add(&one, (enum event_type)type, row->step, row->time_ms, json_incref(data));
    bool folded = live_fold(fold->run, &one);
    fold->run->event_count = row->seq;
    return folded ? 0
                  : error_set(&fold->err, ERROR_STATE, NOWHERE, "run %llu: event %llu (%s) does not fold", (unsigned long long)row->run,
                        (unsigned long long)row->seq, row->type);
}

struct pager {
    int (*row)(void *context, const struct journal_row *row);
    void *context;
    uint64_t last;
    unsigned count;
    int failed;
};

static int page_row(void *context, const struct journal_row *row)
{
    struct pager *pager = context;
    pager->last = row->id;
    pager->count++;
    pager->failed = pager->row(pager->context, row);
    return pager->failed;
}

int read_events(
    struct engine *engine, uint64_t run, int (*row)(void *context, const struct journal_row *row), void *context, struct error *err)
{
    enum { PAGE = 1000 };
    struct pager pager = {row, context, 0, 0, 0};
    do {
        pager.count = 0;
        int failed = journal_read(engine->journal, run, pager.last, PAGE, page_row, &pager, err);
        if (failed < 0) return failed;
    } while (pager.count == PAGE && !pager.failed);
    return pager.failed;
}

static bool has_running_step(const struct live_run *run)
{
    for (uint32_t step = 0; step < run->plan->step_count; step++)
        if (run->state->steps[step].status == STEP_running) return true;
    return false;
}

/* The shim is asked for every run, not only for those with live steps: that a step was started may be known to it alone, since that is
   not on disk before it is acted upon. Nothing is decided before it is heard: else that step is cancelled as one that never began, and what
   cleans up behind it begins beside it. Where there is no shim any more, what it left in the run's folder is heard, and `lost` settles the
   rest. A run that has no folder never had a shim, unless a step of it runs: then a loss of power took the folder, which is not synced. */
static int find_shim(struct live_run *run, struct error *err)
{
    const struct supervisor_hooks hooks = live_supervisor_hooks(run);
    if (!file_exists(run->folder) && !has_running_step(run)) return 0;
    return supervisor_open(
        run->engine->loop, run->folder, run->engine->options.shim, run->report_sequence, false, &hooks, &run->supervisor, err);
}

static int recover_run(struct engine *engine, uint64_t number, struct error *err)
{
    struct fold fold = {.engine = engine};
    int failed = read_events(engine, number, fold_row, &fold, err);
    if (failed && fold.err.code) *err = fold.err;
    if (failed) return failed;
    struct live_run *run = fold.run;
    if (!run) return error_set(err, ERROR_CONFLICT, NOWHERE, "run %llu has no events", (unsigned long long)number);
    event_list_release(&run->outbox); /* these are on disk already */
    run->touched_count = 0;
    memset(run->is_touched, 0, run->plan->step_count * sizeof *run->is_touched);
    run->report_sequence = journal_shim_sequence(engine->journal, number);
    AUTO(document_list_release) struct document_list known = {0};
    project_documents(run, &known); /* for what the projection remembers; the documents are on disk already */
    lease_recover(run);
    run->turn_mark = turn_mark(run->state); /* every run that was taken up looks at its turns anyway */
    failed = find_shim(run, err);
    run->is_unheard = run->supervisor != NULL;
    if (!failed) sleep_at_once(run);
    return failed;
}

/* --- supervisors without a run ------------------------------------------------------------------------------------------------------- */

static bool is_open(const struct engine *engine, int64_t number)
{
    for (const struct live_run *run = engine->runs; run; run = run->next)
        if (run->number == (uint64_t)number) return true;
    return false;
}

/* No hook: what it has to say, nobody wants to know. */
static void end_stray(struct engine *engine, const char *folder, int64_t number)
{
    const struct supervisor_hooks none = {.epoch = journal_epoch(engine->journal)->number};
    AUTO(free_text) char *socket = mem_format("%s/shim.sock", folder);
    struct supervisor *supervisor;
    struct error ignored = {0};
    if (!file_exists(socket) || !launch_is_locked(folder)) return;
    log_line(LOG_LEVEL_INFO, "run %lld is over and its supervisor was not told; it is now", (long long)number);
    uint64_t sequence = journal_shim_sequence(engine->journal, (uint64_t)number);
    if (supervisor_open(engine->loop, folder, engine->options.shim, sequence, false, &none, &supervisor, &ignored) == 0)
        supervisor_end(supervisor);
}

static bool is_forgotten(const struct engine *engine, int64_t number)
{
    AUTO(free_json) json_t *row = NULL;
    AUTO(free_text) char *folder = mem_format("%s/runs/%lld", engine->options.data, (long long)number);
    struct error err = {0};
    return file_exists(folder) && journal_get_run(engine->journal, (uint64_t)number, &row, &err) == -ERROR_NOT_FOUND;
}

/* The journal was taken away, or is an older one, and what hangs on its runs is forgotten. One run alone is what a server leaves that dies
   before its run is on disk. newest: by its folder. */
static void tell_forgotten(const struct engine *engine, int64_t newest)
{
    if (newest < 2 || !is_forgotten(engine, newest) || !is_forgotten(engine, newest - 1)) return;
    log_line(LOG_LEVEL_WARNING,
        "%.200s/journal.db does not know run %lld, whose folder is there: was the journal removed, or is it of an older backup? What such "
        "runs ordered is nobody's now; stop the server and put the right journal back, or remove their folders",
        engine->options.data, (long long)newest);
}

/* A server may have died between the end of a run, which is on disk, and telling its supervisor; runs at rest are not taken up. */
static void end_strays(struct engine *engine)
{
    AUTO(free_text) char *runs = mem_format("%s/runs", engine->options.data);
    DIR *folder = opendir(runs);
    if (!folder) return;
    int64_t newest = 0, number;
    for (struct dirent *entry; (entry = readdir(folder));) {
        AUTO(free_text) char *path = mem_format("%s/%s", runs, entry->d_name);
        if (!text_to_integer(entry->d_name, &number) || is_open(engine, number)) continue;
        if (number > newest) newest = number;
        end_stray(engine, path, number);
    }
    closedir(folder);
    tell_forgotten(engine, newest);
}

int recover_runs(struct engine *engine, struct error *err)
{
    const char *at_rest[RUN_STATUS_COUNT + 1];
    size_t names = 0, count = 0;
    uint64_t *runs = NULL;
    for (int status = 0; status < RUN_STATUS_COUNT; status++)
        if (run_status_at_rest((enum run_status)status)) at_rest[names++] = run_status_name((enum run_status)status);
    at_rest[names] = NULL;
    if (journal_open_runs(engine->journal, at_rest, &runs, &count, err) < 0) return -(int)err->code;
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        failed = recover_run(engine, runs[i], err);
        if (failed) error_wrap(err, "taking up run %llu", (unsigned long long)runs[i]);
    }
    free(runs);
    if (!failed) end_strays(engine);
    for (struct live_run *run = engine->runs, *next; !failed && run; run = next) {
        next = run->next;
        live_stir(run);
    }
    return failed;
}
