/* replay.h: a run is decided once more: its events are folded one by one, and wherever one of them is a decision, the real decide
   and settle decide again. What came from outside (a report, a line of a step, a person, another run) is taken from the journal. Pure. */
#ifndef CRESCENDO_STATE_REPLAY_H
#define CRESCENDO_STATE_REPLAY_H

#include "state/state.h"

struct replay {
    const struct plan *plan;
    const struct event *events; /* of the run, all, in their order */
    size_t count;
};

struct replay_result {
    size_t decided; /* by decide: what happens next */
    size_t settled; /* by settle: what a report or a line means */
    size_t taken;   /* from outside, as they are: acceptance, people, other runs, leases */
    bool same;
    size_t at;         /* where they differ: an index of events */
    json_t *decisions; /* what was decided there instead: an array of {type, step, time_ms, data}; caller's; NULL where they are the same */
};

/* Recomputes every decision and compares it to the byte. An event that does not fold is an error (`fsck` tells more). */
int replay_decisions(const struct replay *replay, struct replay_result *ret, struct error *err) MUST_CHECK;

/* --- what its files share --- */
struct replaying {
    const struct replay *replay;
    struct run_state *state; /* before events[at]; owned */
    size_t at;
};
/* Do the events from `at` on begin with the list (in any order, where any_order)? */
bool replay_matches(const struct replaying *replaying, const struct event_list *list, bool any_order);
/* replay_decide.c: how many events from `at` on decide makes at once; 0: others. *ret_list then holds what it makes at that time. */
size_t replay_decide(const struct replaying *replaying, struct event_list *ret_list);
bool replay_is_decision(const struct run_state *state, const struct event *event);
/* replay_settle.c: how many events from `at` on follow from one report or line that tells what the first of them tells; 0: none does. */
size_t replay_settle(const struct replaying *replaying);
bool replay_is_settled(const struct run_state *state, const struct event *event);

#endif
