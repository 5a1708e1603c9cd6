/* routes_follow.c: a run's story as plain text for the terminal of whoever pushed: a line for each thing that matters, and the last lines
   of what failed. It ends with the run, when a person is waited for, or when its time is up. */
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/follower.h"
#include "server/server.h"
#include "store/logs.h"

#include <stdlib.h>
#include <string.h>

enum { FOLLOW_SECONDS = 60, FOLLOW_MAX_SECONDS = 24 * 3600, TAIL_LINES = 20, TAIL_BYTES = 8 * 1024 };

struct story {
    struct server *server;
    struct stream *stream;
    struct follower *follower;
    struct subscription *subscription;
    uv_timer_t timer;
    uint64_t run;
    bool colour, ended;
    struct text page;
    /* What failing steps said last is read by a worker, since it may lie at the end of gigabytes; the page waits for it, and so do later
       events. */
    struct quote *quotes;
    size_t quote_count, quote_capacity;
    bool reading, ends, gone; /* ends: with this page; gone: the peer, and all but what the worker needs */
    uv_work_t work;
    char *log_path;
};

struct quote {
    size_t place; /* in the page */
    struct log_filter filter;
    struct text tail;
};

/* Carriage returns and escapes of a build's own would disturb the author's terminal; tabs stay. */
static void add_visible(struct text *page, const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)line[i] >= 0x20 || line[i] == '\t') text_add_char(page, line[i]);
}

/* --- what failing steps said last --- */

static void quote_later(struct story *story, const struct event *event)
{
    const struct run_state *state = follower_state(story->follower);
    story->quotes = mem_grow(story->quotes, &story->quote_capacity, story->quote_count + 1, sizeof *story->quotes);
    story->quotes[story->quote_count++] =
        (struct quote){.place = story->page.size, .filter = {event->step, state->steps[event->step].attempt}};
}

static void read_quotes(uv_work_t *work)
{
    struct story *story = work->data;
    for (size_t i = 0; i < story->quote_count; i++) {
        struct quote *quote = &story->quotes[i];
        struct error err;
        if (log_tail(story->log_path, quote->filter, TAIL_LINES, TAIL_BYTES, &quote->tail, &err) < 0) text_release(&quote->tail);
    }
}

/* The very last line in red: it mostly says why. */
static void add_quote(const struct story *story, struct quote *quote, struct text *page)
{
    const char *path = follower_plan(story->follower)->steps[quote->filter.step].path;
    struct text *tail = &quote->tail;
    while (tail->size > 0 && tail->bytes[tail->size - 1] == '\n')
        tail->bytes[--tail->size] = '\0';
    for (const char *at = text_view(tail); *at;) {
        size_t size = strcspn(at, "\n");
        bool paint = story->colour && at[size] == '\0';
        text_add_format(page, "  %s | %s", path, paint ? "\033[31m" : "");
        add_visible(page, at, size);
        text_add(page, paint ? "\033[0m\n" : "\n");
        at += size + (at[size] == '\n');
    }
}

/* Puts them where they belong in the page. */
static void insert_quotes(struct story *story)
{
    struct text page = {0};
    size_t from = 0;
    for (size_t i = 0; i < story->quote_count; i++) {
        struct quote *quote = &story->quotes[i];
        text_add_bytes(&page, text_view(&story->page) + from, quote->place - from);
        from = quote->place;
        add_quote(story, quote, &page);
        text_release(&quote->tail);
    }
    text_add_bytes(&page, text_view(&story->page) + from, story->page.size - from);
    text_release(&story->page);
    story->page = page;
    story->quote_count = 0;
}

/* --- the story --- */

static void tell(void *context, const struct event *event)
{
    struct story *story = context;
    const struct run_state *state = follower_state(story->follower);
    AUTO(free_text) char *line = narrate(state, event, story->colour);
    if (line && event->type != EVENT_run_accepted) text_add_format(&story->page, "%s\n", line);
    if (event->type == EVENT_step_failed) quote_later(story, event);
}

static void say_how_to_go_on(struct story *story, const char *why)
{
    text_add_format(&story->page, "%s: crescendo watch %llu\n", why, (unsigned long long)story->run);
}

static void send_page(struct story *story, bool end)
{
    story->ended |= end;
    stream_write(story->stream, text_view(&story->page), story->page.size);
    text_release(&story->page);
    if (end) stream_end(story->stream);
}

static void go_on(struct story *story);

static void story_free(struct story *story)
{
    follower_free(&story->follower);
    text_release(&story->page);
    free(story->quotes);
    free(story->log_path);
    free(story);
}

static void quotes_read(uv_work_t *work, int status)
{
    struct story *story = work->data;
    (void)status; /* nothing cancels it */
    story->reading = false;
    insert_quotes(story);
    if (story->gone) {
        story_free(story);
        return;
    }
    if (story->ended) return; /* the peer left a moment ago */
    send_page(story, story->ends);
    go_on(story); /* with what came meanwhile */
}

/* Sends the page once it is whole. */
static void finish_page(struct story *story, bool end)
{
    story->ends = end;
    if (!story->quote_count) {
        send_page(story, end);
        return;
    }
    story->work.data = story;
    story->reading = uv_queue_work(&story->server->loop, &story->work, read_quotes, quotes_read) == 0;
    if (story->reading) return;
    insert_quotes(story); /* without them, rather than not at all */
    send_page(story, end);
}

static void go_on(struct story *story)
{
    struct error err;
    if (story->ended || story->reading) return;
    if (follower_read(story->follower, tell, story, &err) < 0) {
        log_error(&err, "a followed run");
        say_how_to_go_on(story, "the run cannot be shown further");
        finish_page(story, true);
        return;
    }
    const struct run_state *state = follower_state(story->follower);
    bool over = run_status_at_rest(state->status), waits = state->status == RUN_waiting && state->wait == WAIT_approval;
    if (waits) say_how_to_go_on(story, "the run goes on after that");
    if (over && state->reason != REASON_ok)
        text_add_format(&story->page, "  %s; all of it: crescendo show %llu\n", reason_help(state->reason), (unsigned long long)story->run);
    finish_page(story, over || waits);
}

static void on_changed(void *context, uint64_t run)
{
    (void)run;
    go_on(context);
}

static void on_time_up(uv_timer_t *timer)
{
    struct story *story = timer->data;
    if (story->ended) return;
    if (!story->ends) say_how_to_go_on(story, "the run goes on");
    story->ends = true;
    if (!story->reading) send_page(story, true);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct story *story = handle->data;
    story->gone = true;
    if (!story->reading) story_free(story);
}

static void on_closed(void *context)
{
    struct story *story = context;
    story->ended = true;
    engine_unsubscribe(&story->subscription);
    uv_close((uv_handle_t *)&story->timer, on_timer_closed);
}

static void handle_follow(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    int64_t seconds;
    struct error err;
    struct follower *follower = NULL;
    if (!server_read_run(request, &run)) return;
    if (!server_read_number(request, "seconds", 0, FOLLOW_MAX_SECONDS, FOLLOW_SECONDS, &seconds)) return;
    if (follower_open(server->engine, run, &follower, &err) < 0) {
        respond_error(request, &err);
        return;
    }
    struct story *story = mem_alloc(sizeof *story);
    *story = (struct story){.server = server, .follower = follower, .run = run};
    story->log_path = engine_log_path(server->engine, run);
    story->colour = text_equal(request_query(request, "colour"), "1");
    uv_timer_init(&server->loop, &story->timer);
    story->timer.data = story;
    story->stream = respond_stream(request, "text/plain; charset=utf-8", on_closed, story);
    story->subscription = engine_subscribe(server->engine, run, on_changed, story);
    uv_timer_start(&story->timer, on_time_up, (uint64_t)seconds * 1000, 0);
    go_on(story);
}

const struct route follow_routes[] = {
    {"GET", "/v1/runs/{run}/follow", handle_follow, "A run's story as text for a terminal: ?seconds=60 colour=1", NULL},
    ROUTE_END,
};
