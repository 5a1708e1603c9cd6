/* place.h: where in its file a complaint about a value belongs. A step type's describe sees values only; its message begins with the key,
   like "policy.kpis.latency.tolerate: ...", and that is looked for where the value was written. */
#ifndef CRESCENDO_SPEC_PLACE_H
#define CRESCENDO_SPEC_PLACE_H

#include "spec/yaml.h"

/* The node that the key at the beginning of message leads to, as far as it can be followed; NULL where it cannot at all. Of a list of maps
   a word means the map that has it as a value: { kpi: latency }. map may be NULL. */
const struct yaml_node *place_of(const struct yaml_node *map, const char *message);

#endif
