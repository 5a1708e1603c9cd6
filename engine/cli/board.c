/* board.c: the live picture of a run. */
#include "cli/board.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"

#include <stdlib.h>

enum { TIME_COLUMNS = 10, PATH_COLUMNS_MIN = 8, NO_LIMIT_COLUMNS = 4000 };

struct stage_view {
    const struct plan_stage *stage;
    enum step_status status;
    const struct plan_step *current; /* the one that lives, parks or failed; NULL */
    int64_t started_ms, ended_ms;    /* 0 = not yet */
    uint32_t done;
    bool shown;
};

void board_add_elapsed(struct text *out, int64_t ms)
{
    if (ms < 0) ms = 0;
    if (ms < 60 * 1000)
        text_add_format(out, "%lld s", (long long)(ms / 1000));
    else
        text_add_duration(out, ms);
}

static bool is_live(enum step_status status)
{
    return status == STEP_starting || status == STEP_running || status == STEP_parked || status == STEP_cancelling ||
           status == STEP_unknown || status == STEP_compensating;
}

static bool is_bad(enum step_status status)
{
    return status == STEP_failed || status == STEP_unknown || status == STEP_compensation_failed;
}

static struct stage_view view_of(const struct run_state *state, uint32_t index)
{
    const struct plan_stage *stage = &state->plan->stages[index];
    struct stage_view view = {.stage = stage, .status = stage_status(state, index)};
    for (uint32_t i = stage->first_step; i < stage->first_step + stage->step_count; i++) {
        const struct step_state *step = &state->steps[i];
        bool better = !view.current || (is_live(step->status) && !is_live(state->steps[view.current->index].status));
        if (better && (is_live(step->status) || is_bad(step->status))) view.current = &state->plan->steps[i];
        int64_t began_ms = step->began_ms ? step->began_ms : step->started_ms;
        if (began_ms && (!view.started_ms || began_ms < view.started_ms)) view.started_ms = began_ms;
        if (step->ended_ms > view.ended_ms) view.ended_ms = step->ended_ms;
        view.done += step_status_at_rest(step->status);
    }
    if (!step_status_at_rest(view.status)) view.ended_ms = 0;
    return view;
}

static void show_some(struct stage_view *views, uint32_t count, size_t *room, bool (*wanted)(const struct stage_view *), bool from_end)
{
    for (uint32_t n = 0; n < count && *room; n++) {
        struct stage_view *view = &views[from_end ? count - 1 - n : n];
        if (view->shown || !wanted(view)) continue;
        view->shown = true;
        --*room;
    }
}

static bool wants_attention(const struct stage_view *view)
{
    return is_live(view->status) || is_bad(view->status);
}

static bool is_to_come(const struct stage_view *view)
{
    return !step_status_at_rest(view->status);
}

static bool is_any(const struct stage_view *view)
{
    return view->stage != NULL;
}

static void add_wait(const struct board *board, const struct plan_step *step, struct text *out)
{
    const struct step_state *parked = &board->state->steps[step->index];
    if (parked->wait == WAIT_approval) {
        text_add_format(out, "crescendo approve%s %llu", board->server, (unsigned long long)board->run);
        const char *ask = json_text(step->with, "ask", NULL);
        if (ask) text_add_format(out, "  %s", ask);
    } else if (parked->wait == WAIT_retry) {
        text_add_format(out, "%s: tries again in ", step->id);
        board_add_elapsed(out, parked->until_ms - board->now_ms + 999);
    } else if (parked->wait == WAIT_group && parked->message) {
        text_add(out, parked->message);
    } else {
        text_add_format(out, "%s: waits for %s", step->id, wait_name(parked->wait));
        if (parked->until_ms > board->now_ms) {
            text_add(out, ", ");
            board_add_elapsed(out, parked->until_ms - board->now_ms);
            text_add(out, " at most");
        }
    }
}

/* The same while it looks and while it waits for its next look: NULL where it judges no canary. */
static const struct plan_step *judge_of(
    const struct board *board, const struct stage_view *view, struct text *ret_time, struct text *ret_evidence)
{
    const struct plan_step *step = view->current;
    enum step_status status = step ? board->state->steps[step->index].status : STEP_pending;
    if (status != STEP_parked && status != STEP_starting && status != STEP_running) return NULL;
    return explanation_canary_short(board->explanation, board->state, step->index, ret_time, ret_evidence) ? step : NULL;
}

static bool add_canary(const struct board *board, const struct stage_view *view, struct text *out)
{
    AUTO(text_release) struct text time = {0}, evidence = {0};
    const struct plan_step *judge = judge_of(board, view, &time, &evidence);
    if (judge) text_add_format(out, "%s: %s", judge->id, text_view(&time));
    return judge != NULL;
}

/* Its evidence has a line of its own: beside the stage's name it would be cut. */
static void add_evidence_line(const struct board *board, const struct stage_view *view, struct text *out)
{
    AUTO(text_release) struct text time = {0}, evidence = {0}, line = {0};
    if (!judge_of(board, view, &time, &evidence)) return;
    text_add_format(&line, "    %s", text_view(&evidence));
    display_add_cut(out, text_view(&line), board->terminal->columns ? board->terminal->columns : NO_LIMIT_COLUMNS);
    text_add_char(out, '\n');
}

static size_t count_judging(const struct board *board, const struct stage_view *views, uint32_t count)
{
    AUTO(text_release) struct text time = {0}, evidence = {0};
    size_t judging = 0;
    for (uint32_t i = 0; i < count; i++)
        judging += judge_of(board, &views[i], &time, &evidence) != NULL;
    return judging;
}

/* What is to be said of a stage beside its name and time. */
static void add_detail(const struct board *board, const struct stage_view *view, struct text *out)
{
    const struct plan_step *step = view->current;
    if (!step) {
        if (view->status == STEP_skipped)
            text_add(out, "skipped");
        else if (view->status == STEP_ready)
            text_add(out, "waits for a free place");
        return;
    }
    const struct step_state *now = &board->state->steps[step->index];
    if (add_canary(board, view, out)) return;
    if (now->status == STEP_parked) {
        add_wait(board, step, out);
        return;
    }
    if (now->status == STEP_compensating) {
        text_add_format(out, "undoing %s", step->id);
        return;
    }
    text_add(out, step->id);
    if (is_bad(now->status))
        text_add_format(out, ": %s", now->message ? now->message : reason_name(now->reason));
    else if (view->stage->step_count > 1)
        text_add_format(out, " (%u of %u)", step->index - view->stage->first_step + 1, view->stage->step_count);
    if (now->status == STEP_cancelling) text_add(out, ": being ended");
    if (now->attempt > 1) text_add_format(out, ", attempt %u", now->attempt);
    if (now->status != STEP_running) return;
    const char *words = now->message ? now->message : step->title;
    if (words && !text_equal(words, step->id)) text_add_format(out, ": %s", words);
}

static void add_stage(const struct board *board, const struct stage_view *view, size_t path_columns, struct text *out)
{
    const struct terminal *terminal = board->terminal;
    const char *name = step_status_name(view->status);
    enum style style = style_of_state(name);
    size_t columns = terminal->columns ? terminal->columns : NO_LIMIT_COLUMNS;
    text_add_styled(out, style, terminal->colour, symbol_of_state(name));
    text_add_char(out, ' ');
    bool quiet = style == STYLE_QUIET;
    if (quiet) text_add(out, style_open(STYLE_QUIET, terminal->colour));
    size_t taken = display_add_cut(out, view->stage->path, path_columns);
    struct text time = {0}, detail = {0};
    if (view->started_ms && view->ended_ms)
        text_add_duration(&time, view->ended_ms - view->started_ms);
    else if (view->started_ms)
        board_add_elapsed(&time, board->now_ms - view->started_ms);
    add_detail(board, view, &detail);
    if ((time.size || detail.size) && columns >= 2 + path_columns + 2 + TIME_COLUMNS) {
        text_add_repeated(out, ' ', path_columns - taken + 2);
        taken = display_add_cut(out, text_view(&time), TIME_COLUMNS);
        size_t used = 2 + path_columns + 2 + TIME_COLUMNS + 1;
        if (detail.size && columns > used) {
            text_add_repeated(out, ' ', TIME_COLUMNS - taken + 1);
            display_add_cut(out, text_view(&detail), columns - used);
        }
    }
    if (quiet) text_add(out, style_close(STYLE_QUIET, terminal->colour));
    text_add_char(out, '\n');
    text_release(&time);
    text_release(&detail);
    add_evidence_line(board, view, out);
}

static void add_hidden(const struct stage_view *views, uint32_t count, const struct terminal *terminal, struct text *out)
{
    uint32_t done = 0, to_come = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].shown) continue;
        done += step_status_at_rest(views[i].status);
        to_come += !step_status_at_rest(views[i].status);
    }
    if (!done && !to_come) return;
    AUTO(free_text)
    char *line = mem_format("… %u more stage%s: %u done, %u to come", done + to_come, done + to_come == 1 ? "" : "s", done, to_come);
    display_add_cut(out, line, terminal->columns ? terminal->columns : NO_LIMIT_COLUMNS);
    text_add_char(out, '\n');
}

static void add_run(const struct board *board, struct text *out)
{
    const struct run_state *state = board->state;
    const struct terminal *terminal = board->terminal;
    uint32_t done = state->plan->step_count - state->open_count;
    struct text line = {0};
    const char *name = run_status_name(state->status);
    bool judges = run_judges(state);
    text_add_format(&line, "run %llu  %s", (unsigned long long)board->run, judges ? "judging" : name);
    if (state->status == RUN_waiting && !judges) text_add_format(&line, " for %s", wait_name(state->wait));
    text_add_format(&line, "  %u of %u steps  ", done, state->plan->step_count);
    if (state->accepted_ms) board_add_elapsed(&line, (state->ended_ms ? state->ended_ms : board->now_ms) - state->accepted_ms);
    text_add(out, style_open(style_of_state(name), terminal->colour));
    display_add_cut(out, text_view(&line), terminal->columns ? terminal->columns : NO_LIMIT_COLUMNS);
    text_add(out, style_close(style_of_state(name), terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
}

static size_t path_columns_of(const struct stage_view *views, uint32_t count, const struct terminal *terminal)
{
    size_t widest = PATH_COLUMNS_MIN, limit = terminal->columns ? terminal->columns / 3 : 60;
    for (uint32_t i = 0; i < count; i++) {
        size_t width = views[i].shown ? display_width(views[i].stage->path) : 0;
        if (width > widest) widest = width;
    }
    return widest < limit ? widest : limit;
}

void board_draw(const struct board *board, struct text *out)
{
    const struct run_state *state = board->state;
    const struct terminal *terminal = board->terminal;
    uint32_t count = state->plan->stage_count;
    struct stage_view *views = mem_alloc_array(count, sizeof *views);
    for (uint32_t i = 0; i < count; i++)
        views[i] = view_of(state, i);
    size_t room = count, lines = count_judging(board, views, count) + 3;
    if (terminal->rows && count + lines - 1 > terminal->rows) room = terminal->rows > lines + 1 ? terminal->rows - lines : 1;
    show_some(views, count, &room, wants_attention, false);
    show_some(views, count, &room, is_to_come, false);
    show_some(views, count, &room, is_any, true);
    size_t path_columns = path_columns_of(views, count, terminal);
    for (uint32_t i = 0; i < count; i++)
        if (views[i].shown) add_stage(board, &views[i], path_columns, out);
    add_hidden(views, count, terminal, out);
    add_run(board, out);
    free(views);
}
