/* judged.h: on a domain whose owner has every version judged, nothing takes all requests without it. */
#ifndef CRESCENDO_SPEC_JUDGED_H
#define CRESCENDO_SPEC_JUDGED_H

#include "spec/pipeline.h"

struct judged_facts {
    const json_t *domains;   /* as in struct beside */
    const json_t *steps;     /* by stage, then by step: what is known of its `with`; {} of one that never runs */
    bool runs_after_failure; /* the file's stages go on when one before them failed: its user said so */
};

/* Every `promote` of the file on a domain with the policy `promotion: judged` needs a `kpi` of the same domain and service before it: in
   its stage, or in one that its stage needs, neither to be skipped nor allowed to fail. What lacks it is "denied" in *list. Pure. */
void judged_check(const struct pipeline *pipeline, const struct judged_facts *facts, struct diagnostics *list);

#endif
