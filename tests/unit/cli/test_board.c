/* test_board.c: the live picture, from a plan and a state made by hand. */
#include "base/mem.h"
#include "cli/board.h"
#include "cli/display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STAGES = 30 };

struct sample {
    struct plan plan;
    struct plan_stage stages[STAGES];
    struct plan_step steps[STAGES];
    char names[STAGES][160];
    struct run_state *state;
    struct explanation *explanation;
};

static void fold(struct sample *sample, enum event_type type, uint32_t step, int64_t time_ms, const char *data)
{
    struct event event = {type, step, time_ms, data ? json_loads(data, 0, NULL) : NULL};
    struct error err = {0};
    if (reduce(sample->state, &event, &err)) fail_msg("%s", err.message);
    explanation_add(sample->explanation, sample->state, &event);
    event_release(&event);
}

/* From its start to its end; ended_ms 0: it still runs. */
static void run_step(struct sample *sample, uint32_t step, int64_t started_ms, int64_t ended_ms, bool well)
{
    fold(sample, EVENT_step_starting, step, started_ms, "{\"attempt\": 1}");
    fold(sample, EVENT_step_running, step, started_ms, "{\"attempt\": 1, \"pid\": 5}");
    if (ended_ms && well) fold(sample, EVENT_step_succeeded, step, ended_ms, "{\"exit\": 0}");
    if (ended_ms && !well)
        fold(sample, EVENT_step_failed, step, ended_ms, "{\"reason\": \"failed\", \"exit\": 3, \"message\": \"exit 3\\u001b]0;x\\u0007\"}");
}

static struct sample *sample_new(uint32_t count, const char *prefix)
{
    struct sample *sample = mem_alloc(sizeof *sample);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(sample->names[i], sizeof sample->names[i], "%s%u", prefix, i);
        sample->stages[i] = (struct plan_stage){.index = i, .path = sample->names[i], .first_step = i, .step_count = 1, .scope = ""};
        sample->steps[i] = (struct plan_step){
            .index = i, .stage = i, .path = sample->names[i], .id = "go", .title = "make \x1b[2J all", .type = "run", .timeout_ms = 1000};
    }
    sample->plan = (struct plan){.name = "p", .stages = sample->stages, .steps = sample->steps, .stage_count = count, .step_count = count};
    sample->state = run_state_new(&sample->plan);
    sample->explanation = explanation_new();
    fold(sample, EVENT_run_accepted, NO_STEP, 0, "{\"number\": 7}");
    fold(sample, EVENT_run_started, NO_STEP, 1000, NULL);
    return sample;
}

static void sample_free(struct sample **sample)
{
    run_state_free(&(*sample)->state);
    explanation_free(&(*sample)->explanation);
    free(*sample);
}

static void check(const struct sample *sample, struct terminal terminal, const char *expected)
{
    struct text out = {0};
    board_draw(&(struct board){sample->state, sample->explanation, 7, " --local", &terminal, 10000}, &out);
    assert_string_equal(text_view(&out), expected);
    text_release(&out);
}

static void test_lines(void **state)
{
    (void)state;
    AUTO(sample_free) struct sample *sample = sample_new(4, "stage-");
    run_step(sample, 0, 1000, 2500, true);
    run_step(sample, 1, 5000, 0, true);
    run_step(sample, 2, 5000, 6000, false);
    check(sample, (struct terminal){.columns = 0},
        "✓ stage-0   1.5 s\n"
        "● stage-1   5 s        go: make  all\n"
        "✗ stage-2   1.0 s      go: exit 3\n"
        "○ stage-3\n"
        "run 7  running  2 of 4 steps  \n");
}

static void test_approval(void **state)
{
    (void)state;
    AUTO(sample_free) struct sample *sample = sample_new(1, "s");
    fold(sample, EVENT_step_parked, 0, 1000, "{\"for\": \"approval\"}");
    check(sample, (struct terminal){.columns = 0},
        "◦ s0                   crescendo approve --local 7\n"
        "run 7  running  0 of 1 steps  \n");
}

/* A step that judges a canary shows how that stands, while it looks and between its looks: in two lines that a narrow terminal does not
 * cut. */
static void test_canary(void **state)
{
    (void)state;
    AUTO(sample_free) struct sample *sample = sample_new(1, "plant/release/");
    struct terminal narrow = {.columns = 80, .rows = 24};
    static const char expected[] =
        "go: judging 25 % for 20.0 s\n    harm latency 1.1 of 100; clear latency 2.7 of 20, errors 1.0 of 20\nrun 7  judging";
    static const char *const moves[] = {"", "{\"for\": \"timer\", \"until\": 13000}"};
    run_step(sample, 0, 1000, 0, true);
    fold(sample, EVENT_step_checkpoint, 0, 2000,
        "{\"checkpoint\": {\"evidence\": 1, \"ramp\": {\"judged\": 20000}, \"kpis\": ["
        "{\"kpi\": \"latency\", \"rules\": {\"alpha\": 0.01, \"beta\": 0.05}},"
        "{\"kpi\": \"errors\", \"rules\": {\"alpha\": 0.01, \"beta\": 0.05}}],"
        "\"ticks\": [{\"tick\": 1, \"share\": 25, \"used\": true, \"kpis\": [{\"kpi\": \"latency\", \"harm\": 0.1, \"clear\": 1.0}]}]}}");
    for (size_t i = 0; i < COUNT_OF(moves); i++) {
        AUTO(text_release) struct text out = {0};
        if (*moves[i]) fold(sample, EVENT_step_parked, 0, 3000, moves[i]);
        if (*moves[i]) fold(sample, EVENT_run_waiting, NO_STEP, 3000, "{\"for\": \"timer\"}");
        board_draw(&(struct board){sample->state, sample->explanation, 7, "", &narrow, 10000}, &out);
        if (!strstr(text_view(&out), expected)) fail_msg("%s", text_view(&out));
        assert_null(strstr(text_view(&out), "…"));
    }
}

/* That undoing is another attempt of the step is nothing to say. */
static void test_undoing(void **state)
{
    (void)state;
    AUTO(sample_free) struct sample *sample = sample_new(1, "s");
    AUTO(text_release) struct text out = {0};
    run_step(sample, 0, 1000, 2000, true);
    fold(sample, EVENT_run_rolling_back, NO_STEP, 3000, "{\"reason\": \"failed\"}");
    fold(sample, EVENT_step_compensating, 0, 3000, "{\"attempt\": 2}");
    board_draw(&(struct board){sample->state, sample->explanation, 7, "", &(struct terminal){0}, 10000}, &out);
    assert_non_null(strstr(text_view(&out), "undoing go\n"));
}

/* However many stages and however narrow: it fits, and what lives is seen. */
static void test_fits(void **state)
{
    (void)state;
    AUTO(sample_free) struct sample *sample = sample_new(STAGES, "日本語-stage-with-a-long-name-");
    for (uint32_t i = 0; i < 10; i++)
        run_step(sample, i, 1, 2, true);
    run_step(sample, 20, 1, 0, true);
    for (unsigned rows = 5; rows < 40; rows++) {
        for (unsigned columns = 20; columns < 120; columns += 7) {
            struct text out = {0};
            struct terminal terminal = {.columns = columns, .rows = rows, .colour = rows % 2};
            board_draw(&(struct board){sample->state, sample->explanation, 7, "", &terminal, 10000}, &out);
            unsigned lines = 0;
            bool live = false;
            for (char *at = out.bytes, *end; (end = strchr(at, '\n')); at = end + 1, lines++) {
                *end = '\0';
                assert_true(display_width(at) <= columns);
                live = live || strstr(at, "●");
            }
            assert_true(lines < rows);
            assert_true(live);
            text_release(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_approval),
        cmocka_unit_test(test_canary),
        cmocka_unit_test(test_undoing),
        cmocka_unit_test(test_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
