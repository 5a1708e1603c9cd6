/* routes_logs.c: what steps printed: a range, all of it, all of it and what comes until the run ends, or the last lines of a step. */
#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/follower.h"
#include "server/log_print.h"
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE_BYTES = 1024 * 1024, RANGE_MAX_BYTES = 16 * 1024 * 1024, FOLLOW_BYTES = 256 * 1024, LOOK_MS = 100 };
/* Of a log so many bytes are gone through at once on the loop's thread, some milliseconds, and then others have their turn: a timer of 0 ms
   would come before them. */
enum { SLICE_BYTES = 8 * 1024 * 1024, OTHERS_MS = 1 };
enum { TAIL_MAX_LINES = 1000, TAIL_MAX_BYTES = 64 * 1024 };

/* What is asked for, and how far it is read. */
struct log_view {
    struct server *server;
    uint64_t run, offset;
    bool all;       /* a streamed log ends where the file ended when it was asked for */
    uint64_t until; /* that end */
    struct log_filter filter;
    const char *stage; /* its steps' lines only; borrowed from the plan; NULL: the filter says it */
    struct log_reader *reader;
    struct log_printer *printer;
    struct plan *plan;
    struct text page;
    /* of a range, or a tail, which a worker reads: a step that says little may have said it gigabytes ago */
    struct request *request;
    const char *type;
    char *path;
    size_t limit_bytes;
    unsigned lines; /* 0: a range */
    int failed;
    struct error err;
    uv_work_t work;
    /* of a streamed log */
    struct stream *stream;
    bool ended, in_words; /* in_words: the text format */
    uv_timer_t timer;     /* a log grows without an event: it is looked at */
};

static void view_free(struct log_view *view)
{
    log_reader_free(&view->reader);
    log_printer_free(&view->printer);
    plan_free(&view->plan);
    text_release(&view->page);
    free(view->path);
    free(view);
}

/* "stage/id" and "stage/inner/id" are below "stage". */
static bool is_below(const char *path, const char *stage)
{
    size_t size = strlen(stage);
    return strncmp(path, stage, size) == 0 && path[size] == '/';
}

static int add_piece(void *context, const struct log_piece *piece)
{
    struct log_view *view = context;
    if (view->stage && (piece->step >= view->plan->step_count || !is_below(view->plan->steps[piece->step].path, view->stage))) return 0;
    log_printer_add(view->printer, piece, &view->page);
    return 0;
}

/* Reads what is there, at most limit_bytes, into view->page. */
static int read_page(struct log_view *view, size_t limit_bytes, struct error *err)
{
    return log_reader_read(view->reader, view->offset, view->filter, limit_bytes, add_piece, view, &view->offset, err);
}

static bool is_over(struct log_view *view)
{
    return !engine_run_goes_on(view->server->engine, view->run);
}

static void send_more(void *context);

static void on_timer(uv_timer_t *timer)
{
    send_more(timer->data);
}

/* What was printed before the damage is shown, then why no more is. Who follows would ask again after a failed answer, and so is told in
   words only. */
static void end_damaged(struct log_view *view, const struct error *err)
{
    log_error(err, "a streamed log");
    log_printer_finish(view->printer, &view->page);
    if (view->in_words) text_add_format(&view->page, "crescendo: %s; %s\n", err->message, err->hint);
    stream_write(view->stream, text_view(&view->page), view->page.size);
    if (view->all)
        stream_fail(view->stream);
    else
        stream_end(view->stream);
}

static void send_more(void *context)
{
    struct log_view *view = context;
    struct error err;
    if (view->ended || stream_queued(view->stream) > FOLLOW_BYTES) return;
    bool over = is_over(view); /* before reading: all that it printed is in the file when a run is at rest */
    uint64_t from = view->offset;
    view->page.size = 0;
    int code = read_page(view, FOLLOW_BYTES, &err);
    view->ended = code < 0 || ((over || view->all) && view->offset == from) || (view->all && view->offset >= view->until);
    if (code < 0) {
        end_damaged(view, &err);
        return;
    }
    if (view->ended) log_printer_finish(view->printer, &view->page);
    stream_write(view->stream, text_view(&view->page), view->page.size);
    if (view->ended) stream_end(view->stream);
    /* A slice may hold little of what is asked for. */
    uv_timer_start(&view->timer, on_timer, view->offset == from ? LOOK_MS : OTHERS_MS, LOOK_MS);
}

static void on_timer_closed(uv_handle_t *handle)
{
    view_free(handle->data);
}

static void on_closed(void *context)
{
    struct log_view *view = context;
    uv_close((uv_handle_t *)&view->timer, on_timer_closed);
}

static void respond_streamed(struct request *request, struct log_view *view, const char *type)
{
    uv_timer_init(&view->server->loop, &view->timer);
    view->timer.data = view;
    view->stream = respond_stream(request, type, on_closed, view);
    stream_on_drained(view->stream, send_more);
    uv_timer_start(&view->timer, on_timer, LOOK_MS, LOOK_MS);
}

/* In a worker: nobody else has the view meanwhile. */
static void read_view(uv_work_t *work)
{
    struct log_view *view = work->data;
    view->failed = view->lines ? log_tail(view->path, view->filter, view->lines, TAIL_MAX_BYTES, &view->page, &view->err)
                               : read_page(view, view->limit_bytes, &view->err);
}

static void respond_read(uv_work_t *work, int status)
{
    struct log_view *view = work->data;
    char next[32];
    (void)status; /* nothing cancels it */
    if (view->failed) {
        respond_error(view->request, &view->err);
    } else {
        if (!view->lines) log_printer_finish(view->printer, &view->page);
        snprintf(next, sizeof next, "%llu", (unsigned long long)view->offset);
        if (!view->lines) respond_header(view->request, "X-Next-Offset", next);
        respond_text(view->request, 200, view->type, text_view(&view->page), view->page.size);
    }
    view_free(view);
}

/* Consumes view. */
static void respond_in_worker(struct request *request, struct log_view *view)
{
    view->request = request;
    view->work.data = view;
    if (uv_queue_work(&view->server->loop, &view->work, read_view, respond_read) == 0) return;
    read_view(&view->work);
    respond_read(&view->work, 0);
}

static int read_format(const struct request *request, enum log_format *ret, const char **ret_type, struct error *err)
{
    static const struct {
        const char *name, *type;
        enum log_format format;
    } formats[] = {
        {"text", "text/plain; charset=utf-8", LOG_FORMAT_TEXT},
        {"json", "application/x-ndjson", LOG_FORMAT_JSON},
        {"raw", "application/octet-stream", LOG_FORMAT_RAW},
    };
    const char *name = request_query(request, "format");
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (name && !text_equal(name, formats[i].name)) continue;
        *ret = formats[i].format;
        *ret_type = formats[i].type;
        return 0;
    }
    return error_set(err, ERROR_INVALID, NOWHERE, "'format' must be text, json or raw");
}

static int read_plan(struct server *server, uint64_t run, struct plan **ret, struct error *err)
{
    json_t *row = NULL;
    int code = journal_get_run(engine_journal(server->engine), run, &row, err);
    if (code < 0) return code;
    bool planned = json_object_get(row, "plan") != NULL;
    json_decref(row);
    return planned ? engine_read_plan(server->engine, run, ret, err) : 0;
}

static int no_such_step(const struct log_view *view, const char *path, struct error *err)
{
    const struct plan *plan = view->plan;
    const char **paths = mem_alloc((plan->step_count + plan->stage_count + 1) * sizeof *paths);
    size_t count = 0;
    for (uint32_t i = 0; i < plan->step_count; i++)
        paths[count++] = plan->steps[i].path;
    for (uint32_t i = 0; i < plan->stage_count; i++)
        paths[count++] = plan->stages[i].path;
    paths[count] = NULL;
    const char *near = text_nearest(path, paths);
    unsigned long long run = view->run;
    error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no step '%.100s'", run, path);
    if (near)
        error_hint(err, "did you mean '%.100s'? `crescendo show %llu` lists the steps", near, run);
    else
        error_hint(err, "a step is named STAGE/ID: `crescendo show %llu` lists them", run);
    free(paths);
    return -(int)err->code;
}

/* ?step= is a step's path, or a stage's: all of its steps, which are as one where it has only one. */
static int find_steps(struct log_view *view, const char *path, struct error *err)
{
    const struct plan *plan = view->plan;
    const struct plan_step *step = plan_find_step(plan, path);
    uint32_t count = 0;
    for (uint32_t i = 0; !step && i < plan->step_count; i++) {
        if (!is_below(plan->steps[i].path, path)) continue;
        view->filter.step = i;
        count++;
    }
    if (step)
        view->filter.step = step->index;
    else if (count == 0)
        return no_such_step(view, path, err);
    if (count <= 1) return 0;
    const char *one = plan->steps[view->filter.step].path;
    view->stage = arena_format(plan->arena, "%.*s", (int)strlen(path), one);
    view->filter.step = UINT32_MAX;
    return 0;
}

static int check_attempt(const struct log_view *view, struct error *err)
{
    AUTO(free_json) json_t *steps = NULL;
    if (!view->filter.attempt || view->filter.step == UINT32_MAX) return 0;
    int code = journal_list_steps(engine_journal(view->server->engine), view->run, &steps, err);
    if (code < 0) return code;
    int64_t attempts = json_whole(json_array_get(steps, view->filter.step), "attempt", 0);
    if (view->filter.attempt <= attempts) return 0;
    const char *path = view->plan->steps[view->filter.step].path;
    if (attempts == 0) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%.200s was not started", path);
    return error_set(
        err, ERROR_NOT_FOUND, NOWHERE, "%.200s has no attempt %u: it had %lld", path, view->filter.attempt, (long long)attempts);
}

static int find_log(struct log_view *view, const char *step, struct error *err)
{
    int code = read_plan(view->server, view->run, &view->plan, err);
    if (code < 0) return code;
    if (!view->plan) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "run %llu has no logs: its pipeline file is wrong or missing, so nothing ran",
            (unsigned long long)view->run);
        return error_hint(err, "what is wrong with it: crescendo show %llu", (unsigned long long)view->run);
    }
    if (step) code = find_steps(view, step, err);
    return code < 0 ? code : check_attempt(view, err);
}

/* Consumes view. */
static void respond_tail(struct request *request, struct log_view *view)
{
    if (view->filter.step != UINT32_MAX) {
        view->type = "text/plain; charset=utf-8";
        respond_in_worker(request, view);
        return;
    }
    struct error err;
    error_set(&err, ERROR_INVALID, NOWHERE, "'tail' needs 'step', and that names one step");
    respond_error(request, &err);
    view_free(view);
}

/* Consumes view. */
static void respond_view(struct request *request, struct log_view *view)
{
    struct error err;
    view->all = text_equal(request_query(request, "all"), "1");
    if (!view->all && !text_equal(request_query(request, "follow"), "1")) {
        respond_in_worker(request, view);
    } else if (log_reader_size(view->reader, &view->until, &err) < 0) {
        respond_error(request, &err);
        view_free(view);
    } else {
        log_reader_limit(view->reader, SLICE_BYTES);
        respond_streamed(request, view, view->type);
    }
}

static void handle_logs(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    int64_t from, limit, attempt, tail;
    struct error err;
    if (!server_read_run(request, &run) || !server_read_number(request, "from", 0, INT64_MAX, 0, &from)) return;
    if (!server_read_number(request, "limit", 1, RANGE_MAX_BYTES, RANGE_BYTES, &limit)) return;
    if (!server_read_number(request, "attempt", 0, UINT32_MAX, 0, &attempt)) return;
    if (!server_read_number(request, "tail", 1, TAIL_MAX_LINES, 0, &tail)) return;
    struct log_view *view = mem_alloc(sizeof *view);
    *view = (struct log_view){.server = server, .run = run, .offset = (uint64_t)from, .filter = {UINT32_MAX, (uint32_t)attempt}};
    enum log_format format = LOG_FORMAT_TEXT;
    const char *type = NULL, *step = request_query(request, "step");
    int code = read_format(request, &format, &type, &err);
    if (code == 0) code = find_log(view, step, &err);
    if (code < 0) {
        view_free(view);
        respond_error(request, &err);
        return;
    }
    view->path = engine_log_path(server->engine, run);
    view->lines = (unsigned)tail;
    if (tail) {
        respond_tail(request, view);
        return;
    }
    view->type = type;
    view->limit_bytes = (size_t)limit;
    view->in_words = format == LOG_FORMAT_TEXT;
    view->reader = log_reader_new(view->path);
    view->printer = log_printer_new(view->plan, format, view->filter.step != UINT32_MAX);
    respond_view(request, view);
}

const struct route logs_routes[] = {
    {"GET", "/v1/runs/{run}/logs", handle_logs,
        "What steps printed: ?step= attempt= from= limit= all=1 follow=1 tail= format=text|json|raw", NULL},
    ROUTE_END,
};
