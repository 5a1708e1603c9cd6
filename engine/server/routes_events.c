/* routes_events.c: the journal as server-sent events, of one run or of all. A slow reader is held back: the next events are read from the
   journal only when it has taken the last ones, so that a stream costs a cursor and not a queue. */
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/server.h"

#include <stdlib.h>

enum { PAGE_EVENTS = 256, QUEUED_MAX_BYTES = 256 * 1024 };

struct event_stream {
    struct server *server;
    struct stream *stream;
    struct subscription *subscription;
    uint64_t run, after; /* run 0: all */
    bool over;           /* the run's last event was sent */
    struct text page;
    unsigned page_count;
};

/* Does this kind of event always end a run? */
static bool ends_run(const char *name)
{
    int type = event_type_from_name(name);
    if (type < 0 || event_type_subject((enum event_type)type) != EVENT_SUBJECT_RUN) return false;
    for (int from = 0; from < RUN_STATUS_COUNT; from++) {
        int to = run_move((enum run_status)from, (enum event_type)type);
        if (to >= 0 && run_status_at_rest((enum run_status)to)) return true;
    }
    return false;
}

static int add_event(void *context, const struct journal_row *row)
{
    struct event_stream *events = context;
    struct text *page = &events->page;
    text_add_format(page, "id: %llu\nevent: %s\ndata: {\"id\":%llu,\"run\":%llu,\"seq\":%llu,\"time_ms\":%lld,\"type\":\"%s\"",
        (unsigned long long)row->id, row->type, (unsigned long long)row->id, (unsigned long long)row->run, (unsigned long long)row->seq,
        (long long)row->time_ms, row->type);
    if (row->step != NO_STEP) text_add_format(page, ",\"step\":%u", row->step);
    if (row->data) text_add_format(page, ",\"data\":%s", row->data);
    text_add(page, "}\n\n");
    events->after = row->id;
    events->page_count++;
    events->over |= events->run && ends_run(row->type);
    return 0;
}

static void send_more(void *context)
{
    struct event_stream *events = context;
    struct error err;
    do {
        if (stream_queued(events->stream) > QUEUED_MAX_BYTES) return;
        events->page_count = 0;
        events->page.size = 0;
        int code = journal_read(engine_journal(events->server->engine), events->run, events->after, PAGE_EVENTS, add_event, events, &err);
        if (code < 0) {
            log_error(&err, "an event stream");
            stream_end(events->stream);
            return;
        }
        stream_write(events->stream, text_view(&events->page), events->page.size);
    } while (events->page_count == PAGE_EVENTS);
    text_release(&events->page);
    if (events->over) stream_end(events->stream);
}

static void on_changed(void *context, uint64_t run)
{
    (void)run;
    send_more(context);
}

static void on_closed(void *context)
{
    struct event_stream *events = context;
    engine_unsubscribe(&events->subscription);
    text_release(&events->page);
    free(events);
}

static int is_there(void *context, const struct journal_row *row)
{
    (void)row;
    *(bool *)context = true;
    return 1;
}

/* The newest event's id: the largest with nothing behind it, found by halving. */
static uint64_t newest_id(struct journal *journal)
{
    uint64_t low = 0, high = (uint64_t)INT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        bool more = false;
        struct error err;
        if (journal_read(journal, 0, middle, 1, is_there, &more, &err) < 0) return 0;
        if (more)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where to begin: behind Last-Event-ID (header, or ?after= for tools that cannot set one). */
static bool read_start(struct request *request, struct server *server, uint64_t run, uint64_t *ret_after)
{
    const char *text = request_header(request, "Last-Event-ID");
    if (!text) text = request_query(request, "after");
    int64_t after = 0;
    struct error err;
    if (text && (!text_to_integer(text, &after) || after < 0)) {
        error_set(&err, ERROR_INVALID, NOWHERE, "Last-Event-ID must be a number");
        respond_error(request, &err);
        return false;
    }
    *ret_after = text ? (uint64_t)after : run ? 0 : newest_id(engine_journal(server->engine));
    return true;
}

static void start(struct request *request, struct server *server, uint64_t run, bool over)
{
    uint64_t after;
    if (!read_start(request, server, run, &after)) return;
    struct event_stream *events = mem_alloc(sizeof *events);
    *events = (struct event_stream){.server = server, .run = run, .after = after, .over = over};
    events->subscription = engine_subscribe(server->engine, run, on_changed, events);
    events->stream = respond_stream(request, "text/event-stream", on_closed, events);
    stream_on_drained(events->stream, send_more);
}

static void handle_all(struct request *request, void *context)
{
    start(request, context, 0, false);
}

static void handle_run(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    struct error err;
    json_t *row = NULL;
    if (!server_read_run(request, &run)) return;
    if (journal_get_run(engine_journal(server->engine), run, &row, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    int status = run_status_from_name(json_string_value(json_object_get(row, "state")));
    json_decref(row);
    start(request, server, run, status >= 0 && run_status_at_rest((enum run_status)status));
}

const struct route events_routes[] = {
    {"GET", "/v1/events", handle_all, "The events of all runs from now on, as server-sent events", NULL},
    {"GET", "/v1/runs/{run}/events", handle_run, "The events of a run, as server-sent events", NULL},
    ROUTE_END,
};
