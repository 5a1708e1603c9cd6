/* rules.h: a canary's policy as numbers: how the ramp climbs, how each KPI is judged. Pure. */
#ifndef CRESCENDO_STEPS_KPI_RULES_H
#define CRESCENDO_STEPS_KPI_RULES_H

#include "steps/kpi/evidence.h"
#include "steps/kpi/ramp.h"

enum { RULES_KPIS_MAX = 20 };

struct judged_kpi {
    char name[64];
    struct kpi_rules rules;
};

struct canary_rules {
    struct ramp_rules ramp;
    size_t kpi_count;
    struct judged_kpi kpis[RULES_KPIS_MAX];
};

/* policy: merged, with every default (steps/kpi_policy.h). -ERROR_INVALID: it is no such policy. */
int canary_rules_read(const json_t *policy, struct canary_rules *ret, struct error *err) MUST_CHECK;

/* As the evidence holds them, and back. */
json_t *kpi_rules_to_json(const struct kpi_rules *rules);
int kpi_rules_from_json(const json_t *json, struct kpi_rules *ret, struct error *err) MUST_CHECK;

/* Puts `harm` and `clear`, the logarithms of E. JSON has no infinity: 1e300 decides the same. */
void evidence_put(json_t *into, const struct evidence *evidence, const struct kpi_rules *rules);
json_t *number_to_json(double value);

#endif
