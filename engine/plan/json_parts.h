/* json_parts.h: what the writer and the reader of a plan's JSON share. */
#ifndef CRESCENDO_PLAN_JSON_PARTS_H
#define CRESCENDO_PLAN_JSON_PARTS_H

/* In the order of reasons.def, whose position is the bit in struct retry; NULL-ended. */
extern const char *const plan_reason_names[];
/* By enum group_queue; NULL-ended. */
extern const char *const group_queue_names[];

#endif
