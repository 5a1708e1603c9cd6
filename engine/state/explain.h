/* explain.h: why a run is where it is: one causal chain, from who began it over what it did outside to how it stands, and what it waits for
   now. Not a log: what went well without a trace outside is summed up, so a run of many steps explains itself in about a dozen lines. Pure.
 */
#ifndef CRESCENDO_STATE_EXPLAIN_H
#define CRESCENDO_STATE_EXPLAIN_H

#include "base/text.h"
#include "state/state.h"

struct explanation;
struct explanation *explanation_new(void);
void explanation_free(struct explanation **explanation);

/* An event that reduce has folded; state is the one that holds it. All of a run's events, in order, and all with the same plan. */
void explanation_add(struct explanation *explanation, const struct run_state *state, const struct event *event);

/* docs/formats/api.md: {run, state, reason, message, step, chain: [LINK, ...], now: [WAIT, ...]}; caller's. path: a step's or a stage's;
   then only what concerns it is told, and what its stage needed. NULL: the whole run. A path that the plan does not have: NULL. */
json_t *explanation_tell(const struct explanation *explanation, const struct run_state *state, const char *path, int64_t now_ms);
/* An E from its natural logarithm, as people read it: "0.3", "41", ">1e6". */
void explain_add_evidence(struct text *out, double logarithm);

/* How the canary that this step judges stands, in a few words: "25 % for 1 m 20 s, ...". false: it judges none, or has a verdict.
   explanation may be NULL. */
bool explanation_canary(const struct explanation *explanation, const struct run_state *state, uint32_t step, struct text *out);

/* The same in two lines of less than 80 columns: "judging 25 % for 20.0 s of at least 10.0 s" and "harm latency 1.5 of 200; clear latency
   0.9 of 20, errors 1.4 of 20". */
bool explanation_canary_short(
    const struct explanation *explanation, const struct run_state *state, uint32_t step, struct text *ret_time, struct text *ret_evidence);

#endif
