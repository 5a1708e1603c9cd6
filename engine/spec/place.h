/* place.h: where in its file a complaint about a value belongs. A step type's describe sees values only; its message begins with the key,
   like "policy.kpis.latency.tolerate: ...", and that is looked for where the value was written. */
#ifndef CRESCENDO_SPEC_PLACE_H
#define CRESCENDO_SPEC_PLACE_H

#include "spec/pipeline.h"
#include "spec/yaml.h"

/* The node that the key at the beginning of message leads to, as far as it can be followed; NULL where it cannot at all. Of a list of maps
   a word means the map that has it as a value: { kpi: latency }. map may be NULL. */
const struct yaml_node *place_of(const struct yaml_node *map, const char *message);

/* Where the name of the step's domain was written: in the step, or in the `with` of the stage that uses the step's file, where it is just
   that parameter. use may be NULL: nobody uses it. */
struct location place_of_domain(const struct pipeline_step *step, const struct pipeline_stage *use);

#endif
