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
enum replay_how { REPLAY_UNREACHED, REPLAY_TAKEN, REPLAY_DECIDED, REPLAY_SETTLED };
struct replay_place {
    enum replay_how how; /* how the walk can have come here: REPLAY_UNREACHED, it cannot */
    size_t from;         /* and from where: an index of events */
};
struct replaying {
    const struct replay *replay;
    struct run_state *state; /* before events[at]; owned */
    size_t at;
    bool is_thorough;            /* every way to go on is looked for, not only the first */
    struct replay_place *places; /* one for each event and one for the end; owned */
    size_t furthest;             /* that was reached */
};
/* Do the events from `at` on begin with the list? Notes where that leads. true: no other way need be looked for. */
bool replay_follows(struct replaying *replaying, const struct event_list *list, enum replay_how how);
/* replay_decide.c: decides with all that decide can have been told, until the events from `at` on follow. */
bool replay_decide(struct replaying *replaying);
bool replay_is_decision(const struct run_state *state, const struct event *event);
/* Appends what is decided at the time of events[at], where nothing says that anything stood in the way. */
void replay_instead(struct replaying *replaying, struct event_list *list);
/* replay_turns.c: what can have been told of the turns of others. */
struct replay_turns {
    struct turn *turns; /* by claim; owned; NULL: the plan has none */
    char **words;       /* by claim: who stands in the way; owned */
};
/* As the first so many events of this instant say that tell anew of a claim; of the other claims, as before. Returns how many there are:
   at most `told`. Release with replay_turns_release. */
uint32_t replay_turns_read(const struct replaying *replaying, size_t instant, uint32_t told, struct replay_turns *turns);
void replay_turns_release(const struct replaying *replaying, struct replay_turns *turns);
/* replay_settle.c: settles with every report or line that can have told what events[at] tells, until the events from `at` on follow. */
bool replay_settle(struct replaying *replaying);
bool replay_is_settled(const struct run_state *state, const struct event *event);

#endif
