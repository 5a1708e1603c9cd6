/* test_settle_line.c: the step protocol: what each line becomes, what is answered, what is refused; effects from intent to outcome. */
#include "tests/unit/state/fixture.h"

#define INTEND "{\"type\":\"intend\",\"name\":\"order\",\"target\":\"peer\",\"body\":{\"n\":1}}"

static struct fixture running(const char *plan)
{
    struct fixture fixture = fixture_new(plan);
    fixture_started(&fixture, "s/a");
    fixture_forget(&fixture);
    return fixture;
}

static char *keyed(const char *type)
{
    char key[65];
    effect_key(7, "s/a", 1, "order", "peer", key);
    return mem_format("{\"key\":\"%s\",\"name\":\"order\",\"type\":\"%s\"}", key, type);
}

/* now_ms is 1000 */
static char *keyed_find(int sends)
{
    char key[65];
    effect_key(7, "s/a", 1, "order", "peer", key);
    return mem_format("{\"key\":\"%s\",\"name\":\"order\",\"sends\":%d,\"sent\":1000,\"type\":\"find\"}", key, sends);
}

static void plain_lines(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a outputs=o\n");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"hello\",\"protocol\":1}", NULL), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"progress\",\"message\":\"half\",\"fraction\":0.5}", NULL), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"output\",\"name\":\"o\",\"value\":12}", NULL), 0);
    assert_int_equal(
        fixture_line(&fixture, "s/a", "{\"type\":\"annotate\",\"level\":\"error\",\"message\":\"m\",\"file\":\"a.c\",\"line\":3}", NULL),
        0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"checkpoint\",\"checkpoint\":{\"at\":9}}", "{\"type\":\"kept\"}"), 0);
    fixture_expect(&fixture, "step_progress s/a\n"
                             "step_progress s/a {\"fraction\":0.5,\"message\":\"half\"}\n"
                             "step_output s/a {\"name\":\"o\",\"value\":12}\n"
                             "step_annotated s/a {\"file\":\"a.c\",\"level\":\"error\",\"line\":3,\"message\":\"m\"}\n"
                             "step_checkpoint s/a {\"checkpoint\":{\"at\":9}}\n");
    fixture_free(&fixture);
}

static void refused_lines(void **unused)
{
    (void)unused;
    static const char *const lines[] = {"", "nonsense", "[]", "{}", "{\"type\":7}", "{\"type\":\"dance\"}",
        "{\"type\":\"hello\",\"protocol\":2}", "{\"type\":\"progress\"}", "{\"type\":\"progress\",\"fraction\":2}",
        "{\"type\":\"output\",\"name\":\"o\"}", "{\"type\":\"output\",\"name\":\"other\",\"value\":1}", "{\"type\":\"annotate\"}",
        "{\"type\":\"annotate\",\"level\":\"loud\",\"message\":\"m\"}", "{\"type\":\"checkpoint\"}", "{\"type\":\"park\"}",
        "{\"type\":\"park\",\"until\":9,\"for\":\"godot\"}", "{\"type\":\"park\",\"for\":-1}",
        "{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"done\"}", INTEND, "{\"type\":\"hello\",\"type\":\"hello\"}"};
    struct fixture fixture = running("stage s\nstep a outputs=o\n");
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(fixture_line(&fixture, "s/a", lines[i], NULL), -ERROR_PROTOCOL);
    struct text big = {0};
    text_add(&big, "{\"type\":\"progress\",\"message\":\"");
    text_add_repeated(&big, 'x', LIMIT_STEP_LINE_BYTES);
    text_add(&big, "\"}");
    assert_int_equal(fixture_line(&fixture, "s/a", text_view(&big), NULL), -ERROR_PROTOCOL);
    text_release(&big);
    fixture_expect(&fixture, "");
    expect_status(&fixture, "s/a", running);
    fixture_free(&fixture);
}

/* "exit 1" tells a person nothing where the step knows why. The next attempt does not inherit it. */
static void a_fault_becomes_the_message(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a\n");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"fault\"}", NULL), -ERROR_PROTOCOL);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"fault\",\"message\":\"the peer said no\"}", NULL), 0);
    fixture_exited(&fixture, "s/a", 1);
    assert_string_equal(fixture_step(&fixture, "s/a")->message, "the peer said no");
    fixture_free(&fixture);
    fixture = running("stage s\nstep a\n");
    fixture_exited(&fixture, "s/a", 1);
    assert_string_equal(fixture_step(&fixture, "s/a")->message, "exit 1");
    fixture_free(&fixture);
}

/* A judgement is a reason of its own; how a process ended only the engine can say. The next attempt does not inherit it. */
static void a_fault_may_be_a_judgement(void **unused)
{
    (void)unused;
    static const char *const refused[] = {"\"ok\"", "\"timeout\"", "\"effect_unknown\"", "\"none\"", "\"\"", "7", "null"};
    struct fixture fixture = running("stage s\nstep a retry=1:0:failed,kpi_harm\n");
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        AUTO(free_text) char *line = mem_format("{\"type\":\"fault\",\"message\":\"no\",\"reason\":%s}", refused[i]);
        assert_int_equal(fixture_line(&fixture, "s/a", line, NULL), -ERROR_PROTOCOL);
    }
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"fault\",\"message\":\"48 % slower\",\"reason\":\"kpi_harm\"}", NULL), 0);
    fixture_exited(&fixture, "s/a", 1);
    assert_int_equal(fixture_step(&fixture, "s/a")->reason, REASON_kpi_harm);
    fixture_decide(&fixture);
    expect_status(&fixture, "s/a", starting);
    fixture_started(&fixture, "s/a");
    fixture_exited(&fixture, "s/a", 1);
    assert_int_equal(fixture_step(&fixture, "s/a")->reason, REASON_failed);
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    fixture_free(&fixture);
}

/* The run tells the reason of the step that it failed for. */
static void a_judgement_is_the_runs_reason(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a\n");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"fault\",\"message\":\"nothing\",\"reason\":\"no_data\"}", NULL), 0);
    fixture_exited(&fixture, "s/a", 1);
    fixture_decide(&fixture);
    expect_run(&fixture, failed);
    assert_int_equal(fixture.state->reason, REASON_no_data);
    fixture_free(&fixture);
}

static void lines_of_others_mean_nothing(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    fixture_forget(&fixture);
    assert_int_equal(fixture_line(&fixture, "s/a", "nonsense", NULL), 0);
    fixture_exited(&fixture, "s/a", 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "nonsense", NULL), 0);
    fixture_free(&fixture);
}

static void parks_and_goes_on(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a outputs=o\n");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"output\",\"name\":\"o\",\"value\":1}", NULL), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"park\",\"until\":5000,\"checkpoint\":{\"at\":9}}", NULL), 0);
    fixture_exited(&fixture, "s/a", 75);
    expect_status(&fixture, "s/a", parked);
    assert_int_equal(fixture_step(&fixture, "s/a")->wait, WAIT_timer);
    fixture_decide(&fixture);
    assert_int_equal(decide_next_time(fixture.state), 5000);
    fixture.now_ms = 5000;
    fixture_decide(&fixture);
    expect_status(&fixture, "s/a", starting);
    assert_int_equal(json_whole(fixture_step(&fixture, "s/a")->checkpoint, "at", 0), 9);
    fixture_exited(&fixture, "s/a", 0); /* the output of the first process still counts */
    expect_status(&fixture, "s/a", succeeded);
    fixture_free(&fixture);

    fixture = running("stage s\nstep a\n");
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"park\",\"for\":250}", NULL), 0);
    fixture_exited(&fixture, "s/a", 75);
    assert_int_equal(fixture_step(&fixture, "s/a")->until_ms, 1250);
    fixture_free(&fixture);
}

static void effect_goes_once(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a effects\n");
    AUTO(free_text) char *go = keyed("go");
    AUTO(free_text) char *find = keyed_find(1);
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, go), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, find), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"absent\"}",
                         "{\"name\":\"order\",\"type\":\"kept\"}"),
        0);
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, go), 0);
    const char *done = "{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"done\",\"outcome\":{\"id\":4}}";
    assert_int_equal(fixture_line(&fixture, "s/a", done, "{\"name\":\"order\",\"type\":\"kept\"}"), 0);
    fixture_forget(&fixture);
    assert_int_equal(fixture_line(&fixture, "s/a", done, "{\"name\":\"order\",\"type\":\"kept\"}"), 0); /* said twice, recorded once */
    assert_int_equal(
        fixture_line(&fixture, "s/a", INTEND, "{\"name\":\"order\",\"outcome\":{\"id\":4},\"seen\":\"done\",\"type\":\"known\"}"), 0);
    fixture_expect(&fixture, "");
    fixture_exited(&fixture, "s/a", 0);
    expect_status(&fixture, "s/a", succeeded);
    fixture_free(&fixture);
}

/* Its peer takes a second order for the first: the effect stays open, so whoever comes next finds out what became of both. */
static void what_may_be_repeated_goes_again(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a effects\n");
    static const char again[] = "{\"type\":\"intend\",\"name\":\"order\",\"target\":\"peer\",\"body\":{\"n\":1},\"again\":true}";
    AUTO(free_text) char *go = keyed("go");
    AUTO(free_text) char *find = keyed_find(2);
    assert_int_equal(fixture_line(&fixture, "s/a", again, go), 0); /* nothing was sent: as ever */
    fixture_forget(&fixture);
    assert_int_equal(fixture_line(&fixture, "s/a", again, go), 0);
    fixture_expect(&fixture, "effect_sent s/a {\"again\":true,\"name\":\"order\"}\n");
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, find), 0);
    fixture_event(&fixture, EVENT_step_cancelling, fixture_index(&fixture, "s/a"), NULL);
    assert_int_equal(fixture_line(&fixture, "s/a", again, NULL), -ERROR_PROTOCOL); /* it is being ended */
    fixture_free(&fixture);
}

static void contradictions_are_refused(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a effects\n");
    AUTO(free_text) char *go = keyed("go");
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, go), 0);
    fixture_forget(&fixture);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"intend\",\"name\":\"order\",\"target\":\"peer\",\"body\":{\"n\":2}}", NULL),
        -ERROR_CONFLICT);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"intend\",\"name\":\"order\",\"target\":\"moon\",\"body\":{\"n\":1}}", NULL),
        -ERROR_CONFLICT);
    assert_int_equal(
        fixture_line(&fixture, "s/a", "{\"type\":\"intend\",\"name\":\"o2\",\"target\":\"p\",\"digest\":\"beef\",\"body\":1}", NULL),
        -ERROR_PROTOCOL);
    assert_int_equal(
        fixture_line(&fixture, "s/a", "{\"type\":\"intend\",\"name\":\"o2\",\"target\":\"p\\nq\",\"body\":1}", NULL), -ERROR_PROTOCOL);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"maybe\"}", NULL), -ERROR_PROTOCOL);
    fixture_expect(&fixture, "");
    fixture_free(&fixture);
}

static void lost_with_an_open_effect(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a effects\nstage t needs=-\nstep b\n");
    AUTO(free_text) char *go = keyed("go");
    AUTO(free_text) char *find = keyed_find(1);
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, go), 0);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    fixture_decide(&fixture);
    expect_status(&fixture, "s/a", starting); /* by itself, once, to find out */
    fixture_started(&fixture, "s/a");
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, find), 0);
    fixture_report(&fixture, "s/a", (struct report){.type = REPORT_LOST, .started = true});
    expect_status(&fixture, "s/a", unknown);
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    assert_int_equal(decide_next_time(fixture.state), INT64_MAX);
    fixture_event(&fixture, EVENT_cancel_requested, NO_STEP, NULL);
    fixture_decide(&fixture);
    expect_status(&fixture, "s/a", cancelled);
    fixture_report(&fixture, "t/b", (struct report){.type = REPORT_EXITED, .cause = CAUSE_CANCELLED});
    fixture_decide(&fixture);
    expect_run(&fixture, cancelled);
    fixture_free(&fixture);
}

static void unsure_needs_a_person(void **unused)
{
    (void)unused;
    struct fixture fixture = running("stage s\nstep a effects\n");
    AUTO(free_text) char *go = keyed("go");
    assert_int_equal(fixture_line(&fixture, "s/a", INTEND, go), 0);
    assert_int_equal(fixture_line(&fixture, "s/a", "{\"type\":\"outcome\",\"name\":\"order\",\"seen\":\"unsure\"}",
                         "{\"name\":\"order\",\"type\":\"kept\"}"),
        0);
    fixture_exited(&fixture, "s/a", 1);
    expect_status(&fixture, "s/a", unknown);
    fixture_decide(&fixture);
    expect_run(&fixture, needs_person);
    fixture_free(&fixture);
}

static void keys_depend_on_all_parts(void **unused)
{
    (void)unused;
    char keys[6][65];
    effect_key(1, "s/a", 1, "order", "peer", keys[0]);
    effect_key(2, "s/a", 1, "order", "peer", keys[1]);
    effect_key(1, "s/b", 1, "order", "peer", keys[2]);
    effect_key(1, "s/a", 2, "order", "peer", keys[3]);
    effect_key(1, "s/a", 1, "share", "peer", keys[4]);
    effect_key(1, "s/a", 1, "order", "moon", keys[5]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(keys[i], keys[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines),
        cmocka_unit_test(refused_lines),
        cmocka_unit_test(a_fault_becomes_the_message),
        cmocka_unit_test(a_fault_may_be_a_judgement),
        cmocka_unit_test(a_judgement_is_the_runs_reason),
        cmocka_unit_test(lines_of_others_mean_nothing),
        cmocka_unit_test(parks_and_goes_on),
        cmocka_unit_test(effect_goes_once),
        cmocka_unit_test(what_may_be_repeated_goes_again),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(lost_with_an_open_effect),
        cmocka_unit_test(unsure_needs_a_person),
        cmocka_unit_test(keys_depend_on_all_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
