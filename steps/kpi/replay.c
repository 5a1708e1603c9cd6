/* replay.c: feeds the recorded statistics again, in their order, and writes down what E becomes. */
#include "steps/kpi/replay.h"

#include "base/json.h"
#include "base/text.h"
#include "steps/kpi/rules.h"

#include <stdio.h>

struct replay {
    size_t count;
    struct judged_kpi kpis[RULES_KPIS_MAX];
    struct evidence evidence[RULES_KPIS_MAX];
    int64_t tick; /* the last one's number; 0 = none yet */
};

static int refuse(struct error *err, const char *what)
{
    return error_set(err, ERROR_INVALID, NOWHERE, "these are not a canary's checkpoints: %s", what);
}

static int begin_kpi(struct replay *replay, const json_t *kpi, struct error *err)
{
    struct judged_kpi *judged = &replay->kpis[replay->count];
    double carried = json_number_value(json_object_get(kpi, "carried"));
    const char *name = json_text(kpi, "kpi", "");
    if (!text_is_name(name)) return refuse(err, "a KPI has no name");
    int failed = kpi_rules_from_json(json_object_get(kpi, "rules"), &judged->rules, err);
    if (failed) return failed;
    snprintf(judged->name, sizeof judged->name, "%s", name);
    evidence_init(&replay->evidence[replay->count], &judged->rules);
    if (carried != 0) evidence_carry(&replay->evidence[replay->count], carried);
    replay->count++;
    return 0;
}

static int begin(struct replay *replay, const json_t *kpis, struct error *err)
{
    size_t index;
    json_t *kpi;
    if (replay->count || !json_array_size(kpis)) return 0;
    if (json_array_size(kpis) > RULES_KPIS_MAX) return refuse(err, "they have more KPIs than there may be");
    json_array_foreach(kpis, index, kpi)
    {
        int failed = begin_kpi(replay, kpi, err);
        if (failed) return failed;
    }
    return 0;
}

static void put_again(const struct replay *replay, size_t i, json_t *into)
{
    evidence_put(into, &replay->evidence[i], &replay->kpis[i].rules);
}

static int feed_again(struct replay *replay, json_t *kpis, struct error *err)
{
    if (json_array_size(kpis) != replay->count) return refuse(err, "a tick has other KPIs than its rules");
    for (size_t i = 0; i < replay->count; i++) {
        json_t *recorded = json_array_get(kpis, i);
        struct kpi_tick tick;
        if (!text_equal(json_text(recorded, "kpi", NULL), replay->kpis[i].name)) return refuse(err, "a tick's KPIs are in another order");
        int failed = kpi_tick_from_json(recorded, &replay->kpis[i].rules, &tick, err);
        if (failed) return failed;
        evidence_feed(&replay->evidence[i], &replay->kpis[i].rules, &tick);
        put_again(replay, i, recorded);
    }
    return 0;
}

static int replay_ticks(struct replay *replay, json_t *ticks, struct error *err)
{
    size_t index;
    json_t *tick;
    json_array_foreach(ticks, index, tick)
    {
        int64_t number = json_whole(tick, "tick", 0);
        if (number != replay->tick + 1) return refuse(err, "the ticks are not numbered on");
        replay->tick = number;
        int failed = json_flag(tick, "used", false) ? feed_again(replay, json_object_get(tick, "kpis"), err) : 0;
        if (failed) return failed;
    }
    return 0;
}

static void replay_verdict(const struct replay *replay, json_t *verdict)
{
    json_t *kpis = json_object_get(verdict, "kpis");
    const char *deciding = json_text(verdict, "kpi", NULL);
    for (size_t i = 0; i < replay->count && i < json_array_size(kpis); i++) {
        put_again(replay, i, json_array_get(kpis, i));
        if (text_equal(deciding, replay->kpis[i].name)) put_again(replay, i, verdict);
    }
}

int kpi_replay(json_t *checkpoints, struct error *err)
{
    struct replay replay = {0};
    size_t index;
    json_t *checkpoint;
    if (!json_is_array(checkpoints)) return refuse(err, "they are no list");
    json_array_foreach(checkpoints, index, checkpoint)
    {
        int failed = begin(&replay, json_object_get(checkpoint, "kpis"), err);
        if (!failed) failed = replay_ticks(&replay, json_object_get(checkpoint, "ticks"), err);
        if (failed) return failed;
        replay_verdict(&replay, json_object_get(checkpoint, "verdict"));
    }
    return 0;
}
