/* test_workspace.c: a stage is given the folder of one that is over only where nothing shows that anybody was there. */
#include "engine_home.h"

#include "run/live.h"

#include <sys/stat.h>
#include <unistd.h>

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

/* A run whose last step lives, behind stages that are over, and all of it is on disk. */
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

/* Stage a runs the script; b comes behind it. */
static struct live_run *run_behind(struct engine_home *home, const char *script)
{
    AUTO(free_text)
    char *text = mem_format("sandbox: none\nstages:\n"
                            "- stage: a\n  checkout: none\n  steps:\n  - run: |\n      %s\n"
                            "- stage: b\n  needs: a\n  checkout: none\n  steps:\n  - run: sleep 7391\n",
        script);
    return run_up_to_its_last_step(home, text);
}

static bool is_there(const struct live_run *run, uint32_t stage)
{
    AUTO(free_text) char *path = workspace_path(run, stage);
    return access(path, F_OK) == 0;
}

static void an_untouched_folder_is_the_next_stages(void **state)
{
    struct live_run *run = run_behind(*state, "touch x && rm x");
    assert_false(is_there(run, 0));
    assert_true(is_there(run, 1));
}

static void what_shows_a_step_is_nobody_elses(void **state)
{
    static const char *const scripts[] = {"touch x", "mkdir .hidden", "chmod 700 .", "chmod g+s ."};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        if (i) assert_int_equal(begin(state), 0);
        struct live_run *run = run_behind(*state, scripts[i]);
        assert_true(is_there(run, 0));
        AUTO(free_text) char *path = workspace_path(run, 1);
        struct stat facts;
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 07700, 0700);
        assert_int_equal(rmdir(path), 0); /* it was empty */
        if (i + 1 < COUNT_OF(scripts)) assert_int_equal(end(state), 0);
    }
}

static void what_others_look_into_stays(void **state)
{
    struct live_run *run = run_up_to_its_last_step(*state,
        "sandbox: none\nstages:\n"
        "- { stage: a, checkout: none, steps: [{ run: \"true\" }] }\n"
        "- { stage: c, needs: [a, b], inputs: { a: [\"*\"] }, checkout: none, steps: [{ run: \"true\" }] }\n"
        "- { stage: b, needs: [a], checkout: none, steps: [{ run: sleep 7391 }] }\n");
    assert_true(is_there(run, 0));
    assert_true(is_there(run, 2));
}

static void what_failed_keeps_its_own(void **state)
{
    struct live_run *run = run_behind(*state, "true");
    run->state->steps[0].status = STEP_failed;
    workspace_leave(run, 0);
    assert_int_equal(run->vacant.count, 0);
    run->state->steps[0].status = STEP_succeeded;
    workspace_leave(run, 0);
    assert_int_equal(run->vacant.count, 1);
}

/* A stage that comes back, to undo, takes its own folder; and nobody's present one is replaced. */
static void a_folder_is_claimed_once(void **state)
{
    struct live_run *run = run_up_to_its_last_step(*state, "sandbox: none\nstages:\n"
                                                           "- { stage: a, checkout: none, steps: [{ run: \"touch x\" }] }\n"
                                                           "- { stage: b, checkout: none, steps: [{ run: \"true\" }] }\n"
                                                           "- { stage: c, needs: [a, b], checkout: none, steps: [{ run: sleep 7391 }] }\n");
    struct error err;
    AUTO(free_text) char *a = workspace_path(run, 0);
    AUTO(free_text) char *b = workspace_path(run, 1);
    assert_false(is_there(run, 1));
    assert_int_equal(mkdir(b, 0755), 0);
    run->vacant = (struct vacant_workspaces){.stages = {1}, .count = 1};
    assert_int_equal(workspace_make(run, 0, a, &err), 0);
    assert_true(is_there(run, 1));
    run->vacant = (struct vacant_workspaces){.stages = {1}, .count = 1};
    assert_int_equal(workspace_make(run, 1, b, &err), 0);
    assert_true(is_there(run, 1));
    assert_int_equal(run->vacant.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_untouched_folder_is_the_next_stages, begin, end),
        cmocka_unit_test_setup_teardown(what_shows_a_step_is_nobody_elses, begin, end),
        cmocka_unit_test_setup_teardown(what_others_look_into_stays, begin, end),
        cmocka_unit_test_setup_teardown(what_failed_keeps_its_own, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_is_claimed_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
