/* fixture.h: a run to play with: a plan from text, events folded as they are decided, reports by a step's path. */
#ifndef TESTS_UNIT_STATE_FIXTURE_H
#define TESTS_UNIT_STATE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crescendo/limits.h"
#include "state/state.h"
#include "tests/support/make_plan.h"

struct fixture {
    struct plan *plan;
    struct run_state *state;
    int64_t now_ms;
    uint32_t slots;
    struct text log; /* "step_starting build/a" a line, of all that was folded since fixture_log was asked last */
};

static inline void fixture_note(struct fixture *fixture, const struct event *event)
{
    text_add(&fixture->log, event_type_name(event->type));
    if (event->step != NO_STEP) text_add_format(&fixture->log, " %s", fixture->plan->steps[event->step].path);
    AUTO(free_text) char *data = event->data && json_object_size(event->data) ? json_canonical(event->data) : NULL;
    if (data) text_add_format(&fixture->log, " %s", data);
    text_add_char(&fixture->log, '\n');
}

static inline void fixture_fold(struct fixture *fixture, struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        struct error err = {0};
        if (reduce(fixture->state, &events->items[i], &err)) fail_msg("refused: %s", err.message);
        fixture_note(fixture, &events->items[i]);
    }
    event_list_release(events);
}

/* Decides and folds until nothing comes any more. */
static inline void fixture_decide(struct fixture *fixture)
{
    for (int rounds = 0; rounds < 100000; rounds++) {
        struct event_list events = {0};
        uint32_t live = fixture->state->live_stage_count;
        decide(fixture->state, &(struct decide_input){fixture->now_ms, live < fixture->slots ? fixture->slots - live : 0}, &events);
        if (!events.count) return;
        fixture_fold(fixture, &events);
    }
    fail_msg("decide does not come to an end");
}

static inline void fixture_event(struct fixture *fixture, enum event_type type, uint32_t step, json_t *data)
{
    struct event_list events = {0};
    event_list_add(&events, type, step, fixture->now_ms, data);
    fixture_fold(fixture, &events);
}

static inline struct fixture fixture_new(const char *plan)
{
    struct fixture fixture = {.plan = make_plan(plan), .now_ms = 1000, .slots = 4};
    fixture.state = run_state_new(fixture.plan);
    fixture_event(&fixture, EVENT_run_accepted, NO_STEP, json_pack("{s:i, s:s}", "number", 7, "author", "ann"));
    fixture_decide(&fixture);
    return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
    run_state_free(&fixture->state);
    free_made_plan(&fixture->plan);
    text_release(&fixture->log);
}

static inline struct step_state *fixture_step(const struct fixture *fixture, const char *path)
{
    const struct plan_step *step = plan_find_step(fixture->plan, path);
    if (!step) fail_msg("no step %s", path);
    return &fixture->state->steps[step->index];
}

static inline uint32_t fixture_index(const struct fixture *fixture, const char *path)
{
    return (uint32_t)(fixture_step(fixture, path) - fixture->state->steps);
}

/* What was folded since the last call, each event with its data. */
static inline void fixture_expect(struct fixture *fixture, const char *expected)
{
    assert_string_equal(text_view(&fixture->log), expected);
    text_release(&fixture->log);
}

static inline void fixture_forget(struct fixture *fixture)
{
    text_release(&fixture->log);
}

static inline void fixture_report(struct fixture *fixture, const char *path, struct report report)
{
    struct event_list events = {0};
    report.step = fixture_index(fixture, path);
    if (!report.attempt) report.attempt = fixture_step(fixture, path)->attempt;
    report.time_ms = fixture->now_ms;
    settle(fixture->state, &report, &events);
    fixture_fold(fixture, &events);
}

static inline void fixture_started(struct fixture *fixture, const char *path)
{
    fixture_report(fixture, path, (struct report){.type = REPORT_STARTED});
}

static inline void fixture_exited(struct fixture *fixture, const char *path, int code)
{
    fixture_report(fixture, path, (struct report){.type = REPORT_EXITED, .exit_code = code});
}

/* Returns settle_line's result; the reply is compared (NULL: none is expected). */
static inline int fixture_line(struct fixture *fixture, const char *path, const char *line, const char *reply)
{
    struct event_list events = {0};
    struct error err = {0};
    AUTO(free_text) char *said = NULL;
    int result = settle_line(fixture->state, fixture_index(fixture, path), line, fixture->now_ms, &events, &said, &err);
    if (result) assert_true(err.message[0] && events.count == 0);
    fixture_fold(fixture, &events);
    if (!result && reply) assert_string_equal(said ? said : "(none)", reply);
    if (!result && !reply) assert_null(said);
    return result;
}

/* The compensating step says that its effect is undone, and ends. */
static inline void fixture_undone(struct fixture *fixture, const char *path, const char *name)
{
    AUTO(free_text) char *line = mem_format("{\"type\":\"compensated\",\"name\":\"%s\"}", name);
    AUTO(free_text) char *reply = mem_format("{\"name\":\"%s\",\"type\":\"kept\"}", name);
    assert_int_equal(fixture_line(fixture, path, line, reply), 0);
    fixture_exited(fixture, path, 0);
    fixture_decide(fixture);
}

#define expect_status(fixture, path, wanted) assert_string_equal(step_status_name(fixture_step(fixture, path)->status), #wanted)
#define expect_run(fixture, wanted) assert_string_equal(run_status_name((fixture)->state->status), #wanted)

#endif
