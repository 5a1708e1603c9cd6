/* test_ramp.c: what a canary's share does at each tick: a story a test, a line a tick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "steps/kpi/ramp.h"

#include <math.h>
#include <string.h>

enum { SECOND = 1000, BEGIN = 1000 * 1000 };
#define BAR 5.298 /* log 200 */
#define CLEAR_BAR 2.996

static const struct ramp_rules plain = {.share_count = 2,
    .shares = {25, 50},
    .every_ms = 10 * SECOND,
    .shortest_ms = 20 * SECOND,
    .longest_ms = 200 * SECOND,
    .warm_up_ms = 10 * SECOND,
    .doubt = RAMP_DOUBT_ROLLBACK,
    .blind_ms = 40 * SECOND};

struct tick_case {
    int64_t after_ms; /* the tick before; may be negative */
    uint64_t canary, baseline;
    bool gap, stale;
    double harm, clear; /* of the one KPI */
    const char *because;
    const char *then; /* "": it stays; "2": that share; else the verdict */
    uint64_t open, baseline_open, restarts;
};

/* A share that is decided is in force at once. */
static void check_story(const char *name, const struct ramp_rules *rules, const struct tick_case *story, size_t count)
{
    struct ramp ramp = {0};
    int64_t now_ms = BEGIN;
    ramp_begin_share(&ramp, 1, now_ms);
    for (size_t i = 0; i < count; i++) {
        const struct tick_case *tick = &story[i];
        const struct ramp_reading reading = {.now_ms = now_ms += tick->after_ms,
            .canary = tick->canary,
            .baseline = tick->baseline,
            .gap = tick->gap,
            .stale = tick->stale,
            .told = true,
            .open_canary = tick->open,
            .open_baseline = tick->baseline_open,
            .restarts = tick->restarts};
        const struct ramp_evidence evidence = {true, tick->harm, BAR, tick->clear, CLEAR_BAR};
        ramp_take(&ramp, rules, &reading);
        struct ramp_decision decision = ramp_decide(&ramp, rules, &evidence, 1);
        AUTO(free_text) char *then = decision.index ? mem_format("%u", decision.index) : mem_copy_text(ramp_verdict_name(decision.verdict));
        if (!text_equal(ramp_because_name(ramp.because), tick->because) || !text_equal(then, tick->then))
            fail_msg("%s, tick %zu: \"%s\" then \"%s\"", name, i + 1, ramp_because_name(ramp.because), then);
        assert_int_equal(ramp.tick, i + 1);
        if (decision.index) ramp_begin_share(&ramp, decision.index, now_ms);
    }
}

#define STORY(rules, story) check_story(__func__, rules, story, COUNT_OF(story))
#define T (10 * SECOND)

static void climbs_and_is_promoted(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = ""}, /* it was read over the change */
        {T, 25, 75, .because = "", .then = ""},
        {T, 25, 75, .clear = 9, .because = "", .then = "2"}, /* judged for 20 s; clear alone promotes from the last share only */
        {T, 50, 50, .clear = 9, .because = "warm-up", .then = ""},
        {T, 50, 50, .clear = 9, .because = "", .then = ""},
        {T, 50, 50, .clear = 2.9, .because = "", .then = ""},
        {T, 50, 50, .clear = 3, .because = "", .then = "promote"},
    };
    (void)state;
    STORY(&plain, story);
}

static void requests_that_are_not_answered_hold_the_share(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = "", .open = 99},
        {T, 25, 75, .clear = 9, .because = "", .then = "", .open = 5}, /* too few to mean anything */
        {T, 25, 75, .clear = 9, .because = "open", .then = "", .open = 6},
        {T, 25, 75, .clear = 9, .because = "", .then = "2", .open = 12,
            .baseline_open = 12}, /* as many as its share explains, times three */
        {T, 50, 50, .clear = 9, .because = "warm-up", .then = ""},
        {T, 50, 50, .clear = 9, .because = "open", .then = "", .open = 37, .baseline_open = 12},
        {T, 20, 80, .clear = 9, .because = "open", .then = "", .open = 37},                /* these are why its part is small */
        {T, 20, 80, .clear = 9, .harm = 6, .because = "open", .then = "harm", .open = 37}, /* it is fed */
    };
    (void)state;
    STORY(&plain, story);
}

static void one_that_answers_nothing_does_harm(void **state)
{
    static const struct tick_case story[] = {
        {T, 0, 75, .because = "warm-up", .then = "", .open = 25},
        {T, 0, 75, .because = "open", .then = "", .open = 5}, /* not many: they may be slow */
        {T, 0, 75, .because = "open", .then = "", .open = 25},
        {T, 25, 75, .because = "open", .then = "", .open = 25}, /* some were answered: it begins anew */
        {T, 0, 75, .because = "open", .then = "", .open = 50},
        {T, 0, 75, .because = "open", .then = "harm", .open = 75}, /* for `shortest` */
    };
    (void)state;
    STORY(&plain, story);
}

static void when_nobody_answers_it_is_not_the_canary(void **state)
{
    static const struct tick_case story[] = {
        {T, 0, 0, .because = "warm-up", .then = ""},
        {T, 0, 0, .because = "open", .then = "", .open = 25, .baseline_open = 75},
        {T, 0, 0, .because = "open", .then = "", .open = 50, .baseline_open = 150},
        {T, 0, 0, .because = "open", .then = "", .open = 75, .baseline_open = 225},
        {T, 0, 0, .because = "open", .then = "", .open = 99, .baseline_open = 300},
        {T, 0, 0, .because = "open", .then = "no_data", .open = 99, .baseline_open = 300},
    };
    (void)state;
    STORY(&plain, story);
}

static void one_restart_holds_and_two_are_harm(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {T, 25, 75, .clear = 9, .because = "", .then = ""},
        {T, 25, 75, .clear = 9, .because = "restarts", .then = "", .restarts = 1},
        {T, 25, 75, .clear = 9, .because = "restarts", .then = ""}, /* from then on */
        {T, 25, 75, .clear = 9, .because = "restarts", .then = "harm", .restarts = 1},
    };
    static const struct tick_case at_once[] = {{T, 25, 75, .because = "warm-up", .then = "harm", .restarts = 2}};
    (void)state;
    STORY(&plain, story);
    STORY(&plain, at_once);
}

static void harm_ends_it_at_any_tick(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {T, 25, 75, .harm = 5.2, .clear = 9, .because = "", .then = ""},
        {T, 25, 75, .harm = 5.3, .clear = 9, .because = "", .then = "harm"},
    };
    (void)state;
    STORY(&plain, story);
}

/* Above 1/sqrt(alpha) it does not climb; it may come down again. */
static void suspicion_holds_the_share(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {T, 25, 75, .harm = 2.7, .because = "", .then = ""},
        {T, 25, 75, .harm = 2.7, .because = "", .then = ""},
        {T, 25, 75, .harm = 2.6, .because = "", .then = "2"},
    };
    (void)state;
    STORY(&plain, story);
}

static void guards_hold_the_share_and_never_promote(void **state)
{
    static const struct tick_case story[] = {
        {T, 50, 50, .clear = 9, .because = "warm-up", .then = ""},
        {T, 50, 50, .clear = 9, .because = "", .then = ""},
        {T, 50, 50, .gap = true, .clear = 9, .because = "gap", .then = ""},
        {T, 0, 0, .clear = 9, .because = "no_data", .then = ""},
        {T, 0, 100, .clear = 9, .because = "one_arm", .then = ""},
        {T, 200, 0, .clear = 9, .because = "one_arm", .then = ""},
        {T, 150, 100, .clear = 9, .because = "", .then = "promote"},
    };
    static const struct ramp_rules last = {
        .share_count = 1, .shares = {50}, .every_ms = T, .shortest_ms = 2 * T, .longest_ms = 100 * T, .warm_up_ms = T, .blind_ms = 100 * T};
    (void)state;
    STORY(&last, story);
}

/* 40 of 100 where 25 % were ordered is chance; 400 of 1000 is not; nor is a little too much for long. */
static void a_split_that_is_not_as_ordered_holds(void **state)
{
    static const struct tick_case once[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {T, 40, 60, .because = "", .then = ""},
        {T, 400, 600, .because = "sample_ratio", .then = ""},
        {T, 0, 0, .stale = true, .because = "stale", .then = ""},
    };
    struct ramp ramp = {0};
    (void)state;
    STORY(&plain, once);
    ramp_begin_share(&ramp, 1, BEGIN);
    for (int i = 1; i <= 100; i++)
        ramp_take(&ramp, &plain, &(struct ramp_reading){.now_ms = BEGIN + i * T, .canary = 30, .baseline = 70});
    assert_int_equal(ramp.because, RAMP_SAMPLE_RATIO); /* a tick of 30 of 100 alone is nothing */
}

static void without_data_it_ends(void **state)
{
    static const struct tick_case never[] = {
        {T, 0, 0, .because = "warm-up", .then = ""},
        {T, 0, 0, .because = "no_data", .then = ""},
        {T, 0, 0, .because = "no_data", .then = ""},
        {T, 0, 0, .because = "no_data", .then = ""},
        {T, 0, 0, .because = "no_data", .then = ""}, /* 40 s are not longer than 40 s */
        {T, 0, 0, .because = "no_data", .then = "no_data"},
    };
    static const struct tick_case again[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {4 * T, 0, 75, .because = "one_arm", .then = ""},
        {T, 25, 75, .because = "", .then = ""}, /* the count begins anew */
        {4 * T, 0, 0, .because = "no_data", .then = ""},
        {4 * T, 0, 0, .stale = true, .because = "stale", .then = ""},
        {T, 0, 0, .stale = true, .because = "stale", .then = "stale"},
    };
    struct ramp_rules holds = plain;
    static const struct tick_case until_longest[] = {
        {T, 0, 0, .because = "warm-up", .then = ""},
        {90 * SECOND, 0, 0, .because = "no_data", .then = ""},
        {90 * SECOND, 0, 0, .because = "no_data", .then = ""},
        {90 * SECOND, 0, 0, .because = "no_data", .then = "inconclusive"},
    };
    (void)state;
    STORY(&plain, never);
    STORY(&plain, again);
    holds.blind_ms = -1;
    holds.every_ms = 50 * SECOND;
    holds.longest_ms = 250 * SECOND;
    STORY(&holds, until_longest);
}

/* Set back by hours, or ahead: nothing ends, nothing is lengthened. */
static void a_clock_that_jumps_ends_nothing(void **state)
{
    static const struct tick_case story[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {-7200 * SECOND, 25, 75, .because = "", .then = ""},      /* counts for nothing */
        {T, 25, 75, .because = "", .then = ""},                   /* 10 s */
        {72 * 3600 * SECOND, 25, 75, .because = "", .then = "2"}, /* two ticks at most: 30 s, and not `longest` */
        {-72 * 3600 * SECOND, 50, 50, .because = "warm-up", .then = ""},
        {T, 50, 50, .clear = 9, .because = "warm-up", .then = ""}, /* the warm-up has not passed yet */
        {T, 50, 50, .clear = 9, .because = "", .then = ""},
        {T, 50, 50, .clear = 9, .because = "", .then = "promote"},
    };
    (void)state;
    STORY(&plain, story);
}

static void in_doubt_it_ends_goes_on_or_holds(void **state)
{
    struct ramp_rules rules = plain;
    static const struct tick_case ends[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {T, 25, 75, .harm = 4, .because = "", .then = ""},
        {T, 25, 75, .harm = 4, .because = "", .then = ""},
        {T, 25, 75, .harm = 4, .because = "", .then = "inconclusive"},
    };
    static const struct tick_case extends[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {T, 25, 75, .harm = 4, .because = "", .then = "inconclusive"},
    };
    static const struct tick_case holds[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .because = "", .then = ""}, /* calm, but not clear: it stays */
        {2 * T, 25, 75, .clear = 9, .because = "", .then = "2"},
        {2 * T, 50, 50, .clear = 9, .because = "warm-up", .then = ""},
        {2 * T, 50, 50, .clear = 2, .because = "", .then = ""},
        {2 * T, 50, 50, .clear = 9, .because = "", .then = "promote"},
    };
    static const struct tick_case holds_for_a_day[] = {
        {T, 25, 75, .because = "warm-up", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = ""},
        {2 * T, 25, 75, .harm = 4, .because = "", .then = "inconclusive"},
    };
    (void)state;
    rules.longest_ms = 4 * T;
    STORY(&rules, ends);
    rules.doubt = RAMP_DOUBT_EXTEND;
    STORY(&rules, extends);
    rules.doubt = RAMP_DOUBT_HOLD;
    STORY(&rules, holds);
    rules.hold_ms = 7 * T;
    STORY(&rules, holds_for_a_day);
}

static void several_kpis(void **state)
{
    struct ramp ramp = {0};
    const struct ramp_reading reading = {BEGIN + 2 * T, 50, 50, false, false};
    struct ramp_rules rules = plain;
    rules.shortest_ms = rules.warm_up_ms = 0;
    ramp_begin_share(&ramp, 2, BEGIN);
    ramp_take(&ramp, &rules, &(struct ramp_reading){BEGIN + T, 50, 50, false, false});
    ramp_take(&ramp, &rules, &reading);
    (void)state;
    struct ramp_evidence two[] = {{true, 4.7, BAR, 9, CLEAR_BAR}, {true, 4.9, BAR, 9, CLEAR_BAR}};
    struct ramp_decision decision = ramp_decide(&ramp, &rules, two, 2); /* neither alone, both together: exp(-.6) + exp(-.4) > 1 */
    assert_int_equal(decision.verdict, RAMP_HARM);
    assert_int_equal(decision.kpi, 1);
    two[1] = (struct ramp_evidence){true, 0, BAR, 1, CLEAR_BAR};
    two[0].harm = 0;
    assert_int_equal(ramp_decide(&ramp, &rules, two, 2).verdict, RAMP_OPEN); /* every critical one must be clear */
    two[1].critical = false;
    two[1].harm = 100;
    assert_int_equal(ramp_decide(&ramp, &rules, two, 2).verdict, RAMP_PROMOTED); /* the others decide nothing */
    two[0].critical = false;
    two[0].clear = two[1].clear = 100;
    assert_int_equal(ramp_decide(&ramp, &rules, two, 2).verdict, RAMP_OPEN); /* nothing is not clear */
    two[0] = (struct ramp_evidence){true, NAN, BAR, NAN, CLEAR_BAR};
    assert_int_equal(ramp_decide(&ramp, &rules, two, 1).verdict, RAMP_OPEN);
}

static void it_goes_there_and_back(void **state)
{
    const struct ramp ramp = {2, 17, BEGIN, true, 3, 4, 5, 6, 7, 8, true, RAMP_ONE_ARM};
    AUTO(free_json) json_t *json = ramp_to_json(&ramp);
    struct ramp again = {0};
    struct error err = {0};
    (void)state;
    assert_int_equal(ramp_from_json(json, &plain, &again, &err), 0);
    AUTO(free_json) json_t *twice = ramp_to_json(&again);
    assert_true(json_equal(json, twice));
    json_put_whole(json, "index", 3);
    assert_int_equal(ramp_from_json(json, &plain, &again, &err), -ERROR_INVALID);
    json_put_whole(json, "index", 1);
    json_put_whole(json, "total", -1);
    assert_int_equal(ramp_from_json(json, &plain, &again, &err), -ERROR_INVALID);
    assert_int_equal(ramp_from_json(NULL, &plain, &again, &err), -ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(climbs_and_is_promoted),
        cmocka_unit_test(requests_that_are_not_answered_hold_the_share), cmocka_unit_test(one_that_answers_nothing_does_harm),
        cmocka_unit_test(when_nobody_answers_it_is_not_the_canary), cmocka_unit_test(one_restart_holds_and_two_are_harm),
        cmocka_unit_test(harm_ends_it_at_any_tick), cmocka_unit_test(suspicion_holds_the_share),
        cmocka_unit_test(guards_hold_the_share_and_never_promote), cmocka_unit_test(a_split_that_is_not_as_ordered_holds),
        cmocka_unit_test(without_data_it_ends), cmocka_unit_test(a_clock_that_jumps_ends_nothing),
        cmocka_unit_test(in_doubt_it_ends_goes_on_or_holds), cmocka_unit_test(several_kpis), cmocka_unit_test(it_goes_there_and_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
