/* test_engine.c: the shell round the pure core, with a real journal and a real shim: runs are accepted once, go to their end, are taken up
   by the next engine, and obey persons. */
#include "engine_home.h"

#include "exec/launch.h"
#include "spec/pipeline.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct fixture {
    struct engine_home home;
    uint64_t run; /* of the last answer */
    bool answered, known, invalid, unwanted, failed;
    struct error err;
};

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    *state = fixture;
    return home_begin(&fixture->home);
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    int failed = home_end(&fixture->home);
    free(fixture);
    return failed;
}

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answered = true;
    fixture->run = accepted->run;
    fixture->known = accepted->known;
    fixture->invalid = accepted->invalid;
    fixture->unwanted = accepted->unwanted;
    fixture->failed = err != NULL;
}

static void on_done(void *context, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answered = true;
    fixture->failed = err != NULL;
    if (err) fixture->err = *err;
}

static void wait_answer(struct fixture *fixture)
{
    while (!fixture->answered)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    fixture->answered = false;
}

static void submit(struct fixture *fixture, const char *text, const char *key, const char *branch)
{
    struct source source = {"crescendo.yaml", text, strlen(text)};
    engine_submit(fixture->home.engine,
        &(struct submission){.key = key, .trigger = key ? "push" : "manual", .branch = branch, .author = "ada", .files = {&source, 1}},
        on_accepted, fixture);
    wait_answer(fixture);
}

/* The run's row, once it is in one of the states. */
static json_t *wait_state(struct fixture *fixture, uint64_t run, const char *wanted)
{
    struct error err = {0};
    for (json_t *row = NULL;; json_decref(row)) {
        if (journal_get_run(engine_journal(fixture->home.engine), run, &row, &err) < 0) fail_msg("%s", err.message);
        if (text_equal(json_text(row, "state", ""), wanted)) return row;
        if (run_status_at_rest((enum run_status)run_status_from_name(json_text(row, "state", ""))))
            fail_msg("the run is %s: %s", json_text(row, "state", ""), json_text(row, "message", ""));
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    }
}

#define STAGE(name, rest) "  - stage: " name "\n    checkout: none\n    sandbox: none\n" rest

static void a_run_goes_to_its_end(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: echo one }, { run: echo two }]\n"), NULL, NULL);
    assert_int_equal(fixture->run, 1);
    AUTO(free_json) json_t *row = wait_state(fixture, 1, "succeeded");
    assert_int_equal(json_whole(row, "steps_done", 0), 2);
    while (!engine_is_idle(fixture->home.engine))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    struct error err = {0};
    if (journal_verify(engine_journal(fixture->home.engine), 1, &err) < 0) fail_msg("%s", err.message);
}

/* As a server leaves it that dies between the end of a run and telling its supervisor. */
static void a_supervisor_whose_run_is_over_is_ended(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: echo }]\n"), NULL, NULL);
    json_decref(wait_state(fixture, 1, "succeeded"));
    home_close(&fixture->home);
    AUTO(free_text) char *folder = mem_format("%s/runs/1", fixture->home.folder);
    for (int tries = 0; launch_is_locked(folder) && tries < 1000; tries++)
        usleep(10 * 1000);
    if (launch_shim(folder, fixture->home.shim, &err) < 0) fail_msg("%s", err.message);
    assert_true(launch_is_locked(folder));
    home_open(&fixture->home);
    for (int tries = 0; launch_is_locked(folder) && tries < 1000; tries++) {
        uv_run(&fixture->home.loop, UV_RUN_NOWAIT);
        usleep(10 * 1000);
    }
    assert_false(launch_is_locked(folder));
}

static char *spare_path(const struct fixture *fixture, unsigned number)
{
    return mem_format("%s/spares/%u", fixture->home.folder, number);
}

static void wait_spare(struct fixture *fixture, unsigned number)
{
    AUTO(free_text) char *folder = spare_path(fixture, number);
    while (!launch_is_locked(folder))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    for (int turn = 0; turn < 20; turn++) { /* until it has answered */
        uv_run(&fixture->home.loop, UV_RUN_NOWAIT);
        usleep(10 * 1000);
    }
}

static void a_spare_supervisor_is_the_next_runs(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *first = spare_path(fixture, 1);
    AUTO(free_text) char *second = spare_path(fixture, 2);
    home_close(&fixture->home);
    fixture->home.spare_shim = true;
    home_open(&fixture->home);
    wait_spare(fixture, 1);
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: echo one }]\n"), NULL, NULL);
    assert_false(file_exists(first));
    json_decref(wait_state(fixture, 1, "succeeded"));
    wait_spare(fixture, 2);
    home_close(&fixture->home); /* which ends the spare, and leaves no folder */
    assert_false(file_exists(second));
}

/* As a server leaves it that died: what is in spares/ belongs to nobody. A spare that is killed is made again, and a run can do without. */
static void a_spare_supervisor_may_be_lost(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *left = mem_format("%s/spares/7/workspaces", fixture->home.folder);
    struct error err = {0};
    home_close(&fixture->home);
    if (file_make_folders(left, 0755, &err) < 0) fail_msg("%s", err.message);
    fixture->home.spare_shim = true;
    home_open(&fixture->home);
    assert_false(file_exists(left));
    wait_spare(fixture, 1);
    AUTO(free_text) char *lock_path = mem_format("%s/spares/1/shim.lock", fixture->home.folder);
    AUTO(close_fd) int lock_fd = open(lock_path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(lock_fd, F_GETLK, &lock), 0);
    assert_int_equal(kill(lock.l_pid, SIGKILL), 0);
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: echo one }]\n"), NULL, NULL);
    json_decref(wait_state(fixture, 1, "succeeded"));
    wait_spare(fixture, 2);
}

static void the_same_key_is_the_same_run(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "stages:\n" STAGE("a", "    steps: [{ run: echo }]\n");
    submit(fixture, text, "key", NULL);
    assert_false(fixture->known);
    submit(fixture, text, "key", NULL);
    assert_true(fixture->known);
    assert_int_equal(fixture->run, 1);
    json_decref(wait_state(fixture, 1, "succeeded"));
    home_close(&fixture->home);
    home_open(&fixture->home);
    submit(fixture, text, "key", NULL);
    assert_true(fixture->known);
    assert_int_equal(fixture->run, 1);
}

static void a_wrong_file_is_a_failed_run_of_a_push_and_none_of_a_person(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, "stagse: []\n", NULL, NULL);
    assert_true(fixture->failed && fixture->invalid);
    assert_int_equal(fixture->run, 0);
    submit(fixture, "stagse: []\n", "key", NULL);
    assert_true(fixture->invalid && !fixture->failed);
    AUTO(free_json) json_t *row = wait_state(fixture, fixture->run, "failed");
    assert_string_equal(json_text(row, "reason", ""), "invalid");
}

static void a_push_that_the_file_does_not_want_starts_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "on: { push: { branches: [main] } }\nstages:\n" STAGE("a", "    steps: [{ run: echo }]\n");
    submit(fixture, text, "one", "topic");
    assert_true(fixture->unwanted);
    assert_int_equal(fixture->run, 0);
    submit(fixture, text, "two", "main");
    assert_false(fixture->unwanted);
    json_decref(wait_state(fixture, fixture->run, "succeeded"));
}

static void an_approval_waits_across_engines_and_lets_go(void **state)
{
    struct fixture *fixture = *state;
    static const char *const groups[] = {"bob", "managers", NULL};
    submit(fixture,
        "stages:\n  - stage: ok\n    approve: { by: [managers], not-author: true }\n" STAGE("b", "    steps: [{ run: echo }]\n"), NULL,
        NULL);
    json_decref(wait_state(fixture, 1, "waiting"));
    home_close(&fixture->home);
    home_open(&fixture->home);
    engine_vote(fixture->home.engine, 1, "-", "ada", groups, true, NULL, on_done, fixture);
    wait_answer(fixture);
    assert_true(fixture->failed); /* the author */
    assert_int_equal(fixture->err.code, ERROR_DENIED);
    engine_vote(fixture->home.engine, 1, "ok", "bob", groups, true, "fine", on_done, fixture);
    wait_answer(fixture);
    assert_false(fixture->failed);
    json_decref(wait_state(fixture, 1, "succeeded"));
    engine_vote(fixture->home.engine, 1, "ok", "bob", groups, true, NULL, on_done, fixture);
    wait_answer(fixture);
    assert_int_equal(fixture->err.code, ERROR_CONFLICT);
}

static void a_living_step_is_picked_up_by_the_next_engine(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: sleep 1 }, { run: echo after }]\n"), NULL, NULL);
    while (engine_run_state(fixture->home.engine, 1)->steps[0].status != STEP_running)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    home_close(&fixture->home);
    home_open(&fixture->home);
    AUTO(free_json) json_t *row = wait_state(fixture, 1, "succeeded");
    AUTO(free_json) json_t *steps = NULL;
    assert_int_equal(journal_list_steps(engine_journal(fixture->home.engine), 1, &steps, NULL), 0);
    assert_int_equal(json_whole(json_array_get(steps, 0), "attempt", 0), 1);
}

/* What a loss of power may leave: the journal knows of a step, and the run's folder was never synced. */
static void a_run_whose_folder_is_lost_ends(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: sleep 7396 }]\n"), NULL, NULL);
    while (engine_run_state(fixture->home.engine, 1)->steps[0].status != STEP_running)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    home_close(&fixture->home);
    AUTO(free_text) char *folder = mem_format("%s/runs", fixture->home.folder);
    if (file_remove_tree(folder, &err) < 0) fail_msg("%s", err.message);
    home_open(&fixture->home);
    for (int tries = 0; !home_run_is_over(&fixture->home, 1) && tries < 1000; tries++) {
        uv_run(&fixture->home.loop, UV_RUN_NOWAIT);
        usleep(10 * 1000);
    }
    AUTO(free_json) json_t *row = wait_state(fixture, 1, "failed");
    assert_string_equal(json_text(row, "reason", ""), "worker_lost");
}

/* Its supervisor's files cannot be written, as on a full disk. */
static void a_run_that_stands_still_says_why(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: sleep 0.3 }]\n"), NULL, NULL);
    while (engine_run_state(fixture->home.engine, 1)->steps[0].status != STEP_running)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    AUTO(free_text) char *folder = mem_format("%s/runs/1", fixture->home.folder);
    struct rlimit before, full;
    pid_t shim = launch_holder(folder);
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, NULL, &before), 0);
    full = (struct rlimit){0, before.rlim_max};
    assert_null(engine_run_trouble(fixture->home.engine, 1));
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, &full, NULL), 0);
    while (!engine_run_trouble(fixture->home.engine, 1))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    assert_non_null(strstr(engine_run_trouble(fixture->home.engine, 1), "runs/1/reports cannot be written: File too large"));
    assert_int_equal(prlimit(shim, RLIMIT_FSIZE, &before, NULL), 0);
    json_decref(wait_state(fixture, 1, "succeeded"));
    assert_null(engine_run_trouble(fixture->home.engine, 1));
}

static void a_cancelled_run_ends_its_step(void **state)
{
    struct fixture *fixture = *state;
    submit(fixture, "stages:\n" STAGE("a", "    steps: [{ run: sleep 7396 }]\n"), NULL, NULL);
    while (engine_run_state(fixture->home.engine, 1)->steps[0].status != STEP_running)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    engine_cancel(fixture->home.engine, 1, "ada", "enough", on_done, fixture);
    wait_answer(fixture);
    assert_false(fixture->failed);
    json_decref(wait_state(fixture, 1, "cancelled"));
    engine_cancel(fixture->home.engine, 1, "ada", NULL, on_done, fixture);
    wait_answer(fixture);
    assert_true(fixture->failed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_goes_to_its_end),
        TEST(a_supervisor_whose_run_is_over_is_ended),
        TEST(a_spare_supervisor_is_the_next_runs),
        TEST(a_spare_supervisor_may_be_lost),
        TEST(the_same_key_is_the_same_run),
        TEST(a_wrong_file_is_a_failed_run_of_a_push_and_none_of_a_person),
        TEST(a_push_that_the_file_does_not_want_starts_nothing),
        TEST(an_approval_waits_across_engines_and_lets_go),
        TEST(a_living_step_is_picked_up_by_the_next_engine),
        TEST(a_run_whose_folder_is_lost_ends),
        TEST(a_run_that_stands_still_says_why),
        TEST(a_cancelled_run_ends_its_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
