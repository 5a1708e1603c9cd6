/* failures.c: which steps of a run failed, and what they printed last. */
#include "cli/failures.h"

#include "base/encode.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

enum { FAILURES_SHOWN = 3, LINE_BYTES = 4000, LINE_COLUMNS = 200, MARGIN_COLUMNS = 6, TITLE_COLUMNS = 60, ALLOWED_SHOWN = 5 };

static void tail_begin_line(struct tail *tail)
{
    tail->at = tail->count++ % TAIL_LINES;
    text_release(&tail->lines[tail->at]);
    tail->line_open = true;
}

int tail_add(void *context, const char *bytes, size_t size)
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

/* A line that is cut loses its colours: where they end would be lost with the rest. */
static void add_line(struct text *out, const char *line, const struct terminal *terminal)
{
    unsigned columns = terminal->columns ? terminal->columns : LINE_COLUMNS + MARGIN_COLUMNS;
    size_t room = columns > MARGIN_COLUMNS ? columns - MARGIN_COLUMNS : 1;
    struct text clean = {0};
    display_add(&clean, line, terminal->colour ? DISPLAY_COLOUR : DISPLAY_LINE);
    if (display_width(text_view(&clean)) <= room)
        text_add(out, text_view(&clean));
    else
        (void)display_add_cut(out, line, room);
    text_release(&clean);
}

void tail_print(struct tail *tail, const struct terminal *terminal, struct text *out)
{
    size_t first = tail->count > TAIL_LINES ? tail->count - TAIL_LINES : 0;
    if (first) text_add(out, "    … more before\n");
    for (size_t i = first; i < tail->count; i++) {
        text_add(out, style_open(STYLE_QUIET, terminal->colour));
        text_add(out, "    │ ");
        text_add(out, style_close(STYLE_QUIET, terminal->colour));
        add_line(out, last_writing(&tail->lines[i % TAIL_LINES]), terminal);
        text_add_char(out, '\n');
    }
    for (size_t i = 0; i < TAIL_LINES; i++)
        text_release(&tail->lines[i]);
}

/* The attempt that failed; 0: its number is not known, since undoing it has counted on. */
static int64_t failed_attempt(const json_t *step)
{
    const char *state = json_text(step, "state", "");
    return text_starts(state, "compensat") ? 0 : json_whole(step, "attempt", 0);
}

static void report_log(struct client *client, const json_t *run, const json_t *step, const struct terminal *terminal, struct text *out)
{
    struct text path = {0};
    struct tail tail = {0};
    text_add_format(&path, "/v1/runs/%llu/logs?tail=%d&step=", (unsigned long long)json_whole(run, "run", 0), TAIL_LINES + 1);
    percent_encode(json_text(step, "path", ""), &path);
    int64_t attempt = failed_attempt(step);
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

/* The run's message begins with the path of the step that decided it: "build/test failed: exit 1". */
static bool step_is_fatal(const json_t *run, const json_t *step)
{
    const char *message = json_text(run, "message", ""), *path = json_text(step, "path", "");
    size_t size = strlen(path);
    return size && strncmp(message, path, size) == 0 && (message[size] == ' ' || message[size] == ':');
}

/* The paths of the steps whose failure the plan allows, as the keys of an object. Caller frees. */
static json_t *allowed_paths(const json_t *plan)
{
    json_t *paths = json_object(), *stage, *step;
    size_t i, k;
    json_array_foreach(json_object_get(plan, "stages"), i, stage)
    {
        json_array_foreach(json_object_get(stage, "steps"), k, step)
        {
            if (!json_flag(stage, "allow_failure", false) && !json_flag(step, "allow_failure", false)) continue;
            AUTO(free_text) char *path = mem_format("%s/%s", json_text(stage, "path", ""), json_text(step, "id", ""));
            json_put_flag(paths, path, true);
        }
    }
    return paths;
}

void failures_sort(const json_t *run, const json_t *plan, struct failures *ret)
{
    AUTO(free_json) json_t *paths = allowed_paths(plan);
    const json_t *steps = json_object_get(run, "steps");
    size_t count = json_array_size(steps), i;
    struct failures failures = {
        .counted = mem_alloc_array(count + 1, sizeof *failures.counted), .allowed = mem_alloc_array(count + 1, sizeof *failures.allowed)};
    json_t *step;
    json_array_foreach(steps, i, step)
    {
        if (step_is_fatal(run, step)) {
            memmove(failures.counted + 1, failures.counted, failures.counted_count++ * sizeof *failures.counted);
            failures.counted[0] = step;
        } else if (step_is_bad(step) && json_flag(paths, json_text(step, "path", ""), false)) {
            failures.allowed[failures.allowed_count++] = step;
        } else if (step_is_bad(step)) {
            failures.counted[failures.counted_count++] = step;
        }
    }
    *ret = failures;
}

void failures_release(struct failures *failures)
{
    free(failures->counted);
    free(failures->allowed);
    *failures = (struct failures){0};
}

bool failure_is_of_judge(const json_t *step)
{
    return text_equal(json_text(step, "type", NULL), "kpi");
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
    int64_t attempt = failed_attempt(step);
    if (attempt > 1 && !failure_is_of_judge(step)) text_add_format(&line, " (attempt %lld)", (long long)attempt);
    text_add(out, style_open(STYLE_BAD, terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(STYLE_BAD, terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
    if (json_whole(step, "started_ms", 0) && !failure_is_of_judge(step)) report_log(client, run, step, terminal, out);
}

/* "Allowed to fail: lint/style (exit 1), lint/spelling (exit 2)", in one line. */
static void report_allowed(const struct failures *failures, const struct terminal *terminal, struct text *out)
{
    struct text line = {0};
    text_add(&line, "Failed, as the plan allows: ");
    for (size_t i = 0; i < failures->allowed_count && i < ALLOWED_SHOWN; i++) {
        const json_t *step = failures->allowed[i];
        text_add_format(&line, "%s%s (%s)", i ? ", " : "", json_text(step, "path", "?"),
            json_text(step, "message", json_text(step, "reason", json_text(step, "state", "?"))));
    }
    if (failures->allowed_count > ALLOWED_SHOWN) text_add_format(&line, " and %zu more", failures->allowed_count - ALLOWED_SHOWN);
    text_add(out, style_open(STYLE_QUIET, terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(STYLE_QUIET, terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
}

/* NULL when there is none: its file was wrong, or the server is gone. Caller frees. */
static json_t *read_plan(struct client *client, uint64_t run)
{
    json_t *plan = NULL;
    return client_get(client, &plan, NULL, "/v1/runs/%llu/plan?format=json", (unsigned long long)run) ? NULL : plan;
}

bool report_failures(struct client *client, const json_t *run, bool told, const struct terminal *terminal, struct text *out)
{
    uint64_t number = (uint64_t)json_whole(run, "run", 0);
    AUTO(failures_release) struct failures failures = {0};
    failures_sort(run, NULL, &failures);
    if (!failures.counted_count) return false;
    AUTO(free_json) json_t *plan = read_plan(client, number);
    failures_release(&failures);
    failures_sort(run, plan, &failures);
    for (size_t i = 0; i < failures.counted_count && i < FAILURES_SHOWN; i++)
        if (!told || !failure_is_of_judge(failures.counted[i])) report_step(client, run, failures.counted[i], terminal, out);
    size_t more = failures.counted_count > FAILURES_SHOWN ? failures.counted_count - FAILURES_SHOWN : 0;
    if (more) text_add_format(out, "… and %zu more failed step%s\n", more, more == 1 ? "" : "s");
    if (failures.allowed_count) report_allowed(&failures, terminal, out);
    AUTO(free_text) char *server = report_server_words(client);
    text_add_format(out, "The whole log: crescendo logs%s %llu\n", server, (unsigned long long)number);
    return failures.counted_count;
}
