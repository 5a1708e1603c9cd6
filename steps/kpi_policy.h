/* kpi_policy.h: by what a canary is judged: the policy of the domain's owner, made stricter by the pipeline, never laxer. Pure; used when a
   step is planned and when it is performed. */
#ifndef CRESCENDO_STEPS_KPI_POLICY_H
#define CRESCENDO_STEPS_KPI_POLICY_H

#include "crescendo/error.h"
#include "crescendo/field.h"

#include <jansson.h>
#include <stdint.h>

enum { POLICY_SHARES_MAX = 20, POLICY_KPIS_MAX = 20 };

/* What `policy:` of a kpi step may hold: the same keys as the domain's, without defaults. */
extern const struct field kpi_policy_fields[];

/* Is what a pipeline says of a policy sound in itself: shares that rise, each KPI once, no key of another KPI? -ERROR_INVALID says what is
   not. NULL is. */
int kpi_policy_check(const json_t *stricter, struct error *err) MUST_CHECK;

/* The typed policy of a domain's file (docs/reference/domain.md, the map itself) with what the pipeline says laid over it. *ret: the typed
   policy with every default filled in, caller's. -ERROR_DENIED where the pipeline's is laxer, saying which key, both values, and in which
   direction stricter lies; -ERROR_INVALID where what comes out does not fit together. stricter may be NULL. */
int kpi_policy_merge(const json_t *domain, const json_t *stricter, json_t **ret, struct error *err) MUST_CHECK;

/* The SHA-256 of the canonical JSON of a merged policy, in hex. Caller frees. */
char *kpi_policy_digest(const json_t *policy);

#endif
