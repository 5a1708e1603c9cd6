/* trouble.h: what a domain tells of a canary that the records of its requests do not: instances that stop by themselves, and requests that
   are not answered. In numbers and in words. Pure. */
#ifndef CRESCENDO_STEPS_KPI_TROUBLE_H
#define CRESCENDO_STEPS_KPI_TROUBLE_H

#include "base/text.h"
#include "steps/kpi/canary.h"

/* instances: of the domain's description, an array. Those of the canary's service are counted on from what was told before, which is what
   the checkpoint keeps: a keeper that was started again counts from 0. The first telling counts nothing, nor do those that are more than
   replicas, which the keeper ends. Returns the restarts since. */
uint64_t trouble_note_instances(struct canary *canary, const json_t *instances, int64_t replicas);

/* "14 requests to 2.0.0 are not answered yet" */
void trouble_add_open(struct text *line, const struct canary *canary, uint64_t open);

/* "2.0.0 stopped by itself 2 times"; and how, of any length: ": exited with code 3; its last output: no such table" */
void trouble_add_restarts(struct text *line, const struct canary *canary);
void trouble_add_ending(struct text *line, const struct canary *canary);

/* "2.0.0 answered none of its requests for 30 s, of which 140 wait; 1.0.0 answers" */
void trouble_add_unanswered(struct text *line, const struct canary *canary);

#endif
