/* kpi_policy_check.h: what must hold of a merged policy, beside what each key says. Pure. */
#ifndef CRESCENDO_STEPS_KPI_POLICY_CHECK_H
#define CRESCENDO_STEPS_KPI_POLICY_CHECK_H

#include "crescendo/error.h"

#include <jansson.h>

/* Does a domain's policy have all that a canary needs? One of a plan that an older version made has not. */
int kpi_policy_check_whole(const json_t *domain, struct error *err) MUST_CHECK;

/* Do the parts of a merged policy fit together: what is tolerated and what must be excluded, the times, the shares? */
int kpi_policy_check_fit(const json_t *policy, struct error *err) MUST_CHECK;

#endif
