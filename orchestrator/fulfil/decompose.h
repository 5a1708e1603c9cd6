/* decompose.h: a checked order becomes a plan (docs/formats/plan.md): a stage an item, all of one scope. Pure. */
#ifndef CRESCENDO_FULFIL_DECOMPOSE_H
#define CRESCENDO_FULFIL_DECOMPOSE_H

#include <jansson.h>

/* Where things are on the core's machine: absolute folders. */
struct fulfil_places {
    const char *keepers;   /* keepers/NAME for each domain of the process driver */
    const char *artifacts; /* artifacts/HEX */
};

/* checked: what order_check made. Stage N is "item-N", in the order of the items; behind them, of an order that begins later, "start",
   which all of them wait for. New reference. */
json_t *order_decompose(const json_t *checked, const struct fulfil_places *places);
/* "item-1" for 0. Caller frees. */
char *order_stage_path(size_t index);

#endif
