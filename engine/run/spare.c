/* spare.c: one supervisor ahead, in DATA/spares/N until a run takes it. */
#include "run/spare.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/live.h"

#include <stdio.h>
#include <stdlib.h>

/* Not while the run that took the last one is being started, and not for ever where none can be had. */
enum { PAUSE_MS = 100, FAILURES_MAX = 5 };

struct spare {
    struct engine *engine;
    uv_timer_t timer;
    struct supervisor *supervisor; /* NULL: there is none */
    char *folder;
    bool attached;
    unsigned made, failures;
};

static void forget(struct spare *spare)
{
    struct error err;
    if (spare->folder && file_remove_tree(spare->folder, &err) < 0) log_error(&err, "the folder of a spare supervisor stays behind");
    free(take(&spare->folder));
    spare->supervisor = NULL;
    spare->attached = false;
}

static void make(uv_timer_t *timer);

static void make_later(struct spare *spare)
{
    if (spare->failures < FAILURES_MAX) uv_timer_start(&spare->timer, make, PAUSE_MS << spare->failures, 0);
}

static void on_attached(void *context)
{
    struct spare *spare = context;
    spare->attached = true;
    spare->failures = 0;
}

/* It was killed, or its folder was removed. */
static void on_lost(void *context)
{
    struct spare *spare = context;
    supervisor_end(spare->supervisor);
    forget(spare);
    spare->failures++;
    make_later(spare);
}

static int start(struct spare *spare, struct error *err)
{
    const struct supervisor_hooks hooks = {
        .attached = on_attached, .lost = on_lost, .context = spare, .epoch = journal_epoch(spare->engine->journal)->number};
    const struct engine_options *options = &spare->engine->options;
    AUTO(free_text) char *runs = mem_format("%s/runs", options->data);
    if (file_make_folders(runs, 0700, err) < 0 || make_run_folder(spare->folder, err) < 0) return -(int)err->code;
    return supervisor_open_spare(spare->engine->loop, spare->folder, options->shim, &hooks, &spare->supervisor, err);
}

/* Where it fails, a run's own start fails likewise, and says so. */
static void make(uv_timer_t *timer)
{
    struct spare *spare = timer->data;
    struct error ignored;
    spare->folder = mem_format("%s/spares/%u", spare->engine->options.data, ++spare->made);
    if (start(spare, &ignored) == 0) return;
    forget(spare);
    spare->failures++;
    make_later(spare);
}

struct supervisor *spare_take(struct spare *spare, const char *run_folder, const struct supervisor_hooks *hooks)
{
    if (!spare || !spare->attached || file_exists(run_folder) || rename(spare->folder, run_folder) < 0) return NULL;
    struct supervisor *supervisor = spare->supervisor;
    free(take(&spare->folder));
    forget(spare);
    make_later(spare);
    supervisor_take(supervisor, run_folder, hooks);
    return supervisor;
}

struct spare *spare_open(struct engine *engine)
{
    struct spare *spare = mem_alloc(sizeof *spare);
    struct error err;
    AUTO(free_text) char *left = mem_format("%s/spares", engine->options.data);
    if (file_remove_tree(left, &err) < 0) log_error(&err, "what an earlier server left");
    spare->engine = engine;
    uv_timer_init(engine->loop, &spare->timer);
    spare->timer.data = spare;
    make_later(spare);
    return spare;
}

static void closed(uv_handle_t *timer)
{
    free(timer->data);
}

void spare_close(struct spare **spare)
{
    struct spare *one = take(spare);
    if (!one) return;
    if (one->supervisor) supervisor_detach(one->supervisor);
    forget(one);
    uv_close((uv_handle_t *)&one->timer, closed);
}
