/* canary.h: a canary while it is judged: everything that must be known to go on, as the step's checkpoint holds it
   (docs/formats/evidence.md), and one tick from its reading to its decision. Pure. */
#ifndef CRESCENDO_STEPS_KPI_CANARY_H
#define CRESCENDO_STEPS_KPI_CANARY_H

#include "steps/kpi/rules.h"

enum { CHART_COLUMNS = 4, PLACE_SIZE = 24 };

/* The last levels that were drawn, oldest first: '0' to '7'. */
struct chart {
    char levels[CHART_COLUMNS + 1];
};

struct kpi_state {
    struct evidence evidence;
    double carried; /* log E of harm that an earlier wave handed on; 0 = none */
    struct chart harm, clear;
};

struct canary {
    const struct canary_rules *rules; /* borrowed; outlives it */
    char *id, *version;               /* of the canary; owned */
    char *baseline, *baseline_version, *family, *policy;
    double previous; /* the canary's share before, in percent */
    char cursor[PLACE_SIZE];
    struct ramp ramp;
    struct kpi_state kpis[RULES_KPIS_MAX];
    json_t *shift;     /* {index, body}: a change of share that is under way; NULL = none */
    json_t *verdict;   /* NULL = none yet */
    char *undoing;     /* the effect whose undoing has begun; NULL = none */
    json_t *instances; /* restarts of each of the canary's instances, as last told; NULL = never told */
    char *ending;      /* how the last of them ended; NULL = not known */
    bool told_changed; /* people know that the domain's policy was changed since */
};

/* What was read since the last tick. Values in any unit. */
struct canary_reading {
    struct ramp_reading counts;
    const double *canary, *baseline;         /* latencies; as many as counts says */
    uint64_t canary_errors, baseline_errors; /* of these */
};

/* What became of it. */
struct canary_tick {
    int64_t lasted_ms;
    double share;
    uint32_t index;
    struct kpi_tick kpis[RULES_KPIS_MAX]; /* where it was used */
    struct ramp_decision decision;
};

void canary_init(struct canary *canary, const struct canary_rules *rules);
void canary_release(struct canary *canary);

/* An earlier wave's output `evidence`; what was judged more strictly than here, or was of the same rules, counts on. NULL, or what is no
   such text: nothing. Before the first tick. Returns how many KPIs go on. */
size_t canary_carry(struct canary *canary, const char *evidence);

/* Takes a reading in: time, guards, evidence, charts, decision. seed: of this tick alone. */
void canary_judge(struct canary *canary, const struct canary_reading *reading, uint64_t seed, struct canary_tick *ret);

/* The verdict of a decision with one, without its words. New. */
json_t *canary_verdict(const struct canary *canary, const struct ramp_decision *decision, const char *words);

/* The output `evidence` once there is a verdict: one line. Caller frees. */
char *canary_evidence(const struct canary *canary);

/* A tick as it goes on record. New. */
json_t *canary_tick_to_json(const struct canary *canary, const struct canary_reading *reading, const struct canary_tick *tick);

/* The checkpoint with the ticks that it adds (stolen; NULL = none). New. */
json_t *canary_to_json(const struct canary *canary, json_t *ticks);
/* -ERROR_INVALID: it is no such checkpoint. */
int canary_from_json(const json_t *json, const struct canary_rules *rules, struct canary *ret, struct error *err) MUST_CHECK;

#endif
