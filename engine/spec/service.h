/* service.h: service.yaml → typed JSON: what is deployed, in components, independent of where it runs. */
#ifndef CRESCENDO_SPEC_SERVICE_H
#define CRESCENDO_SPEC_SERVICE_H

#include "spec/pipeline.h"

enum { SERVICE_COMPONENTS_MAX = 64, SERVICE_GOALS_MAX = 64, SERVICE_PORTS_MAX = 32 };

/* Reads one file. *ret: what docs/reference/service.md says, with numbers in the units that it names; caller's. `components` are objects
   with one member, `compute`, `network` or `user`. All mistakes go to *list; after one *ret is not set and the return is -ERROR_INVALID.
   Pure. */
int service_load(const struct source *source, struct diagnostics *list, json_t **ret) MUST_CHECK;

/* The tables behind it, also the source of docs/reference/service.md. */
extern const struct field service_fields[], service_compute_fields[], service_health_fields[], service_scheduling_fields[],
    service_network_fields[], service_traffic_fields[], service_user_fields[], service_placement_fields[], service_goal_fields[];

#endif
