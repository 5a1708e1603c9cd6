/* test_canary.c: a whole canary without a domain: its rules, its checkpoints there and back, computed again, and in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "steps/kpi/replay.h"
#include "steps/kpi/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 10 * 1000, VALUES = 1000 };

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static const char policy_text[] =
    "{\"share\": [25.0, 50.0], \"every\": 10000, \"budget\": {\"false-rollback\": 1.0, \"shortest\": 20000, \"longest\": 600000, "
    "\"warm-up\": 0},"
    " \"kpis\": [{\"kpi\": \"latency\", \"tolerate\": 5.0, \"clear\": 20.0, \"critical\": true, \"weight\": 3.0,"
    " \"on-no-data\": {\"hold\": 300000, \"then\": \"rollback\"}},"
    " {\"kpi\": \"errors\", \"tolerate-odds\": 1.25, \"clear-odds\": 2.5, \"negligible\": 1.0, \"critical\": true, \"weight\": 1.0,"
    " \"on-no-data\": {\"hold\": 60000, \"then\": \"hold\"}}], \"on\": {\"doubt\": \"extend\"}}";

static struct canary_rules rules_of(const char *text)
{
    AUTO(free_json) json_t *policy = parse(text);
    struct canary_rules rules;
    struct error err = {0};
    if (canary_rules_read(policy, &rules, &err)) fail_msg("%s", err.message);
    return rules;
}

static struct canary canary_of(const struct canary_rules *rules)
{
    struct canary canary;
    canary_init(&canary, rules);
    canary.id = mem_copy_text("17.1");
    canary.version = mem_copy_text("1.1.0");
    canary.baseline = mem_copy_text("4.1");
    canary.baseline_version = mem_copy_text("1.0.0");
    canary.family = mem_copy_text("hello");
    canary.policy = mem_copy_text("9f2c");
    memcpy(canary.cursor, "1.0", 4);
    ramp_begin_share(&canary.ramp, 1, 0);
    return canary;
}

/* --- rules --- */

static void a_policy_becomes_rules(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    assert_int_equal(rules.ramp.share_count, 2);
    assert_int_equal(rules.ramp.doubt, RAMP_DOUBT_EXTEND);
    assert_int_equal(rules.ramp.blind_ms, 300000); /* errors would hold on */
    assert_true(fabs(rules.kpis[0].rules.tolerate - 1.05) < 1e-12 && fabs(rules.kpis[0].rules.clear - 1.2) < 1e-12);
    assert_true(fabs(rules.kpis[0].rules.alpha - 0.0075) < 1e-12 && fabs(rules.kpis[1].rules.alpha - 0.0025) < 1e-12);
    assert_true(fabs(rules.kpis[1].rules.negligible - 0.01) < 1e-12);
}

static void what_is_no_policy_is_refused(void **state)
{
    (void)state;
    static const char *const changes[] = {"{\"share\": []}", "{\"share\": [50.0, 25.0]}", "{\"share\": [100.0]}", "{\"every\": 0}",
        "{\"kpis\": []}", "{\"kpis\": [{\"kpi\": \"weather\"}]}", "{\"kpis\": [{\"kpi\": \"latency\"}]}", "{\"budget\": {}}",
        "{\"kpis\": [{\"kpi\": \"latency\", \"tolerate\": 20.0, \"clear\": 20.0}]}",
        "{\"kpis\": [{\"kpi\": \"latency\", \"tolerate\": 5.0, \"clear\": 20.0, \"critical\": false}]}"};
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        AUTO(free_json) json_t *policy = parse(policy_text), *change = parse(changes[i]);
        struct canary_rules rules;
        struct error err = {0};
        json_object_update(policy, change);
        if (!canary_rules_read(policy, &rules, &err) || !err.message[0]) fail_msg("%s was taken", changes[i]);
    }
}

/* --- a canary from its first tick to its verdict --- */

struct arms {
    double canary[VALUES], baseline[VALUES];
};

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* One tick of 250 and 750 requests, the canary's so many times as long, with so many errors. */
static struct canary_reading read_arms(struct arms *arms, int64_t now_ms, double ratio, uint64_t errors, uint64_t *seed)
{
    for (int i = 0; i < 250; i++)
        arms->canary[i] = ratio * (5000 + 2000 * noise(seed));
    for (int i = 0; i < 750; i++)
        arms->baseline[i] = 5000 + 2000 * noise(seed);
    return (struct canary_reading){.counts = {.now_ms = now_ms, .canary = 250, .baseline = 750},
        .canary = arms->canary,
        .baseline = arms->baseline,
        .canary_errors = errors};
}

/* As the step does it: each tick in a process of its own, that knows only the checkpoint's text. Returns the checkpoints. */
static json_t *run_canary(const struct canary_rules *rules, double ratio, uint64_t errors, int ticks, struct canary *ret)
{
    json_t *checkpoints = json_array();
    uint64_t seed = 42;
    struct arms arms;
    *ret = canary_of(rules);
    for (int i = 1; i <= ticks && !ret->verdict; i++) {
        struct canary_tick tick;
        struct canary_reading reading = read_arms(&arms, (int64_t)i * T, ratio, errors, &seed);
        canary_judge(ret, &reading, (uint64_t)i, &tick);
        AUTO(free_text) char *line = tick_words(ret, &reading, &tick);
        if (text_columns(line, strlen(line)) > LINE_COLUMNS) fail_msg("too wide: %s", line);
        AUTO(free_text) char *words = verdict_words(ret, &tick.decision);
        if (tick.decision.verdict) ret->verdict = canary_verdict(ret, &tick.decision, words);
        json_array_append_new(checkpoints, canary_to_json(ret, json_pack("[o]", canary_tick_to_json(ret, &reading, &tick))));
        AUTO(free_text) char *text = json_canonical(json_array_get(checkpoints, (size_t)i - 1));
        AUTO(free_json) json_t *read = parse(text);
        struct canary next;
        struct error err = {0};
        if (canary_from_json(read, rules, &next, &err)) fail_msg("%s", err.message);
        canary_release(ret);
        *ret = next;
    }
    return checkpoints;
}

static const char *words_of(const struct canary *canary)
{
    return json_text(canary->verdict, "words", "");
}

static void assert_words(const struct canary *canary, const char *wanted)
{
    if (!strstr(words_of(canary), wanted)) fail_msg("\"%s\" is not in \"%s\"", wanted, words_of(canary));
}

static void a_slow_one_does_harm(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary;
    AUTO(free_json) json_t *checkpoints = run_canary(&rules, 1.5, 0, 10, &canary);
    assert_int_equal(json_array_size(checkpoints), 2); /* the first one is of two shares */
    assert_string_equal(json_text(canary.verdict, "verdict", ""), "harm");
    assert_words(&canary, "1.1.0 is 49 % slower at equal load (47 to 51 %)");
    assert_words(&canary, "; the chance that this is luck is below 1 in ");
    canary_release(&canary);
}

/* Every value the same: ties fall by lot, which shows no harm, and what is no slower than 20 % is promoted all the same. */
static void all_ties_do_no_harm(void **state)
{
    (void)state;
    static const char *const tolerated[] = {"0.0", "5.0"};
    for (size_t t = 0; t < COUNT_OF(tolerated); t++) {
        AUTO(free_json) json_t *policy = parse(policy_text);
        json_object_set_new(json_array_get(json_object_get(policy, "kpis"), 0), "tolerate", json_real(strtod(tolerated[t], NULL)));
        AUTO(free_text) char *text = json_canonical(policy);
        struct canary_rules rules = rules_of(text);
        struct canary canary = canary_of(&rules);
        struct canary_tick tick = {0};
        struct arms arms;
        for (int i = 0; i < VALUES; i++)
            arms.canary[i] = arms.baseline[i] = 5000;
        for (int i = 1; i <= 50 && !tick.decision.verdict; i++) {
            const struct ramp_reading counts = {.now_ms = (int64_t)i * T, .canary = 250, .baseline = tick.index < 2 ? 750 : 250};
            const struct canary_reading reading = {counts, arms.canary, arms.baseline, 0, 0};
            if (tick.decision.index) ramp_begin_share(&canary.ramp, tick.decision.index, (int64_t)(i - 1) * T);
            canary_judge(&canary, &reading, (uint64_t)i, &tick);
        }
        if (tick.decision.verdict != RAMP_PROMOTED) fail_msg("tolerated %s: %s", tolerated[t], ramp_verdict_name(tick.decision.verdict));
        canary_release(&canary);
    }
}

/* A request a tick is enough to show harm in the end, and too little to say how much of it there is. */
static void harm_of_unknown_size_is_said(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary = canary_of(&rules);
    struct canary_tick tick = {0};
    static const double slow[] = {900}, fast[] = {100, 101, 102};
    for (int i = 1; i <= 40 && !tick.decision.verdict; i++) {
        struct canary_reading reading = {
            .counts = {.now_ms = (int64_t)i * T, .canary = 1, .baseline = 3}, .canary = slow, .baseline = fast};
        canary_judge(&canary, &reading, (uint64_t)i, &tick);
    }
    assert_int_equal(tick.decision.verdict, RAMP_HARM);
    AUTO(free_text) char *words = verdict_words(&canary, &tick.decision);
    if (!text_starts(words, "1.1.0 is more than 5 % slower at equal load, too few requests tell by how much; the chance that"))
        fail_msg("%s", words);
    canary_release(&canary);
}

static void one_that_fails_does_harm_in_words_of_errors(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary;
    AUTO(free_json) json_t *checkpoints = run_canary(&rules, 0.5, 25, 10, &canary);
    assert_string_equal(json_text(canary.verdict, "kpi", ""), "errors");
    assert_words(&canary, "1.1.0 fails 10 % of its requests, 1.0.0 0.00 %");
    canary_release(&canary);
}

static void without_a_verdict_it_says_how_far_it_came(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary = canary_of(&rules);
    const struct ramp_decision doubt = {.verdict = RAMP_INCONCLUSIVE}, blind = {.verdict = RAMP_WITHOUT_DATA};
    canary.ramp.total_ms = 600000;
    AUTO(free_text) char *words = verdict_words(&canary, &doubt);
    assert_string_equal(words,
        "neither harm by 1.1.0 nor its absence is shown after 10 m 0 s: latency harm 1.0 of 133, clear 1.0 of 20; errors harm 1.0 of "
        "400, clear 1.0 of 20");
    canary.ramp.because = RAMP_ONE_ARM;
    canary.ramp.blind_ms = 300000;
    AUTO(free_text) char *lack = verdict_words(&canary, &blind);
    assert_string_equal(lack, "1.1.0 could not be judged for 5 m 0 s: only one of the two versions got requests");
    canary_release(&canary);
}

/* One scale for people: E itself with its bar, and the KPI that it belongs to. */
static void a_tick_is_told_by_e_itself(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary = canary_of(&rules);
    struct canary_tick tick = {.share = 5};
    struct canary_reading reading = {.counts = {.canary = 13, .baseline = 190}};
    canary.ramp.tick = 4;
    canary.ramp.because = RAMP_USED;
    canary.kpis[0].harm = (struct chart){"17"};
    AUTO(free_text) char *calm = tick_words(&canary, &reading, &tick);
    assert_string_equal(
        calm, "tick 4    5 %  canary 13, baseline 190  harm   ▂█ latency  1.0 of 133  clear latency  1.0, errors  1.0 of 20");
    reading.canary_errors = 2;
    AUTO(free_text) char *failed = tick_words(&canary, &reading, &tick);
    assert_string_equal(
        failed, "tick 4    5 %  canary 13 (2 failed), baseline 190  harm latency  1.0 of 133  clear latency  1.0, errors  1.0");
    canary.kpis[1].evidence.harm.log_weights[0] = 50;
    AUTO(free_text) char *harmful = tick_words(&canary, &reading, &tick);
    assert_non_null(strstr(harmful, "harm errors  >1e6 of 400"));
    canary_release(&canary);
}

/* Twenty times "there were no requests" says nothing more than once does. */
static void ticks_that_are_held_alike_are_told_now_and_then(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary = canary_of(&rules);
    enum ramp_because before = RAMP_USED;
    struct text told = {0};
    for (unsigned tick = 1; tick <= 25; tick++) {
        canary.ramp.tick = tick;
        canary.ramp.because = tick == 1 ? RAMP_WARM_UP : tick == 5 || tick == 6 ? RAMP_USED : RAMP_NO_DATA;
        if (tick_is_told(&canary, before)) text_add_format(&told, "%u ", tick);
        before = canary.ramp.because;
    }
    assert_string_equal(text_view(&told), "1 2 5 6 7 10 20 ");
    text_release(&told);
    canary_release(&canary);
}

/* The chance is never overstated: rounded down, to two digits. */
static void luck_is_rounded_down(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary;
    AUTO(free_json) json_t *checkpoints = run_canary(&rules, 1.5, 0, 10, &canary);
    double harm = evidence_harm(&canary.kpis[0].evidence, &rules.kpis[0].rules);
    long said = strtol(strstr(words_of(&canary), "1 in ") + 5, NULL, 10);
    assert_true(said <= exp(harm) && said >= 133);
    canary_release(&canary);
}

/* --- computed again --- */

static char *replayed(const char *text, struct error *err)
{
    AUTO(free_json) json_t *checkpoints = parse(text);
    return kpi_replay(checkpoints, err) ? NULL : json_canonical(checkpoints);
}

static void what_is_on_record_replays_to_the_same_bytes(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct error err = {0};
    for (int i = 0; i < 3; i++) {
        struct canary canary;
        AUTO(free_json) json_t *checkpoints = run_canary(&rules, i == 1 ? 1.08 : 1, i == 2 ? 3 : 0, 12, &canary);
        AUTO(free_text) char *before = json_canonical(checkpoints);
        AUTO(free_text) char *after = replayed(before, &err);
        if (!after) fail_msg("%s", err.message);
        assert_string_equal(before, after);
        canary_release(&canary);
    }
}

static void what_was_changed_is_seen(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary;
    AUTO(free_json) json_t *checkpoints = run_canary(&rules, 1, 0, 4, &canary);
    json_t *tick = json_array_get(json_object_get(json_array_get(checkpoints, 2), "ticks"), 0);
    json_t *latency = json_array_get(json_object_get(tick, "kpis"), 0);
    json_put_whole(latency, "u", json_whole(latency, "u", 0) + 1);
    AUTO(free_text) char *before = json_canonical(checkpoints);
    AUTO(free_text) char *after = replayed(before, NULL);
    assert_non_null(after);
    assert_string_not_equal(before, after);
    json_put_whole(tick, "tick", 9);
    AUTO(free_text) char *torn = json_canonical(checkpoints);
    assert_null(replayed(torn, NULL));
    canary_release(&canary);
}

static void what_is_no_evidence_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{}", "7", "[{\"kpis\": [{}]}]", "[{\"kpis\": [{\"kpi\": \"latency\"}]}]",
        "[{\"kpis\": [{\"kpi\": \"latency\", \"rules\": {\"measure\": \"latency\"}}]}]", "[{\"ticks\": [{\"tick\": 2}]}]",
        "[{\"ticks\": [{\"tick\": 1, \"used\": true, \"kpis\": [{}]}]}]", "[{\"ticks\": [7]}]"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct error err = {0};
        AUTO(free_text) char *out = replayed(wrong[i], &err);
        if (out || !err.message[0]) fail_msg("%s was taken", wrong[i]);
    }
    AUTO(free_text) char *none = replayed("[]", NULL);
    assert_string_equal(none, "[]");
}

/* A checkpoint of twenty KPIs is a line of the step protocol too. */
static void it_fits_into_a_line(void **state)
{
    (void)state;
    struct canary_rules rules = rules_of(policy_text);
    struct canary canary;
    AUTO(free_json) json_t *checkpoints = run_canary(&rules, 1, 1, 4, &canary);
    json_t *last = json_array_get(checkpoints, 3), *kpis = json_object_get(last, "kpis");
    for (int i = 0; i < 18; i++)
        json_array_append(kpis, json_array_get(kpis, 1));
    AUTO(free_text) char *text = json_canonical(last);
    if (strlen(text) > 60 * 1024) fail_msg("%zu bytes", strlen(text));
    canary_release(&canary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_policy_becomes_rules), cmocka_unit_test(what_is_no_policy_is_refused),
        cmocka_unit_test(a_slow_one_does_harm), cmocka_unit_test(harm_of_unknown_size_is_said), cmocka_unit_test(all_ties_do_no_harm),
        cmocka_unit_test(one_that_fails_does_harm_in_words_of_errors), cmocka_unit_test(without_a_verdict_it_says_how_far_it_came),
        cmocka_unit_test(luck_is_rounded_down), cmocka_unit_test(a_tick_is_told_by_e_itself),
        cmocka_unit_test(ticks_that_are_held_alike_are_told_now_and_then), cmocka_unit_test(what_is_on_record_replays_to_the_same_bytes),
        cmocka_unit_test(what_was_changed_is_seen), cmocka_unit_test(what_is_no_evidence_is_refused),
        cmocka_unit_test(it_fits_into_a_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
