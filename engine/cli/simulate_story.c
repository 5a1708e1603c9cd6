/* simulate_story.c: the story of a simulated run, a line for whatever a person would want to see: the run's own narration, what goes wrong
   at the moment that it does, and what is sent to the world and asked of it. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/simulate.h"

#include <stdlib.h>
#include <string.h>

enum { TIME_COLUMNS = 12, INDENT = TIME_COLUMNS + 4 };

void story_begin(struct story *story, const struct plan *plan, const struct terminal *terminal, bool as_json)
{
    *story = (struct story){.plan = plan, .terminal = terminal, .state = run_state_new(plan), .lines = as_json ? json_array() : NULL};
    story->explanation = explanation_new();
}

void story_release(struct story *story)
{
    run_state_free(&story->state);
    explanation_free(&story->explanation);
    text_release(&story->out);
    json_decref(story->lines);
}

/* --- a line ---------------------------------------------------------------------------------------------------------------------------
 */

/* "0:00:12.3", behind a day "1 d 02:00:00". */
static void add_time(struct text *out, int64_t ms)
{
    AUTO(text_release) struct text time = {0};
    int64_t seconds = ms / 1000, days = seconds / 86400;
    if (days) text_add_format(&time, "%lld d ", (long long)days);
    text_add_format(&time, days ? "%02lld:%02lld:%02lld" : "%lld:%02lld:%02lld", (long long)(seconds / 3600 % 24),
        (long long)(seconds / 60 % 60), (long long)(seconds % 60));
    if (!days) text_add_format(&time, ".%lld", (long long)(ms % 1000 / 100));
    for (size_t i = time.size; i < TIME_COLUMNS; i++)
        text_add_char(out, ' ');
    text_add(out, text_view(&time));
}

static enum style style_of_mark(const char *line)
{
    static const struct {
        const char *mark;
        enum style style;
    } marks[] = {{"✓", STYLE_GOOD}, {"✗", STYLE_BAD}, {"↯", STYLE_BAD}, {"↺", STYLE_WAIT}, {"■", STYLE_WAIT}, {"…", STYLE_WAIT},
        {"!", STYLE_WAIT}, {"?", STYLE_WAIT}, {"→", STYLE_BUSY}, {"◆", STYLE_STRONG}};
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (text_starts(line, marks[i].mark)) return marks[i].style;
    return STYLE_QUIET;
}

/* line: a mark of one column, a blank, words. */
static void add_line(struct story *story, int64_t ms, const char *line)
{
    struct text *out = &story->out;
    size_t mark = strcspn(line, " ");
    const char *words = line[mark] ? line + mark + 1 : "";
    AUTO(free_text) char *sign = mem_copy_bytes(line, mark);
    size_t columns = story->terminal->columns;
    bool colour = story->terminal->colour;
    text_add(out, style_open(STYLE_QUIET, colour));
    add_time(out, ms);
    text_add(out, style_close(STYLE_QUIET, colour));
    text_add(out, "  ");
    text_add_styled(out, style_of_mark(line), colour, sign);
    text_add_char(out, ' ');
    AUTO(text_release) struct text wrapped = {0};
    display_add_wrapped(&wrapped, words, columns > INDENT ? columns - INDENT : 0, 0);
    for (const char *at = text_view(&wrapped); *at; at++) {
        text_add_char(out, *at);
        if (*at == '\n') text_add_repeated(out, ' ', INDENT);
    }
    text_add_char(out, '\n');
}

static void tell(struct story *story, int64_t ms, const char *kind, const char *line)
{
    if (ms < story->last_ms) ms = story->last_ms; /* what was written is on disk a moment later */
    story->last_ms = ms;
    if (!story->lines) return add_line(story, ms, line);
    const char *words = strchr(line, ' ');
    json_t *json = json_object();
    json_put_whole(json, "at_ms", ms);
    json_put_text(json, "kind", kind);
    json_put_text(json, "words", words ? words + 1 : line);
    json_array_append_new(story->lines, json);
}

/* --- what is heard --------------------------------------------------------------------------------------------------------------------
 */

static void hear_event(void *context, const struct event *event)
{
    struct story *story = context;
    struct error err = {0};
    if (reduce(story->state, event, &err)) return;
    explanation_add(story->explanation, story->state, event);
    AUTO(free_text) char *line = narrate(story->state, event, false);
    if (line) tell(story, event->time_ms - SIMULATED_START_MS, "event", line);
}

static bool is_restarted(enum fault fault)
{
    return fault == FAULT_server_dies || fault == FAULT_power_fails;
}

static void hear_fault(void *context, int64_t ms, enum fault fault, uint32_t step, bool of_undo)
{
    struct story *story = context;
    AUTO(text_release) struct text line = {0};
    text_add(&line, "↯ ");
    if (step != NO_STEP) text_add_format(&line, "%s%s: ", of_undo ? "undoing " : "", story->plan->steps[step].path);
    text_add(&line, fault_help(fault));
    if (is_restarted(fault)) text_add(&line, "; the server starts again and reads its journal");
    tell(story, ms, "fault", text_view(&line));
}

static void hear_act(void *context, int64_t ms, enum act act, uint32_t index, uint32_t effect, bool of_undo)
{
    struct story *story = context;
    const struct plan_step *step = &story->plan->steps[index];
    const json_t *planned = json_array_get(step->effects, effect);
    const char *name = json_text(planned, "name", "?"), *target = json_text(planned, "target", "the peer");
    AUTO(free_text) char *what = mem_format("%s%s", of_undo ? "undo " : "", name);
    AUTO(text_release) struct text line = {0};
    switch (act) {
    case ACT_SENDS: text_add_format(&line, "→ %s sends \"%s\" to %s", step->path, what, target); break;
    case ACT_ASKS: text_add_format(&line, "? %s asks %s for \"%s\" by its key", step->path, target, what); break;
    case ACT_MAKES: text_add_format(&line, "◆ %s does \"%s\" of %s", target, what, step->path); break;
    }
    tell(story, ms, "act", text_view(&line));
}

json_t *story_now(const struct story *story)
{
    AUTO(free_json) json_t *told = explanation_tell(story->explanation, story->state, NULL, story->last_ms + SIMULATED_START_MS);
    return json_incref(json_object_get(told, "now"));
}

struct listener story_listener(struct story *story)
{
    return (struct listener){.context = story, .event = hear_event, .fault = hear_fault, .act = hear_act};
}
