/* kpi_reading.h: what a canary's requests were since the last tick. Only performers use it. */
#ifndef CRESCENDO_STEPS_KPI_READING_H
#define CRESCENDO_STEPS_KPI_READING_H

#include "net/tmf/client.h"
#include "steps/kpi/canary.h"

struct arm_reading { /* of the canary, or of the baseline */
    double *values;  /* microseconds; owned */
    size_t count, capacity;
    uint64_t errors;
};

struct kpi_reading {
    struct arm_reading canary, baseline;
    bool gap;
    const struct canary *of; /* borrowed */
};

/* The place behind all that is recorded now, for the first tick to begin at. */
int kpi_reading_begin(const struct tmf_client *client, const char *family, char ret_next[PLACE_SIZE], struct error *err) MUST_CHECK;

/* Reads on from the canary's cursor, which is moved. Where the records cannot be read, the reading is stale and empty, the cursor stays,
   and people are told why; that is no failure. Blocks for some seconds at most. *ret borrows from *reading. */
void kpi_reading_take(
    const struct tmf_client *client, struct canary *canary, int64_t now_ms, struct kpi_reading *reading, struct canary_reading *ret);

/* What the domain tells of the canary's and the baseline's service beside the records (kpi_domain_perform.c): *ret says whether it did. One
   that does not, as another's core, is asked in vain, and that is no failure. Blocks for two seconds at most. */
void kpi_domain_look(const struct tmf_client *client, struct canary *canary, struct ramp_reading *ret);

void kpi_reading_release(struct kpi_reading *reading);

#endif
