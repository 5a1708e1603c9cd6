/* project.h: what an order's run means in TM Forum's words: the order's document and those of the services that it makes, changes and ends.
   Functions of the run's state and of the checked order in run_accepted's data, nothing else. Pure. */
#ifndef CRESCENDO_FULFIL_PROJECT_H
#define CRESCENDO_FULFIL_PROJECT_H

#include "run/engine.h"

#define ORDER_BASE "/tmf-api/serviceOrdering/v4"
#define INVENTORY_BASE "/tmf-api/serviceInventory/v4"

/* The ServiceOrder; new reference. */
json_t *project_order(const struct run_view *view);
/* An array of Services; new reference. */
json_t *project_services(const struct run_view *view);

/* How many of the plan's stages are items: the first ones. */
uint32_t order_item_count(const struct plan *plan);
/* When it was begun; 0 = not yet. */
int64_t order_begun_ms(const struct run_state *state);
/* It is to begin later. */
bool order_is_ahead(const struct run_state *state);

/* TM Forum's states of an order, and of its item, which is the stage of the same position. */
const char *order_state(const struct run_state *state);
const char *item_state(const struct run_state *state, uint32_t stage);
/* Its item is completed, as far as a cancel that is under way has not undone it. */
bool item_is_done(const struct run_state *state, uint32_t stage);
/* Is it too late to go back: has an effect been begun that nothing undoes? */
bool order_is_past_pivot(const struct run_state *state);
/* Why an order that is not at rest cannot be cancelled, as the end of a sentence about it; NULL: it can. */
const char *order_cancel_denial(const struct run_state *state);

/* The effect of this name in the stage's first step; NULL = not intended yet. */
const struct effect_state *stage_effect(const struct run_state *state, uint32_t stage, const char *name);
bool stage_effect_is_done(const struct run_state *state, uint32_t stage, const char *name);
/* The run is at rest and did not succeed: what its items did was undone. */
bool order_is_undone(const struct run_state *state);

#endif
