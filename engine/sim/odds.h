/* odds.h: what goes wrong in the simulated world, and how likely that is in a scenario that a user names. Where a world has no odds, those
   of the proof count, which stand where the lot is drawn. */
#ifndef CRESCENDO_SIM_ODDS_H
#define CRESCENDO_SIM_ODDS_H

#include "plan/plan.h"

enum fault {
#define FAULT(name, where, help) FAULT_##name,
#include "sim/faults.def"
#undef FAULT
    FAULT_COUNT
};
const char *fault_name(enum fault fault);
const char *fault_help(enum fault fault); /* a sentence without its full stop */

enum peer_kind {
    PEER_DEDUPES, /* a second order with a key is the first one */
    PEER_KEYED,   /* can be asked by key, and what it does not have was not ordered, once no request can be under way any more */
    PEER_FORGETS, /* can be asked by key, but what it does not have may have been ordered */
    PEER_BLIND,   /* cannot be asked */
    PEER_KIND_COUNT
};

enum verdict { VERDICT_PROMOTE, VERDICT_HARM, VERDICT_NO_DATA };

/* What is done about an effect, in truth. */
enum act { ACT_SENDS, ACT_ASKS, ACT_MAKES };

/* What a stage must have, so that a scenario can touch it. */
enum target { TARGET_ANY, TARGET_EFFECT, TARGET_CANARY, TARGET_APPROVAL };

struct odds {
    const char *name, *help;
    const char *seen; /* what to look at in the story */
    enum target target;
    unsigned ends;                /* as bits 1 << enum run_status: how a run that it touches may end */
    uint8_t percent[FAULT_COUNT]; /* each time that it may happen; of what meets the whole run, in a thousand things that happen */
    uint8_t fault_limit;          /* faults in a run, at most; 0 = 12 */
    uint8_t step_fails;           /* percent: a step without effects ends badly */
    uint8_t step_hangs;           /* percent: a step hangs until its timeout ends it */
    uint8_t undo_fails;           /* percent: an attempt to undo ends badly */
    enum peer_kind kind;          /* of what is ordered from; PEER_DEDUPES stands for PEER_KEYED */
    enum verdict verdict;         /* of canaries */
    bool is_absent;               /* nobody approves, rejects or settles anything */
};

/* The table, in the order of the help; NULL-name-ended. */
extern const struct odds scenarios[];
const struct odds *scenario_find(const char *name); /* NULL: there is none */
bool scenario_touches(const struct odds *odds, const struct plan *plan, const struct plan_stage *stage);
bool scenario_touches_any(const struct odds *odds, const struct plan *plan); /* a stage of the plan */

#endif
