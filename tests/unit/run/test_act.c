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

/* A run whose only step lives, and all of it is on disk. */
static struct live_run *living_run(struct engine_home *home)
{
    static const char text[] = "stages:\n  - stage: a\n    checkout: none\n    sandbox: none\n    steps: [{ run: sleep 7397 }]\n";
    struct source source = {"crescendo.yaml", text, sizeof text - 1};
    const struct submission submission = {.trigger = "manual", .author = "ada", .files = {&source, 1}};
    engine_submit(home->engine, &submission, ignore_accepted, NULL);
    for (struct live_run *run;; uv_run(&home->loop, UV_RUN_ONCE)) {
        run = live_find(home->engine, 1);
        if (run && run->state->steps[0].status == STEP_running && !run->appends_pending && !run->outbox.count) return run;
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(an_attach_waits_for_the_disk, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
