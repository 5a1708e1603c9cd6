/* report.c: what is said of a run when it is over or waits. */
#include "cli/report.h"

#include "base/encode.h"
#include "base/mem.h"
#include "cli/display.h"
#include "state/state.h"

#include <stdlib.h>
#include <string.h>

enum { FAILURES_SHOWN = 3, LINES_SHOWN = 20, LINE_BYTES = 2000, TITLE_COLUMNS = 60 };

/* The last lines of a step, and one more that shows that there are others before them. */
struct tail {
    struct text lines[LINES_SHOWN];
    size_t at, count; /* the line that is being written; lines begun */
    bool line_open;
};

static void tail_begin_line(struct tail *tail)
{
    tail->at = tail->count++ % LINES_SHOWN;
    text_release(&tail->lines[tail->at]);
    tail->line_open = true;
}

static int tail_add(void *context, const char *bytes, size_t size)
{
    struct tail *tail = context;
    for (size_t i = 0; i < size;) {
        if (!tail->line_open) tail_begin_line(tail);
        const char *end = memchr(bytes + i, '\n', size - i);
        size_t length = end ? (size_t)(end - (bytes + i)) : size - i;
        struct text *line = &tail->lines[tail->at];
        size_t room = line->size < LINE_BYTES ? LINE_BYTES - line->size : 0;
        text_add_bytes(line, bytes + i, length < room ? length : room);
        tail->line_open = end == NULL;
        i += length + (end != NULL);
    }
    return 0;
}

/* What a terminal would show in the end: a progress bar writes its line again and again, a carriage return between. */
static const char *last_writing(struct text *line)
{
    while (line->size && line->bytes[line->size - 1] == '\r')
        line->bytes[--line->size] = '\0';
    const char *last = line->size ? strrchr(line->bytes, '\r') : NULL;
    return last ? last + 1 : text_view(line);
}

static void tail_print(struct tail *tail, const struct terminal *terminal, struct text *out)
{
    size_t first = tail->count > LINES_SHOWN ? tail->count - LINES_SHOWN : 0;
    if (first) text_add(out, "    … more before\n");
    for (size_t i = first; i < tail->count; i++) {
        text_add(out, style_open(STYLE_QUIET, terminal->colour));
        text_add(out, "    │ ");
        text_add(out, style_close(STYLE_QUIET, terminal->colour));
        display_add(out, last_writing(&tail->lines[i % LINES_SHOWN]), terminal->colour ? DISPLAY_COLOUR : DISPLAY_LINE);
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < LINES_SHOWN; i++)
        text_release(&tail->lines[i]);
}

static void report_log(struct client *client, const json_t *run, const json_t *step, const struct terminal *terminal, struct text *out)
{
    struct text path = {0};
    struct tail tail = {0};
    text_add_format(&path, "/v1/runs/%llu/logs?tail=%d&step=", (unsigned long long)json_whole(run, "run", 0), LINES_SHOWN + 1);
    percent_encode(json_text(step, "path", ""), &path);
    int64_t attempt = json_whole(step, "attempt", 0);
    if (attempt) text_add_format(&path, "&attempt=%lld", (long long)attempt);
    int failed = client_stream(client, text_view(&path), 10 * 1000, NULL, tail_add, &tail, NULL);
    text_release(&path);
    tail_print(&tail, terminal, out);
    if (!tail.count) text_add(out, failed ? "    (its log cannot be read)\n" : "    (it printed nothing)\n");
}

static bool step_is_bad(const json_t *step)
{
    const char *state = json_text(step, "state", "");
    return text_equal(state, "failed") || text_equal(state, "unknown") || text_equal(state, "compensation_failed");
}

static void report_step(struct client *client, const json_t *run, const json_t *step, const struct terminal *terminal, struct text *out)
{
    const char *title = json_text(step, "title", NULL);
    struct text line = {0};
    text_add_format(&line, "%s %s", symbol_of_state(json_text(step, "state", "")), json_text(step, "path", "?"));
    if (title) {
        text_add(&line, " (");
        display_add_cut(&line, title, TITLE_COLUMNS);
        text_add_char(&line, ')');
    }
    text_add_format(&line, ": %s", json_text(step, "message", json_text(step, "reason", json_text(step, "state", "?"))));
    int64_t attempt = json_whole(step, "attempt", 1);
    if (attempt > 1) text_add_format(&line, " (attempt %lld)", (long long)attempt);
    text_add(out, style_open(STYLE_BAD, terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(STYLE_BAD, terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
    if (json_whole(step, "started_ms", 0)) report_log(client, run, step, terminal, out);
}

bool report_failures(struct client *client, const json_t *run, const struct terminal *terminal, struct text *out)
{
    uint64_t number = (uint64_t)json_whole(run, "run", 0);
    size_t shown = 0, more = 0, i;
    json_t *step;
    json_array_foreach(json_object_get(run, "steps"), i, step)
    {
        if (!step_is_bad(step)) continue;
        if (shown == FAILURES_SHOWN)
            more++;
        else
            report_step(client, run, step, terminal, out), shown++;
    }
    if (more) text_add_format(out, "… and %zu more failed steps\n", more);
    if (!shown) return false;
    AUTO(free_text) char *server = report_server_words(client);
    text_add_format(out, "The whole log: crescendo logs%s %llu\n", server, (unsigned long long)number);
    return true;
}

static void report_approval(const json_t *approval, const char *server, const struct terminal *terminal, struct text *out)
{
    struct text line = {0};
    text_add_format(&line, "%s waits for approval", json_text(approval, "step", "?"));
    const char *ask = json_text(approval, "ask", NULL);
    if (ask) text_add_format(&line, ": %s", ask);
    size_t i;
    json_t *by;
    json_array_foreach(json_object_get(approval, "by"), i, by)
    {
        if (json_is_string(by)) text_add_format(&line, "%s%s", i ? ", " : "  [one of: ", json_string_value(by));
    }
    if (json_array_size(json_object_get(approval, "by"))) text_add(&line, "]");
    text_add(out, style_open(STYLE_WAIT, terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(STYLE_WAIT, terminal->colour));
    text_release(&line);
    long long run = (long long)json_whole(approval, "run", 0);
    text_add_format(out, "\n  crescendo approve%s %lld ", server, run);
    display_add(out, json_text(approval, "step", "?"), DISPLAY_LINE);
    text_add_format(out, "\n  crescendo reject%s %lld ", server, run);
    display_add(out, json_text(approval, "step", "?"), DISPLAY_LINE);
    text_add_char(out, '\n');
}

void report_approvals(struct client *client, const json_t *run, const struct terminal *terminal, struct text *out)
{
    AUTO(free_json) json_t *answer = NULL;
    AUTO(free_text) char *server = report_server_words(client);
    if (client_get(client, &answer, NULL, "/v1/approvals")) return;
    size_t i;
    json_t *approval;
    json_array_foreach(json_object_get(answer, "approvals"), i, approval)
    {
        if (json_whole(approval, "run", -1) == json_whole(run, "run", 0)) report_approval(approval, server, terminal, out);
    }
}

char *report_state(const json_t *run)
{
    const char *state = json_text(run, "state", "?"), *reason = json_text(run, "reason", NULL), *wait = json_text(run, "waiting_for", NULL);
    if (wait && !text_equal(wait, "none") && (text_equal(state, "waiting") || text_equal(state, "parked")))
        return mem_format("%s for %s", state, wait);
    if (reason && !text_equal(reason, "ok") && !text_equal(reason, state)) return mem_format("%s (%s)", state, reason);
    return mem_copy_text(state);
}

const char *report_ref(const char *ref)
{
    if (!ref) return "";
    if (text_starts(ref, "refs/heads/")) return ref + strlen("refs/heads/");
    return text_starts(ref, "refs/tags/") ? ref + strlen("refs/tags/") : ref;
}

void report_end(const json_t *run, bool explained, const struct terminal *terminal, struct text *out)
{
    AUTO(free_text) char *state = report_state(run);
    const char *message = json_text(run, "message", NULL);
    int64_t begin_ms = json_whole(run, "accepted_ms", 0), end_ms = json_whole(run, "ended_ms", 0);
    struct text line = {0};
    text_add_format(&line, "run %lld %s", (long long)json_whole(run, "run", 0), state);
    if (begin_ms && end_ms > begin_ms) {
        text_add(&line, " after ");
        text_add_duration(&line, end_ms - begin_ms);
    }
    if (message && *message && !explained) text_add_format(&line, ": %s", message);
    text_add(out, style_open(style_of_state(json_text(run, "state", "")), terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(style_of_state(json_text(run, "state", "")), terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
}

int report_exit_code(const json_t *run)
{
    const char *state = json_text(run, "state", "");
    if (text_equal(state, "succeeded")) return 0;
    if (text_equal(state, "needs_person") || text_equal(state, "rollback_failed")) return 7;
    if (text_equal(state, "waiting") && text_equal(json_text(run, "waiting_for", ""), "approval")) return 3;
    int status = run_status_from_name(state), reason = reason_from_name(json_text(run, "reason", ""));
    if (status >= 0 && !run_status_at_rest((enum run_status)status)) return 0;
    int code = reason < 0 ? 1 : reason_exit_code((enum reason)reason);
    return code ? code : 1; /* at rest and not succeeded is never 0 */
}

char *report_server_words(const struct client *client)
{
    if (client->local) return mem_copy_text(" --local");
    if (!client->typed) return mem_copy_text("");
    return client->data ? mem_format(" --data %s", client->data) : mem_format(" --server %s", client->server);
}
