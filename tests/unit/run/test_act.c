/* test_act.c: nothing is said or done before what it rests upon is on disk; also not at the attach, when the last of what the shim told
   again was folded a moment ago and nothing of it is even written. */
#include "engine_home.h"

#include "run/live.h"

static int begin(void **state)
{
    struct engine_home *home = mem_alloc(sizeof *home);
    *state = home;
    return home_begin(home);
}

static int end(void **state)
{
    struct engine_home *home = *state;
    int failed = home_end(home);
    free(home);
    return failed;
}

static void ignore_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    (void)context;
    (void)accepted;
    if (err) fail_msg("%s", err->message);
}

/* A run whose last step lives, and all of it is on disk. */
static struct live_run *run_up_to_its_last_step(struct engine_home *home, const char *text)
{
    struct source source = {"crescendo.yaml", text, strlen(text)};
    const struct submission submission = {.trigger = "manual", .author = "ada", .files = {&source, 1}};
    engine_submit(home->engine, &submission, ignore_accepted, NULL);
    for (struct live_run *run;; uv_run(&home->loop, UV_RUN_ONCE)) {
        run = live_find(home->engine, 1);
        if (!run || run->appends_pending || run->outbox.count) continue;
        if (run->state->steps[run->plan->step_count - 1].status == STEP_running) return run;
    }
}

static struct live_run *living_run(struct engine_home *home)
{
    return run_up_to_its_last_step(home, "stages: [{ stage: a, checkout: none, sandbox: none, steps: [{ run: sleep 7397 }] }]\n");
}

static void say_later(struct live_run *run)
{
    struct saying *saying = mem_alloc(sizeof *saying);
    *saying = (struct saying){0, 1, mem_copy_text("{\"type\":\"kept\"}"), NULL};
    *run->sayings_end = saying;
    run->sayings_end = &saying->next;
}

static void an_attach_waits_for_the_disk(void **state)
{
    struct engine_home *home = *state;
    struct live_run *run = living_run(home);
    struct event_list events = {0};
    event_list_add(&events, EVENT_step_checkpoint, 0, 1000, json_pack("{s:{s:i}}", "checkpoint", "at", 1));
    assert_true(live_fold(run, &events));
    say_later(run);
    live_supervisor_hooks(run).attached(run);
    assert_non_null(run->sayings);
    assert_true(run->must_repeat);
    live_supervisor_hooks(run).batch_end(run);
    assert_non_null(run->sayings);
    while (run->sayings)
        uv_run(&home->loop, UV_RUN_ONCE);
    assert_false(run->must_repeat);
    assert_int_equal(run->durable_pending, 0);
}

static void a_stage_that_is_over_gives_its_sandboxes_back(void **state)
{
    struct live_run *run = run_up_to_its_last_step(*state,
        "sandbox: none\nstages:\n"
        "  - { stage: a, checkout: none, steps: [{ run: \"true\" }, { run: \"true\", sandbox: { network: host } }] }\n"
        "  - { stage: b, checkout: none, steps: [{ run: sleep 7397 }] }\n");
    assert_int_equal(run->plan->step_count, 3);
    assert_false(run->has_sandbox[0]);
    assert_false(run->has_sandbox[1]);
    assert_true(run->has_sandbox[2]);
}

static void on_cancelled(void *context, const struct error *err)
{
    (void)context;
    if (err) fail_msg("%s", err->message);
}

/* A start that only the shim knows of is learnt first: else what comes behind a cancelled step begins beside it. */
static void what_was_taken_up_decides_nothing_before_its_shim_was_heard(void **state)
{
    struct engine_home *home = *state;
    (void)living_run(home);
    home_close(home);
    home_open(home);
    struct live_run *run = live_find(home->engine, 1);
    engine_cancel(home->engine, 1, "ada", NULL, on_cancelled, NULL);
    assert_false(run->attached);
    assert_int_equal(run->state->cancel_count, 1);
    assert_int_equal(run->state->steps[0].status, STEP_running);
    while (!run->attached)
        uv_run(&home->loop, UV_RUN_ONCE);
    assert_int_equal(run->state->steps[0].status, STEP_cancelling);
    while (!home_run_is_over(home, 1))
        uv_run(&home->loop, UV_RUN_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_taken_up_decides_nothing_before_its_shim_was_heard, begin, end),
        cmocka_unit_test_setup_teardown(an_attach_waits_for_the_disk, begin, end),
        cmocka_unit_test_setup_teardown(a_stage_that_is_over_gives_its_sandboxes_back, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
