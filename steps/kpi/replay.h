/* replay.h: a recorded canary computed again from its statistics. The contract: docs/formats/evidence.md. Pure. */
#ifndef CRESCENDO_STEPS_KPI_REPLAY_H
#define CRESCENDO_STEPS_KPI_REPLAY_H

#include "crescendo/error.h"

#include <jansson.h>

/* checkpoints: as they were recorded; harm and clear of their ticks and of the verdict are computed again, in place. -ERROR_INVALID. */
int kpi_replay(json_t *checkpoints, struct error *err) MUST_CHECK;

#endif
