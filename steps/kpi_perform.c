/* kpi_perform.c: a canary: its share rises by the policy while it is judged at every tick, until there is a verdict. Between ticks there is
   no process: the step parks, and its checkpoint holds all that must be known to go on (steps/kpi/canary.h, docs/formats/evidence.md). A
   tick and the place behind it in the records are in one checkpoint, so no tick is judged twice, and none is lost. */
#include "kpi_reading.h"
#include "ordering.h"
#include "perform.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "kpi_policy.h"
#include "net/tmf/characteristic.h"
#include "steps/kpi/trouble.h"
#include "steps/kpi/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judging {
    struct step *step;
    struct ordering ordering;
    json_t *policy; /* the domain's, made stricter by the pipeline */
    struct canary_rules rules;
    struct canary canary;
};

static void judging_release(struct judging *judging)
{
    ordering_release(&judging->ordering);
    json_decref(judging->policy);
    canary_release(&judging->canary);
}

static int judging_open(struct step *step, struct judging *ret, struct error *err)
{
    const json_t *domain = json_object_get(step_facts(step), "domain"), *stricter = json_object_get(step_with(step), "policy");
    ret->step = step;
    int failed = ordering_open(step, &ret->ordering, err);
    ret->ordering.quiet = true; /* what the share is, is told */
    if (!failed)
        failed = kpi_policy_merge(json_object_get(domain, "policy"), json_is_object(stricter) ? stricter : NULL, &ret->policy, err);
    if (!failed) failed = canary_rules_read(ret->policy, &ret->rules, err);
    ret->rules.ramp.hold_ms = json_whole(step_facts(step), "timeout_ms", 0); /* each process has it, so nobody else holds it against all */
    return failed;
}

static const char *version_of(const struct canary *canary)
{
    return canary->version ? canary->version : canary->id;
}

static int park(struct judging *judging, json_t *ticks, struct error *err)
{
    int64_t until_ms = clock_now_ms() + judging->rules.ramp.every_ms;
    return step_park(judging->step, until_ms, canary_to_json(&judging->canary, ticks), err);
}

static int keep(struct judging *judging, json_t *ticks, struct error *err)
{
    return step_checkpoint(judging->step, canary_to_json(&judging->canary, ticks), err);
}

/* --- the share --------------------------------------------------------------------------------------------------------------------------
 */

static json_t *body_of(const struct judging *judging, double percent)
{
    AUTO(free_json) json_t *share = json_real(percent);
    return ordering_share_body(&judging->ordering, judging->canary.id, share, json_whole(judging->policy, "lease", 0));
}

/* What is sent is kept before, so that a later process sends the same. */
static void intend_share(struct judging *judging, uint32_t index)
{
    json_decref(judging->canary.shift);
    judging->canary.shift =
        json_pack("{s:I, s:o}", "index", (json_int_t)index, "body", body_of(judging, judging->rules.ramp.shares[index - 1]));
}

static void tell_share(struct judging *judging, uint32_t index)
{
    double share = judging->rules.ramp.shares[index - 1];
    printf("%s gets %.10g %% of the requests\n", version_of(&judging->canary), share);
    step_progress(judging->step, (double)index / (double)(judging->rules.ramp.share_count + 1), "%s gets %.10g %% of the requests",
        version_of(&judging->canary), share);
}

/* Orders the share that is under way, and begins it. What was recorded meanwhile is of two shares: the next tick discards it. */
static int change_share(struct judging *judging, struct error *err)
{
    struct canary *canary = &judging->canary;
    AUTO(free_json) json_t *outcome = NULL;
    int64_t index = json_whole(canary->shift, "index", 0);
    if (index < 1 || index > (int64_t)judging->rules.ramp.share_count)
        return error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint changes to a share that the policy does not have");
    AUTO(free_text) char *name = mem_format("share %lld", (long long)index);
    int failed = step_effect(judging->step, name, judging->ordering.domain, json_object_get(canary->shift, "body"), ordering_send_and_wait,
        &judging->ordering, &outcome, err);
    if (failed) return failed;
    json_decref(take(&canary->shift));
    ramp_begin_share(&canary->ramp, (uint32_t)index, clock_now_ms());
    tell_share(judging, (uint32_t)index);
    return park(judging, NULL, err);
}

/* --- the verdict ------------------------------------------------------------------------------------------------------------------------
 */

static void put_outputs(struct judging *judging)
{
    const json_t *verdict = judging->canary.verdict;
    AUTO(free_text) char *evidence = canary_evidence(&judging->canary);
    step_output(judging->step, "verdict", json_incref(json_object_get(verdict, "verdict")));
    step_output(judging->step, "share", json_incref(json_object_get(verdict, "share")));
    step_output(judging->step, "baseline", json_string(judging->canary.baseline));
    step_output(judging->step, "words", json_incref(json_object_get(verdict, "words")));
    step_output(judging->step, "evidence", json_string(evidence));
}

static int fail_with(struct judging *judging, const char *reason, struct error *err)
{
    step_reason(judging->step, reason);
    return error_set(err, ERROR_CONFLICT, NOWHERE, "%s", json_text(judging->canary.verdict, "words", reason));
}

/* No request more than must be goes to a version that does harm; the rest is undone behind the step. */
static int take_back(struct judging *judging, struct error *err)
{
    AUTO(free_json) json_t *outcome = NULL, *body = body_of(judging, 0);
    judging->ordering.ends_service = true;
    int failed =
        step_effect(judging->step, "back", judging->ordering.domain, body, ordering_send_and_wait, &judging->ordering, &outcome, err);
    if (!failed) printf("%s gets no requests any more\n", version_of(&judging->canary));
    return failed ? failed : fail_with(judging, "kpi_harm", err);
}

static int finish(struct judging *judging, struct error *err)
{
    const char *verdict = json_text(judging->canary.verdict, "verdict", "");
    put_outputs(judging);
    if (text_equal(verdict, ramp_verdict_name(RAMP_HARM))) return take_back(judging, err);
    if (text_equal(verdict, ramp_verdict_name(RAMP_PROMOTED))) return 0;
    return fail_with(judging, text_equal(verdict, ramp_verdict_name(RAMP_INCONCLUSIVE)) ? "kpi_inconclusive" : "no_data", err);
}

static int conclude(struct judging *judging, const struct ramp_decision *decision, json_t *ticks, struct error *err)
{
    AUTO(free_text) char *words = verdict_words(&judging->canary, decision);
    printf("%s: %s\n", ramp_verdict_name(decision->verdict), words);
    step_progress(judging->step, 1, "%s: %s", ramp_verdict_name(decision->verdict), words);
    judging->canary.verdict = canary_verdict(&judging->canary, decision, words);
    int failed = keep(judging, ticks, err);
    return failed ? failed : finish(judging, err);
}

/* --- a tick -----------------------------------------------------------------------------------------------------------------------------
 */

/* Ties are broken by bits of this tick's own, the same at every replay. */
static uint64_t seed_of(const struct judging *judging)
{
    const json_t *facts = step_facts(judging->step);
    AUTO(free_text)
    char *text = mem_format("%lld %s %llu", (long long)json_whole(facts, "run", 0), json_text(facts, "step", ""),
        (unsigned long long)judging->canary.ramp.tick + 1);
    char digest[SHA256_HEX];
    sha256_hex(text, strlen(text), digest);
    digest[16] = '\0';
    return strtoull(digest, NULL, 16);
}

/* The run keeps the policy that it was planned with, and says so once. */
static void tell_change(struct judging *judging)
{
    const json_t *domain = json_object_get(step_facts(judging->step), "domain");
    if (judging->canary.told_changed || !json_flag(domain, "changed", false)) return;
    AUTO(free_text)
    char *text = mem_format(
        "the file of domain %s was changed since this run was planned: the canary is judged by the policy that it was planned with",
        judging->ordering.domain);
    printf("%s\n", text);
    step_annotate(judging->step, "warning", NULL, 0, text);
    judging->canary.told_changed = true;
}

static void tell_restarts(const struct canary *canary)
{
    AUTO(text_release) struct text line = {0};
    trouble_add_restarts(&line, canary);
    trouble_add_ending(&line, canary);
    printf("%s\n", line.bytes);
}

static int go_on(struct judging *judging, const struct ramp_decision *decision, json_t *ticks, struct error *err)
{
    if (decision->verdict != RAMP_OPEN) return conclude(judging, decision, ticks, err);
    if (decision->extended) printf("nothing is shown yet; it goes on for as long again, as the policy says for doubt\n");
    if (!decision->index) return park(judging, ticks, err);
    intend_share(judging, decision->index);
    int failed = keep(judging, ticks, err);
    return failed ? failed : change_share(judging, err);
}

static int judge(struct judging *judging, struct error *err)
{
    AUTO(kpi_reading_release) struct kpi_reading reading = {0};
    struct canary *canary = &judging->canary;
    struct canary_reading summary;
    struct canary_tick tick;
    enum ramp_because before = canary->ramp.because;
    tell_change(judging);
    kpi_reading_take(&judging->ordering.client, canary, clock_now_ms(), &reading, &summary);
    canary_judge(canary, &summary, seed_of(judging), &tick);
    if (summary.counts.restarts) tell_restarts(canary);
    if (tick_is_told(canary, before)) {
        AUTO(free_text) char *line = tick_words(canary, &summary, &tick);
        printf("%s\n", line);
        step_progress(judging->step, 0, "%s", line);
    }
    json_t *ticks = json_pack("[o]", canary_tick_to_json(canary, &summary, &tick));
    return go_on(judging, &tick.decision, ticks, err);
}

/* --- the beginning ----------------------------------------------------------------------------------------------------------------------
 */

/* A first version has nobody to be compared with, and one that has all requests nothing to show: that is on record, too. */
static json_t *lone_checkpoint(const struct judging *judging, const json_t *service, const char *words)
{
    double share = tmf_service_share(service);
    const json_t *characteristics = json_object_get(service, "serviceCharacteristic");
    AUTO(free_text) char *digest = kpi_policy_digest(judging->policy);
    return json_pack("{s:i, s:f, s:s, s:{s:s?}, s:s?, s:s, s:[], s:[], s:{s:s, s:f, s:s, s:s, s:[]}}", "evidence", 1, "previous", share,
        "canary", json_text(service, "id", ""), "versions", "canary", tmf_service_version(service), "family",
        characteristic_text(characteristics, "family", tmf_service_specification(service)), "policy", digest, "kpis", "ticks", "verdict",
        "verdict", "promote", "share", share, "words", words, "policy", digest, "kpis");
}

static bool is_lone(const json_t *checkpoint)
{
    return json_is_object(json_object_get(checkpoint, "verdict")) && !json_text(checkpoint, "baseline", NULL);
}

/* What an earlier wave found is handed on. */
static int end_alone(struct judging *judging, const json_t *checkpoint)
{
    const json_t *verdict = json_object_get(checkpoint, "verdict");
    const char *earlier = json_text(step_with(judging->step), "evidence", "");
    AUTO(free_json)
    json_t *none = json_pack("{s:i, s:s, s:s, s:[]}", "evidence", 1, "policy", json_text(checkpoint, "policy", ""), "verdict",
        json_text(verdict, "verdict", ""), "kpis");
    AUTO(free_text) char *text = json_canonical(none);
    step_output(judging->step, "verdict", json_incref(json_object_get(verdict, "verdict")));
    step_output(judging->step, "share", json_incref(json_object_get(verdict, "share")));
    step_output(judging->step, "baseline", json_null());
    step_output(judging->step, "words", json_incref(json_object_get(verdict, "words")));
    return step_output(judging->step, "evidence", json_string(*earlier ? earlier : text));
}

static int stay_alone(struct judging *judging, const json_t *service, const char *words, struct error *err)
{
    AUTO(free_json) json_t *checkpoint = lone_checkpoint(judging, service, words);
    printf("%s\n", json_text(json_object_get(checkpoint, "verdict"), "words", ""));
    int failed = step_checkpoint(judging->step, json_incref(checkpoint), err);
    return failed ? failed : end_alone(judging, checkpoint);
}

static void note_services(struct judging *judging, const json_t *service, const json_t *other)
{
    struct canary *canary = &judging->canary;
    const json_t *characteristics = json_object_get(service, "serviceCharacteristic");
    canary_init(canary, &judging->rules);
    canary->id = mem_copy_text(json_text(service, "id", ""));
    canary->version = mem_copy_text(tmf_service_version(service));
    canary->baseline = mem_copy_text(json_text(other, "id", ""));
    canary->baseline_version = mem_copy_text(tmf_service_version(other));
    canary->family = mem_copy_text(characteristic_text(characteristics, "family", tmf_service_specification(service)));
    canary->policy = kpi_policy_digest(judging->policy);
    canary->previous = tmf_service_share(service);
    size_t carried = canary_carry(canary, json_text(step_with(judging->step), "evidence", NULL));
    printf("%s is judged beside %s\n", version_of(canary), canary->baseline_version ? canary->baseline_version : canary->baseline);
    if (carried) printf("the evidence of an earlier wave counts on\n");
}

static int begin(struct judging *judging, struct error *err)
{
    struct ordering *ordering = &judging->ordering;
    AUTO(free_json) json_t *service = NULL, *other = NULL;
    int failed = ordering_service(ordering, &service, err);
    if (!failed) failed = tmf_service_other(&ordering->client, service, &other, err);
    if (failed) return failed;
    if (!other) return stay_alone(judging, service, "nothing to compare with: it is the only version in service", err);
    if (tmf_service_share(service) >= 100) return stay_alone(judging, service, "nothing to judge: it is in service already", err);
    note_services(judging, service, other);
    struct ramp_reading before = {0};
    kpi_domain_look(&ordering->client, &judging->canary, &before); /* restarts until now are not the canary's */
    failed = kpi_reading_begin(&ordering->client, judging->canary.family, judging->canary.cursor, err);
    if (failed) return failed;
    intend_share(judging, 1);
    failed = keep(judging, NULL, err);
    return failed ? failed : change_share(judging, err);
}

int kpi_perform(struct step *step, struct error *err)
{
    AUTO(judging_release) struct judging judging = {0};
    const json_t *checkpoint = step_checkpoint_read(step);
    int failed = judging_open(step, &judging, err);
    if (failed) return failed;
    if (!checkpoint) return begin(&judging, err);
    if (is_lone(checkpoint)) return end_alone(&judging, checkpoint);
    failed = canary_from_json(checkpoint, &judging.rules, &judging.canary, err);
    if (failed) return failed;
    if (judging.canary.verdict) return finish(&judging, err);
    return judging.canary.shift ? change_share(&judging, err) : judge(&judging, err);
}
