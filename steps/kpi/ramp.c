/* ramp.c: when a canary's share stays, rises, or has its verdict. */
#include "steps/kpi/ramp.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>

/* The observed share of requests may be off the ordered one by so many standard deviations of a binomial, and so much more. */
static const double ratio_sigmas = 5, ratio_slack = 0.02;

/* So many open requests, and so many times as many as the baseline's by their shares, are more than luck or a slow version explains; they
   are a bound of common sense, not of the budget. */
static const double open_least = 5, open_times = 3;

enum { RESTARTS_OF_HARM = 2 };

static const char *const because_names[RAMP_BECAUSE_COUNT] = {
    "", "warm-up", "gap", "no_data", "one_arm", "sample_ratio", "stale", "open", "restarts"};
static const char *const verdict_names[RAMP_VERDICT_COUNT] = {"", "promote", "harm", "inconclusive", "no_data", "stale"};

const char *ramp_because_name(enum ramp_because because)
{
    return because_names[because];
}

const char *ramp_verdict_name(enum ramp_verdict verdict)
{
    return verdict_names[verdict];
}

/* --- one reading -----------------------------------------------------------------------------------------------------------------------
 */

void ramp_begin_share(struct ramp *ramp, uint32_t index, int64_t now_ms)
{
    ramp->index = index;
    ramp->read_ms = now_ms;
    ramp->fresh = true;
    ramp->on_share_ms = ramp->judged_ms = 0;
    ramp->canary = ramp->baseline = 0;
}

static int64_t time_since(int64_t then_ms, int64_t now_ms, int64_t every_ms)
{
    int64_t most = 2 * every_ms;
    if (now_ms <= then_ms) return 0;
    return now_ms - then_ms < most ? now_ms - then_ms : most;
}

static bool ratio_is_off(uint64_t canary, uint64_t baseline, double share)
{
    double all = (double)canary + (double)baseline, expected = share / 100;
    if (all <= 0) return false;
    double deviation = fabs((double)canary / all - expected);
    return deviation > ratio_sigmas * sqrt(expected * (1 - expected) / all) + ratio_slack;
}

/* Looked at over the tick and over all of this share, because a small tick hides much. */
static bool split_is_off(const struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_reading *reading)
{
    double share = rules->shares[ramp->index - 1];
    return ratio_is_off(reading->canary, reading->baseline, share) || ratio_is_off(ramp->canary, ramp->baseline, share);
}

static enum ramp_because why_unused(struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_reading *reading, bool is_warm)
{
    if (reading->stale) return RAMP_STALE;
    if (!is_warm) return RAMP_WARM_UP;
    if (reading->gap) return RAMP_GAP;
    if (!reading->canary && !reading->baseline) return RAMP_NO_DATA;
    ramp->canary += reading->canary;
    ramp->baseline += reading->baseline;
    if (!reading->canary || !reading->baseline) return RAMP_ONE_ARM;
    return split_is_off(ramp, rules, reading) ? RAMP_SAMPLE_RATIO : RAMP_USED;
}

static bool many_are_open(const struct ramp_reading *reading, double share)
{
    double open = (double)reading->open_canary, by_share = (double)reading->open_baseline * share / (100 - share);
    return reading->told && open > open_least && open > open_times * by_share;
}

/* What the domain tells besides. It explains why an arm is empty or too small, so it goes before that, and such a tick is fed. */
static void note_trouble(struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_reading *reading, int64_t lasted_ms)
{
    bool is_many = many_are_open(reading, rules->shares[ramp->index - 1]), is_silent = !reading->canary && reading->open_canary > 0;
    ramp->used = ramp->because == RAMP_USED;
    ramp->restarts += reading->restarts;
    ramp->open = reading->open_canary;
    if (ramp->because == RAMP_STALE || ramp->because == RAMP_WARM_UP || ramp->because == RAMP_GAP) return;
    ramp->unanswered_ms = is_many && is_silent && reading->baseline ? ramp->unanswered_ms + lasted_ms : 0;
    if (!ramp->restarts && !is_many && !is_silent) return;
    ramp->because = ramp->restarts ? RAMP_RESTARTED : RAMP_UNANSWERED;
    ramp->used = reading->canary && reading->baseline;
}

int64_t ramp_take(struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_reading *reading)
{
    int64_t lasted_ms = time_since(ramp->read_ms, reading->now_ms, rules->every_ms);
    bool is_warm = !ramp->fresh && ramp->on_share_ms >= rules->warm_up_ms; /* at the tick's begin */
    ramp->because = why_unused(ramp, rules, reading, is_warm);
    note_trouble(ramp, rules, reading, lasted_ms);
    ramp->tick++;
    ramp->read_ms = reading->now_ms;
    ramp->on_share_ms += lasted_ms;
    ramp->total_ms += lasted_ms;
    if (ramp->because != RAMP_STALE) ramp->fresh = false; /* what was not read yet is still of the change */
    if (ramp->used) {
        ramp->judged_ms += lasted_ms;
        ramp->blind_ms = 0;
    } else if (ramp->because != RAMP_WARM_UP) {
        ramp->blind_ms += lasted_ms;
    }
    return lasted_ms;
}

/* --- deciding --------------------------------------------------------------------------------------------------------------------------
 */

struct view {         /* all critical KPIs together */
    double harm;      /* sum(alpha_k E_k) */
    bool calm, clear; /* none above 1/sqrt(alpha_k); every one clear */
    size_t most_harmed;
};

static struct view view_of(const struct ramp_evidence *evidence, size_t count)
{
    struct view view = {.calm = true};
    double most = -INFINITY;
    bool any = false, all_clear = true;
    for (size_t i = 0; i < count; i++) {
        const struct ramp_evidence *kpi = &evidence[i];
        if (!kpi->critical) continue;
        any = true;
        view.harm += exp(kpi->harm - kpi->harm_bar);
        view.calm = view.calm && kpi->harm <= kpi->harm_bar / 2;
        all_clear = all_clear && kpi->clear >= kpi->clear_bar;
        if (kpi->harm - kpi->harm_bar <= most) continue;
        most = kpi->harm - kpi->harm_bar;
        view.most_harmed = i;
    }
    view.clear = any && all_clear;
    return view;
}

/* false: it goes on. */
static bool is_over_time(struct ramp *ramp, const struct ramp_rules *rules, struct ramp_decision *decision)
{
    if (ramp->total_ms < rules->longest_ms) return false;
    if (rules->doubt == RAMP_DOUBT_HOLD) return rules->hold_ms > 0 && ramp->total_ms >= rules->hold_ms;
    if (rules->doubt == RAMP_DOUBT_ROLLBACK || ramp->total_ms - rules->longest_ms >= rules->longest_ms) return true;
    decision->extended = !ramp->extended;
    ramp->extended = true;
    return false;
}

/* In doubt it stays where it is: only what is clear goes on climbing. */
static bool may_rise(const struct ramp *ramp, const struct ramp_rules *rules, const struct view *view)
{
    bool doubts = rules->doubt == RAMP_DOUBT_HOLD && ramp->total_ms >= rules->longest_ms;
    return ramp->because == RAMP_USED && ramp->judged_ms >= rules->shortest_ms && view->calm && (view->clear || !doubts);
}

/* What needs no statistics. */
static bool is_plain_harm(const struct ramp *ramp, const struct ramp_rules *rules, enum ramp_shown *ret)
{
    int64_t most_ms = rules->blind_ms >= 0 && rules->blind_ms < rules->shortest_ms ? rules->blind_ms : rules->shortest_ms;
    if (ramp->restarts >= RESTARTS_OF_HARM) {
        *ret = RAMP_BY_RESTARTS;
        return true;
    }
    if (ramp->unanswered_ms < 2 * rules->every_ms || ramp->unanswered_ms < most_ms) return false;
    *ret = RAMP_BY_OPEN;
    return true;
}

struct ramp_decision ramp_decide(
    struct ramp *ramp, const struct ramp_rules *rules, const struct ramp_evidence *evidence, size_t evidence_count)
{
    struct ramp_decision decision = {.verdict = RAMP_OPEN};
    struct view view = view_of(evidence, evidence_count);
    bool is_last = ramp->index >= rules->share_count;
    decision.kpi = view.most_harmed;
    if (is_plain_harm(ramp, rules, &decision.by) || view.harm >= 1)
        decision.verdict = RAMP_HARM;
    else if (rules->blind_ms >= 0 && ramp->blind_ms > rules->blind_ms)
        decision.verdict = ramp->because == RAMP_STALE ? RAMP_WENT_STALE : RAMP_WITHOUT_DATA;
    else if (is_last && view.clear && may_rise(ramp, rules, &view))
        decision.verdict = RAMP_PROMOTED;
    else if (is_over_time(ramp, rules, &decision))
        decision.verdict = RAMP_INCONCLUSIVE;
    else if (!is_last && may_rise(ramp, rules, &view))
        decision.index = ramp->index + 1;
    return decision;
}

/* --- in a checkpoint ---------------------------------------------------------------------------------------------------------------------
 */

json_t *ramp_to_json(const struct ramp *ramp)
{
    return json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "index", (json_int_t)ramp->index,
        "tick", (json_int_t)ramp->tick, "read", (json_int_t)ramp->read_ms, "fresh", ramp->fresh, "on_share", (json_int_t)ramp->on_share_ms,
        "judged", (json_int_t)ramp->judged_ms, "total", (json_int_t)ramp->total_ms, "blind", (json_int_t)ramp->blind_ms, "canary",
        (json_int_t)ramp->canary, "baseline", (json_int_t)ramp->baseline, "unanswered", (json_int_t)ramp->unanswered_ms, "open",
        (json_int_t)ramp->open, "restarts", (json_int_t)ramp->restarts, "extended", ramp->extended, "because",
        because_names[ramp->because]);
}

static enum ramp_because because_from(const char *name)
{
    for (int i = 0; i < RAMP_BECAUSE_COUNT; i++)
        if (text_equal(because_names[i], name)) return (enum ramp_because)i;
    return RAMP_NO_DATA;
}

int ramp_from_json(const json_t *json, const struct ramp_rules *rules, struct ramp *ret, struct error *err)
{
    static const char *const counts[] = {"index", "tick", "on_share", "judged", "total", "blind", "canary", "baseline"};
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (json_whole(json, counts[i], -1) < 0)
            return error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint's ramp has no count \"%s\"", counts[i]);
    if (json_whole(json, "index", 0) > (int64_t)rules->share_count)
        return error_set(err, ERROR_INVALID, NOWHERE, "the checkpoint is at a share that the policy does not have");
    *ret = (struct ramp){.index = (uint32_t)json_whole(json, "index", 0),
        .tick = (uint64_t)json_whole(json, "tick", 0),
        .read_ms = json_whole(json, "read", 0),
        .fresh = json_flag(json, "fresh", true),
        .on_share_ms = json_whole(json, "on_share", 0),
        .judged_ms = json_whole(json, "judged", 0),
        .total_ms = json_whole(json, "total", 0),
        .blind_ms = json_whole(json, "blind", 0),
        .canary = (uint64_t)json_whole(json, "canary", 0),
        .baseline = (uint64_t)json_whole(json, "baseline", 0),
        .unanswered_ms = json_whole(json, "unanswered", 0),
        .open = (uint64_t)json_whole(json, "open", 0),
        .restarts = (uint64_t)json_whole(json, "restarts", 0),
        .extended = json_flag(json, "extended", false),
        .because = because_from(json_text(json, "because", NULL))};
    return 0;
}
