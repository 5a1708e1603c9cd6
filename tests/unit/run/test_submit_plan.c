/* test_submit_plan.c: a plan that was made elsewhere becomes a run, once for each key, and its projection is asked with each of its
   events, also by the next engine. */
#include "engine_home.h"

struct fixture {
    struct engine_home home;
    unsigned answers;
    unsigned projections;
    uint64_t seen_run;
    enum run_status seen_status;
    char *seen_note;
};

static void project(void *context, const struct run_view *view, struct document_list *list)
{
    struct fixture *fixture = context;
    fixture->projections++;
    fixture->seen_run = view->run;
    fixture->seen_status = view->state->status;
    free(fixture->seen_note);
    fixture->seen_note = mem_copy_text(json_text(json_object_get(view->accepted, "order"), "note", NULL));
    assert_true(view->now_ms > 0);
    assert_string_equal(view->plan->name, "order");
    document_list_add(list, "serviceOrder", "1", NULL, view->accepted);
}

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->home.project = project;
    fixture->home.project_context = fixture;
    *state = fixture;
    return home_begin(&fixture->home);
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    int failed = home_end(&fixture->home);
    free(fixture->seen_note);
    free(fixture);
    return failed;
}

static void on_done(void *context, const struct error *err)
{
    struct fixture *fixture = context;
    assert_null(err);
    fixture->answers++;
}

static json_t *plan_of(const char *type, const char *script)
{
    AUTO(plan_free) struct plan *empty = plan_empty("order");
    json_t *plan = plan_to_json(empty);
    json_t *sandbox = json_pack("{s:s, s:s}", "mode", "none", "network", "host");
    json_t *steps = json_pack("[{s:s, s:s, s:{s:s}, s:o}]", "id", "do", "type", type, "with", "script", script, "sandbox", sandbox);
    json_put(plan, "stages", json_pack("[{s:s, s:[], s:s, s:o}]", "path", "item-1", "needs", "scope", "order", "steps", steps));
    return plan;
}

static int submit(struct fixture *fixture, const char *key, const json_t *plan, uint64_t *ret_run, bool *ret_known, struct error *err)
{
    AUTO(free_json) json_t *extra = json_pack("{s:s}", "note", "as ordered");
    return engine_submit_plan(fixture->home.engine,
        &(struct plan_submission){
            .key = key, .trigger = "order", .author = "ada", .title = "an order", .extra_name = "order", .extra = extra, .plan = plan},
        on_done, fixture, ret_run, ret_known, err);
}

static void wait_end(struct fixture *fixture)
{
    while (!engine_is_idle(fixture->home.engine))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
}

static void a_plan_becomes_a_run_that_is_projected(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_json) json_t *plan = plan_of("run", "true");
    AUTO(free_json) json_t *row = NULL;
    struct error err = {0};
    uint64_t run = 0;
    bool known = true;
    if (submit(fixture, "key", plan, &run, &known, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(run, 1);
    assert_false(known);
    assert_true(fixture->projections > 0);
    wait_end(fixture);
    assert_int_equal(fixture->answers, 1);
    assert_int_equal(fixture->seen_run, 1);
    assert_int_equal(fixture->seen_status, RUN_succeeded);
    assert_string_equal(fixture->seen_note, "as ordered");
    assert_int_equal(journal_get_run(engine_journal(fixture->home.engine), 1, &row, &err), 0);
    assert_string_equal(json_text(row, "state", ""), "succeeded");
    assert_string_equal(json_text(row, "trigger", ""), "order");
}

static void the_same_key_is_the_same_run(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_json) json_t *plan = plan_of("run", "true");
    struct error err = {0};
    uint64_t run = 0;
    bool known = true;
    assert_int_equal(submit(fixture, "key", plan, &run, &known, &err), 0);
    assert_int_equal(submit(fixture, "key", plan, &run, &known, &err), 0);
    assert_true(known);
    assert_int_equal(run, 1);
    while (fixture->answers < 2)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    wait_end(fixture);
}

static void a_plan_that_cannot_be_done_is_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_json) json_t *unknown = plan_of("teleport", "true");
    AUTO(free_json) json_t *wrong = json_pack("{s:i}", "plan", 1);
    struct error err = {0};
    uint64_t run = 0;
    bool known = false;
    assert_int_equal(submit(fixture, NULL, unknown, &run, &known, &err), -ERROR_INVALID);
    assert_non_null(strstr(err.message, "teleport"));
    assert_int_equal(submit(fixture, NULL, wrong, &run, &known, &err), -ERROR_INVALID);
    assert_int_equal(fixture->answers, 0);
    assert_true(engine_is_idle(fixture->home.engine));
}

static void the_next_engine_tells_the_projection_of_open_runs(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_json) json_t *plan = plan_of("run", "sleep 0.3");
    struct error err = {0};
    uint64_t run = 0;
    bool known = false;
    assert_int_equal(submit(fixture, NULL, plan, &run, &known, &err), 0);
    while (!engine_run_state(fixture->home.engine, 1) || engine_run_state(fixture->home.engine, 1)->steps[0].status != STEP_running)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
    home_close(&fixture->home);
    fixture->projections = 0;
    home_open(&fixture->home);
    assert_true(fixture->projections >= 1);
    wait_end(fixture);
    assert_int_equal(fixture->seen_status, RUN_succeeded);
}

static void a_removed_document_has_no_body(void **state)
{
    (void)state;
    struct document_list list = {0};
    AUTO(free_json) json_t *body = json_pack("{s:i, s:i}", "b", 1, "a", 2);
    document_list_add(&list, "service", "1.1", "key", body);
    document_list_add(&list, "service", "1.2", NULL, NULL);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].body, "{\"a\":2,\"b\":1}");
    assert_int_equal(list.items[0].size, 13);
    assert_string_equal(list.items[0].key, "key");
    assert_null(list.items[1].body);
    document_list_release(&list);
    assert_null(list.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plan_becomes_a_run_that_is_projected),
        TEST(the_same_key_is_the_same_run),
        TEST(a_plan_that_cannot_be_done_is_refused),
        TEST(the_next_engine_tells_the_projection_of_open_runs),
        cmocka_unit_test(a_removed_document_has_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
