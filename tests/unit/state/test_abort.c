/* test_abort.c: from every state that is not at rest, a cancel leads to one that is, and never to success. A run is brought there, then a
   world that answers everything takes it to its end: what lives ends, what is asked is found out, what is to be undone is undone. */
#include "tests/unit/state/fixture.h"

static const char *const places[] = {
    /* a plan, then what happens, a line each, up to the cancel */
    "stage a\nstep x\n",
    "stage a\nstep x\nstep y\n---\nstarted",
    "stage a\nstep approve approve\n",
    "stage a\nstep x retry=2:1000:failed\n---\nstarted\nexit 1",
    "stage a\nstep x effects\n---\nstarted\nintend",
    "stage a\nstep x effects\n---\nstarted\nintend\nlost",
    "stage a\nstep x effects\n---\nstarted\nintend\nunsure\nexit 1",
    "stage a\nstep x undo=e\n---\nstarted\nintend\nunsure\nexit 1",
    "stage a\nstep x pivot=e\n---\nstarted\nintend\nunsure\nexit 1",
    "stage a\nstep x effects\n---\nstarted\nintend\ncancel",
    "stage a\nstep x effects\n---\nstarted\nintend\ncancel\nended",
    "stage a\nstep x undo=e\n---\nstarted\nintend\ndone\nexit 1",
    "stage a\nstep x undo=e\n---\nstarted\nintend\ndone\nexit 1\nexit 1",
    "stage a\nstep x undo=e\n---\nstarted\nintend\ndone\nexit 1\nrefused",
    "stage a\nstep x\nstage b if=always()\nstep y\n---\nstarted\ncancel\nended",
    "slots 0\nstage a\nstep x\n",
    NULL,
};

struct seen {
    bool runs[RUN_STATUS_COUNT], steps[STEP_STATUS_COUNT];
};

static void note(struct seen *seen, const struct fixture *fixture)
{
    seen->runs[fixture->state->status] = true;
    for (uint32_t i = 0; i < fixture->plan->step_count; i++)
        seen->steps[fixture->state->steps[i].status] = true;
}

static void say(struct fixture *fixture, const char *line)
{
    struct event_list events = {0};
    struct error err = {0};
    AUTO(free_text) char *reply = NULL;
    if (settle_line(fixture->state, 0, line, fixture->now_ms, &events, &reply, &err)) fail_msg("%s: %s", line, err.message);
    fixture_fold(fixture, &events);
}

static void happen(struct fixture *fixture, const char *what)
{
    const char *path = fixture->plan->steps[0].path;
    if (!strcmp(what, "started")) fixture_started(fixture, path);
    if (!strcmp(what, "intend")) say(fixture, "{\"type\":\"intend\",\"name\":\"e\",\"target\":\"t\",\"body\":1}");
    if (!strcmp(what, "unsure")) say(fixture, "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"unsure\"}");
    if (!strcmp(what, "done")) say(fixture, "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"done\",\"outcome\":{}}");
    if (!strcmp(what, "exit 1")) fixture_exited(fixture, path, 1);
    if (!strcmp(what, "ended")) fixture_report(fixture, path, (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    if (!strcmp(what, "lost")) fixture_report(fixture, path, (struct report){.type = REPORT_LOST, .started = true});
    if (!strcmp(what, "cancel")) fixture_event(fixture, EVENT_cancel_requested, NO_STEP, json_pack("{s:s}", "by", "ann"));
    if (!strcmp(what, "refused"))
        fixture_event(fixture, EVENT_step_compensation_failed, 0, json_pack("{s:s}", "message", "the domain said no"));
    fixture_decide(fixture);
}

/* The plan of a place, brought there. `slots 0` before it: nothing is free. */
static struct fixture arrive(const char *place, struct seen *seen)
{
    AUTO(free_text) char *text = mem_copy_text(place);
    char *events = strstr(text, "---\n"), *plan = text_starts(text, "slots 0\n") ? text + strlen("slots 0\n") : text;
    if (events) *events = '\0';
    struct fixture fixture = {.plan = make_plan(plan), .now_ms = 1000, .slots = plan == text ? 4 : 0};
    fixture.state = run_state_new(fixture.plan);
    note(seen, &fixture);
    fixture_event(&fixture, EVENT_run_accepted, NO_STEP, json_pack("{s:i, s:s}", "number", 7, "author", "ann"));
    fixture_decide(&fixture);
    note(seen, &fixture);
    for (char *line = events ? events + strlen("---\n") : NULL, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        happen(&fixture, line);
        note(seen, &fixture);
    }
    return fixture;
}

/* A compensating step asks where it is to find out, and undoes what it found. */
static void undo_all(struct fixture *fixture, uint32_t step)
{
    AUTO(free_json) json_t *list = run_state_undo(fixture->state, step);
    size_t index;
    json_t *effect;
    json_array_foreach(list, index, effect)
    {
        if (json_flag(effect, "find", false)) say(fixture, "{\"type\":\"outcome\",\"name\":\"e\",\"seen\":\"done\",\"outcome\":{}}");
        if (!json_flag(effect, "keep", false)) say(fixture, "{\"type\":\"compensated\",\"name\":\"e\"}");
    }
    fixture_exited(fixture, fixture->plan->steps[step].path, 0);
}

static void world(struct fixture *fixture)
{
    for (uint32_t i = 0; i < fixture->plan->step_count; i++) {
        const struct step_state *step = &fixture->state->steps[i];
        const char *path = fixture->plan->steps[i].path;
        if (step->status == STEP_starting || step->status == STEP_running) fixture_exited(fixture, path, 0);
        if (step->status == STEP_cancelling)
            fixture_report(fixture, path, (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
        if (step->status == STEP_compensating && step->undoing) undo_all(fixture, i);
    }
    fixture->now_ms += 60 * 1000;
    fixture_decide(fixture);
}

/* Where the outcome of an effect cannot be found out on the way, a second cancel is the answer. */
static void bring_to_rest(struct fixture *fixture)
{
    for (int i = 0; i < 20 && !run_status_at_rest(fixture->state->status); i++) {
        world(fixture);
        if (fixture->state->status == RUN_needs_person) happen(fixture, "cancel");
    }
}

static void abort_leads_to_rest_from_everywhere(void **unused)
{
    (void)unused;
    struct seen seen = {0};
    for (const char *const *place = places; *place; place++) {
        struct fixture fixture = arrive(*place, &seen);
        assert_false(run_status_at_rest(fixture.state->status));
        happen(&fixture, "cancel");
        note(&seen, &fixture);
        fixture.slots = 4;
        bring_to_rest(&fixture);
        if (!run_status_at_rest(fixture.state->status)) fail_msg("%s: it stays %s", *place, run_status_name(fixture.state->status));
        assert_int_not_equal(fixture.state->status, RUN_succeeded);
        assert_int_equal(fixture.state->open_count, 0);
        fixture_free(&fixture);
    }
    for (int i = 0; i < RUN_STATUS_COUNT; i++)
        if (!run_status_at_rest((enum run_status)i) && !seen.runs[i]) fail_msg("no run was %s", run_status_name((enum run_status)i));
    for (int i = 0; i < STEP_STATUS_COUNT; i++)
        if (!step_status_at_rest((enum step_status)i) && !seen.steps[i]) fail_msg("no step was %s", step_status_name((enum step_status)i));
}

/* What the peer refuses to undo stays refused however often it is asked: there a person's word leads to rest. */
static void what_cannot_be_undone_rests_with_a_person(void **unused)
{
    (void)unused;
    struct seen seen = {0};
    struct event_list events = {0};
    struct fixture fixture = arrive("stage a\nstep x undo=e\n---\nstarted\nintend\ndone\nexit 1\nrefused\ncancel\nrefused", &seen);
    expect_run(&fixture, rollback_failed);
    assert_true(fixture.state->lets_go);
    const struct resolution undone = {.as = RESOLVED_undone, .by = "ann"};
    assert_int_equal(settle_resolve(fixture.state, 0, &undone, 5000, &events, NULL), 0);
    fixture_fold(&fixture, &events);
    fixture_decide(&fixture);
    expect_run(&fixture, rolled_back);
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abort_leads_to_rest_from_everywhere),
        cmocka_unit_test(what_cannot_be_undone_rests_with_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
