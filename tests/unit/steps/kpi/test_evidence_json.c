/* test_evidence_json.c: a state or a tick that went through text goes on to the same bits, and what nobody wrote is refused with words. */
#include "fixture.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

/* Through the text of a checkpoint. */
static struct evidence through_text(const struct evidence *evidence, const struct kpi_rules *rules)
{
    struct evidence back;
    struct error err;
    AUTO(free_json) json_t *json = evidence_to_json(evidence);
    AUTO(free_text) char *text = json_canonical(json);
    AUTO(free_json) json_t *again = json_loads(text, 0, NULL);
    assert_int_equal(evidence_from_json(again, rules, &back, &err), 0);
    return back;
}

static struct kpi_tick tick_through_text(const struct kpi_tick *tick, const struct kpi_rules *rules)
{
    struct kpi_tick back;
    struct error err;
    AUTO(free_json) json_t *json = kpi_tick_to_json(rules, tick);
    AUTO(free_text) char *text = json_canonical(json);
    AUTO(free_json) json_t *again = json_loads(text, 0, NULL);
    assert_int_equal(kpi_tick_from_json(again, rules, &back, &err), 0);
    return back;
}

/* One goes on in memory, the other through text before and after each tick. */
static void check_replay(const struct kpi_rules *rules)
{
    struct evidence live, stored;
    uint64_t seed = 17;
    evidence_init(&live, rules);
    evidence_carry(&live, 1.7);
    stored = live;
    for (uint64_t i = 0; i < 50; i++) {
        struct kpi_tick tick = rules->measure == KPI_LATENCY ? latency_tick(1.02, &seed) : errors_tick(i % 4, i % 3);
        struct kpi_tick back = tick_through_text(&tick, rules);
        assert_memory_equal(&back, &tick, sizeof tick);
        evidence_feed(&live, rules, &tick);
        stored = through_text(&stored, rules);
        evidence_feed(&stored, rules, &back);
        assert_memory_equal(&stored, &live, sizeof live);
        double harm[] = {evidence_harm(&live, rules), evidence_harm(&stored, rules)};
        assert_memory_equal(&harm[0], &harm[1], sizeof harm[0]);
    }
}

static void latency_replays_to_the_same_bits_at_every_tick(void **state)
{
    (void)state;
    check_replay(&LATENCY);
}

static void errors_replay_to_the_same_bits_at_every_tick(void **state)
{
    (void)state;
    check_replay(&ERRORS);
}

static void expect_refused(json_t *json, const struct kpi_rules *rules, const char *key)
{
    struct evidence evidence = {.canary = 77};
    struct error err;
    assert_int_equal(evidence_from_json(json, rules, &evidence, &err), -ERROR_INVALID);
    assert_int_equal(evidence.canary, 77);
    assert_non_null(strstr(err.message, key));
    assert_true(err.hint[0]);
    json_decref(json);
}

static json_t *state_json(const struct kpi_rules *rules)
{
    struct evidence evidence;
    evidence_init(&evidence, rules);
    return evidence_to_json(&evidence);
}

/* A state in which one member is another. */
static json_t *with(const struct kpi_rules *rules, const char *key, json_t *value)
{
    json_t *json = state_json(rules);
    if (value)
        json_object_set_new(json, key, value);
    else
        json_object_del(json, key);
    return json;
}

static json_t *reals(size_t count, double value)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_real(value));
    return array;
}

static void a_hostile_state_is_refused_with_words(void **state)
{
    (void)state;
    static const char *const members[] = {
        "harm", "clear", "carried", "canary", "baseline", "rate", "odds", "canary_errors", "baseline_errors"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        expect_refused(with(&ERRORS, members[i], NULL), &ERRORS, members[i]);
        expect_refused(with(&ERRORS, members[i], json_null()), &ERRORS, members[i]);
        expect_refused(with(&ERRORS, members[i], json_string("1")), &ERRORS, members[i]);
        expect_refused(with(&ERRORS, members[i], json_real(1e300)), &ERRORS, members[i]);
    }
    expect_refused(with(&LATENCY, "effect", reals(2, -1)), &LATENCY, "effect");
    expect_refused(with(&LATENCY, "effect", reals(3, 1)), &LATENCY, "effect");
    expect_refused(with(&LATENCY, "harm", reals(15, 0)), &LATENCY, "harm");
    expect_refused(with(&LATENCY, "harm", reals(16, 1e300)), &LATENCY, "harm");
    expect_refused(with(&LATENCY, "canary", json_integer(-1)), &LATENCY, "canary");
    expect_refused(with(&LATENCY, "canary", json_integer(INT64_MAX)), &LATENCY, "canary");
    expect_refused(with(&ERRORS, "canary_errors", json_integer(1)), &ERRORS, "canary_errors"); /* of none */
    expect_refused(with(&ERRORS, "odds", reals(5, -1)), &ERRORS, "odds");
    expect_refused(state_json(&LATENCY), &ERRORS, "harm");
    expect_refused(json_array(), &LATENCY, "harm");
    expect_refused(json_null(), &LATENCY, "harm");
}

/* The largest that is taken can still be fed, looked at and stored. */
static void the_farthest_state_goes_on(void **state)
{
    (void)state;
    static const double ends[] = {-1e12, 1e12};
    uint64_t seed = 1;
    for (int i = 0; i < 2; i++) {
        struct evidence evidence;
        struct error err;
        AUTO(free_json) json_t *json = with(&LATENCY, "harm", reals(16, ends[i]));
        assert_int_equal(evidence_from_json(json, &LATENCY, &evidence, &err), 0);
        struct kpi_tick tick = latency_tick(1, &seed);
        evidence_feed(&evidence, &LATENCY, &tick);
        assert_true(isfinite(evidence_harm(&evidence, &LATENCY)));
    }
}

static void expect_tick_refused(const char *text, const struct kpi_rules *rules, const char *key)
{
    struct kpi_tick tick = {.m = 77};
    struct error err;
    AUTO(free_json) json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    assert_int_equal(kpi_tick_from_json(json, rules, &tick, &err), -ERROR_INVALID);
    assert_int_equal(tick.m, 77);
    assert_non_null(strstr(err.message, key));
}

static void a_hostile_tick_is_refused_with_words(void **state)
{
    (void)state;
    expect_tick_refused("[]", &LATENCY, "\"m\"");
    expect_tick_refused("{\"m\": 1.5}", &LATENCY, "\"m\"");
    expect_tick_refused("{\"m\": 10000001, \"n\": 1}", &LATENCY, "\"m\"");
    expect_tick_refused("{\"m\": 1, \"n\": -1}", &LATENCY, "\"n\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"u\": 7, \"v\": 0, \"effect\": 0.0, \"error\": 0.0}", &LATENCY, "\"u\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"u\": 6, \"v\": 7, \"effect\": 0.0, \"error\": 0.0}", &LATENCY, "\"v\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"u\": 6, \"v\": 0, \"effect\": 1e9, \"error\": 0.0}", &LATENCY, "\"effect\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"u\": 6, \"v\": 0, \"effect\": 0.0, \"error\": -1.0}", &LATENCY, "\"error\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"a\": 3, \"b\": 0}", &ERRORS, "\"a\"");
    expect_tick_refused("{\"m\": 2, \"n\": 3, \"a\": 2, \"b\": 4}", &ERRORS, "\"b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_replays_to_the_same_bits_at_every_tick),
        cmocka_unit_test(errors_replay_to_the_same_bits_at_every_tick),
        cmocka_unit_test(a_hostile_state_is_refused_with_words),
        cmocka_unit_test(the_farthest_state_goes_on),
        cmocka_unit_test(a_hostile_tick_is_refused_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
