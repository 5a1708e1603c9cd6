/* test_explain.c: what an explanation says of single things; whole runs are in tests/golden/state. */
#include "tests/unit/state/fixture.h"

#include "state/explain.h"

/* A run whose events are explained, too. */
struct story {
    struct fixture fixture;
    struct explanation *explanation;
};

static void tell_event(struct story *story, enum event_type type, const char *path, const char *data)
{
    uint32_t step = path ? fixture_index(&story->fixture, path) : NO_STEP;
    struct event event = {type, step, story->fixture.now_ms, data ? json_loads(data, 0, NULL) : NULL};
    struct error err = {0};
    if (data && !event.data) fail_msg("no JSON: %s", data);
    if (reduce(story->fixture.state, &event, &err)) fail_msg("refused: %s", err.message);
    explanation_add(story->explanation, story->fixture.state, &event);
    event_release(&event);
}

static struct story story_new(const char *plan, const char *accepted)
{
    struct story story = {.fixture = {.plan = make_plan(plan), .now_ms = 1000, .slots = 4}, .explanation = explanation_new()};
    story.fixture.state = run_state_new(story.fixture.plan);
    tell_event(&story, EVENT_run_accepted, NULL, accepted);
    return story;
}

static void story_free(struct story *story)
{
    explanation_free(&story->explanation);
    fixture_free(&story->fixture);
}

/* The words of the last link, or of what is waited for first. */
static void expect(const struct story *story, const char *list, const char *words)
{
    AUTO(free_json) json_t *told = explanation_tell(story->explanation, story->fixture.state, NULL, story->fixture.now_ms);
    const json_t *items = json_object_get(told, list);
    size_t index = strcmp(list, "chain") == 0 ? json_array_size(items) - 1 : 0;
    assert_string_equal(json_text(json_array_get(items, index), "words", "(none)"), words);
}

static void run_step(struct story *story, const char *path)
{
    tell_event(story, EVENT_step_starting, path, "{\"attempt\": 1}");
    tell_event(story, EVENT_step_running, path, "{\"attempt\": 1}");
}

static void who_began_it(void **unused)
{
    (void)unused;
    static const struct {
        const char *accepted, *words;
    } cases[] = {{"{\"number\": 1}", "somebody started it"},
        {"{\"number\": 1, \"author\": \"ann\", \"trigger\": \"manual\", \"title\": \"\"}", "ann started it by hand"},
        {"{\"number\": 1, \"author\": \"ann\", \"trigger\": \"push\", \"commit\": \"0123456789ab\", \"ref\": \"refs/heads/main\", "
         "\"repository\": \"hello\", "
         "\"title\": \"Faster\"}",
            "ann pushed 01234567 to main of hello: Faster"},
        {"{\"number\": 1, \"author\": \"ann\", \"trigger\": \"manual\", \"commit\": \"0123456789ab\", \"ref\": \"refs/tags/v1\", "
         "\"repository\": \"hello\"}",
            "ann started it by hand at 01234567 of v1 in hello"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct story story = story_new("stage s\nstep a\n", cases[i].accepted);
        expect(&story, "chain", cases[i].words);
        expect(&story, "now", "the run is accepted and begins in a moment");
        story_free(&story);
    }
}

static void do_effect(struct story *story, const char *path, const char *name, const char *body, const char *outcome)
{
    AUTO(free_text)
    char *intent =
        mem_format("{\"name\": \"%s\", \"target\": \"lab\", \"key\": \"%s\", \"digest\": \"d\", \"body\": %s}", name, name, body);
    AUTO(free_text) char *sent = mem_format("{\"name\": \"%s\"}", name);
    AUTO(free_text) char *done = mem_format("{\"name\": \"%s\", \"outcome\": %s}", name, outcome);
    tell_event(story, EVENT_effect_intended, path, intent);
    tell_event(story, EVENT_effect_sent, path, sent);
    tell_event(story, EVENT_effect_done, path, done);
}

static void what_was_ordered(void **unused)
{
    (void)unused;
#define ITEM(action, service) "{\"serviceOrderItem\": [{\"action\": \"" action "\", \"service\": " service "}]}"
#define CHANGE(name, value) "{\"id\": \"3.1\", \"serviceCharacteristic\": [{\"name\": \"" name "\", \"value\": " value "}]}"
    static const struct {
        const char *name, *body, *outcome, *words;
    } cases[] = {
        {"order", ITEM("add", "{\"serviceSpecification\": {\"name\": \"hello\", \"version\": \"2\"}}"), "{\"order\": \"7\"}",
            "s/a ordered hello 2 on lab, order 7"},
        {"order", ITEM("add", "{}"), "{}", "s/a ordered a service on lab"},
        {"share", ITEM("modify", CHANGE("traffic.share", "12.5")), "{\"order\": \"8\", \"service\": \"3.1\"}",
            "s/a gave service 3.1 12.5 % of the requests on lab, order 8"},
        {"back", ITEM("modify", CHANGE("traffic.share", "0")), "{\"order\": \"8\", \"service\": \"3.1\"}",
            "s/a took all requests from service 3.1 on lab, order 8"},
        {"promotion", ITEM("modify", CHANGE("traffic.share", "100")), "{\"order\": \"9\", \"service\": \"3.1\"}",
            "s/a promoted service 3.1 to all requests on lab, order 9"},
        {"replicas", ITEM("modify", CHANGE("replicas", "4")), "{\"order\": \"9\", \"service\": \"3.1\"}",
            "s/a ordered 4 instances of service 3.1 on lab, order 9"},
        {"retirement", ITEM("delete", "{\"id\": \"3.1\"}"), "{\"order\": \"9\"}", "s/a ended service 3.1 on lab, order 9"},
        {"retirement", ITEM("delete", "{\"id\": \"3.1\"}"), "{\"gone\": true}", "s/a found that service 3.1 had ended on lab"},
        {"ticket", "{\"text\": 1}", "{}", "s/a did ticket on lab"},
        {"odd", "{\"serviceOrderItem\": [7]}", "[]", "s/a did odd on lab"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct story story = story_new("stage s\nstep a\n", "{\"number\": 1}");
        tell_event(&story, EVENT_run_started, NULL, NULL);
        run_step(&story, "s/a");
        do_effect(&story, "s/a", cases[i].name, cases[i].body, cases[i].outcome);
        expect(&story, "chain", cases[i].words);
        story_free(&story);
    }
}

static void what_is_waited_for(void **unused)
{
    (void)unused;
    struct story story = story_new("stage s\nstep a\nstage t\nstep b\n", "{\"number\": 5}");
    tell_event(&story, EVENT_run_started, NULL, NULL);
    tell_event(&story, EVENT_step_ready, "s/a", NULL);
    expect(&story, "now", "s/a waits for a free place: as many stages run as may");
    run_step(&story, "s/a");
    expect(&story, "now", "s/a runs");
    tell_event(&story, EVENT_step_progress, "s/a", "{\"message\": \"half of it\"}");
    expect(&story, "now", "s/a runs: half of it");
    tell_event(&story, EVENT_step_parked, "s/a", "{\"for\": \"timer\", \"until\": 9000}");
    expect(&story, "now", "s/a waits for its time: half of it");
    tell_event(&story, EVENT_step_woken, "s/a", NULL);
    tell_event(&story, EVENT_step_starting, "s/a", "{\"attempt\": 2}");
    tell_event(&story, EVENT_step_parked, "s/a", "{\"for\": \"retry\", \"until\": 9000, \"message\": \"exit 1\"}");
    expect(&story, "now", "s/a failed: exit 1; it is tried again, attempt 3");
    expect(&story, "chain", "s/a failed and was tried again: exit 1");
    tell_event(&story, EVENT_step_woken, "s/a", NULL);
    tell_event(&story, EVENT_step_starting, "s/a", "{\"attempt\": 3}");
    tell_event(&story, EVENT_step_unknown, "s/a", "{\"message\": \"no answer\"}");
    expect(&story, "now", "s/a: nobody can tell whether it had its effect: no answer; look at the peer, then settle it");
    story_free(&story);
}

static void of_one_step_only_what_concerns_it(void **unused)
{
    (void)unused;
    struct story story = story_new("stage s\nstep a\nstage other needs=-\nstep x\nstage t needs=s\nstep b\nstep c\n", "{\"number\": 5}");
    tell_event(&story, EVENT_run_started, NULL, NULL);
    run_step(&story, "other/x");
    tell_event(&story, EVENT_step_succeeded, "other/x", NULL);
    run_step(&story, "s/a");
    AUTO(free_json) json_t *step = explanation_tell(story.explanation, story.fixture.state, "t/c", 2000);
    AUTO(free_json) json_t *stage = explanation_tell(story.explanation, story.fixture.state, "t", 2000);
    assert_int_equal(json_array_size(json_object_get(step, "chain")), 1); /* other is not needed */
    assert_string_equal(json_text(json_array_get(json_object_get(step, "now"), 1), "words", ""), "t/c waits for s");
    assert_string_equal(json_text(json_array_get(json_object_get(stage, "now"), 1), "words", ""), "t/b waits for s");
    assert_null(explanation_tell(story.explanation, story.fixture.state, "nothing", 2000));
    story_free(&story);
}

static void why_it_ended(void **unused)
{
    (void)unused;
    struct story story = story_new("stage s\nstep a\n", "{\"number\": 5}");
    tell_event(&story, EVENT_run_failed, NULL, "{\"reason\": \"invalid\", \"message\": \"crescendo.yaml:3: no such key\"}");
    expect(&story, "chain", "the run failed after 0 ms: crescendo.yaml:3: no such key"); /* nothing else told it */
    story_free(&story);
    story = story_new("stage s\nstep a\n", "{\"number\": 5}");
    tell_event(&story, EVENT_run_started, NULL, NULL);
    tell_event(&story, EVENT_cancel_requested, NULL, "{\"reason\": \"lease_lost\"}");
    expect(&story, "chain", "the run was cancelled: the domain went back to the baseline by itself");
    story_free(&story);
}

/* A judge that keeps the policy that the run was planned with says so; what a compiler remarks is for its log. */
static void a_judges_warning_is_told(void **unused)
{
    (void)unused;
    struct story story = story_new("stage s\nstep judge\nstep build\n", "{\"number\": 1, \"author\": \"ann\"}");
    tell_event(&story, EVENT_run_started, NULL, NULL);
    run_step(&story, "s/judge");
    tell_event(&story, EVENT_step_annotated, "s/judge", "{\"level\": \"warning\", \"message\": \"of no canary\"}");
    expect(&story, "chain", "ann started it");
    tell_event(&story, EVENT_step_checkpoint, "s/judge", "{\"checkpoint\": {\"evidence\": 1, \"kpis\": [], \"ticks\": []}}");
    tell_event(&story, EVENT_step_annotated, "s/judge", "{\"level\": \"warning\", \"message\": \"the policy was changed\"}");
    expect(&story, "chain", "s/judge warned: the policy was changed");
    story_free(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_judges_warning_is_told), cmocka_unit_test(who_began_it),
        cmocka_unit_test(what_was_ordered), cmocka_unit_test(what_is_waited_for), cmocka_unit_test(of_one_step_only_what_concerns_it),
        cmocka_unit_test(why_it_ended)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
