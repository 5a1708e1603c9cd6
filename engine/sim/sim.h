/* sim.h: the simulated world: one run, the engine that drives it with the real reduce, decide and settle, a shim with its
   processes, a journal that may lose what was not committed, a peer that counts what was ordered, people. */
#ifndef CRESCENDO_SIM_SIM_H
#define CRESCENDO_SIM_SIM_H

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/step.h"
#include "sim/odds.h"
#include "sim/random.h"
#include "state/state.h"

/* --- what crosses the socket between shim and engine; kept by the shim until acknowledged --- */
struct wire {
    enum { WIRE_REPORT, WIRE_LINE } kind;
    enum report_type type;
    uint32_t step, attempt;
    int64_t time_ms;
    enum exit_cause cause;
    int exit_code, signal;
    bool gives_output;
    char *line; /* owned */
};

struct coverage { /* how often each fault met an effect in each state */
    uint64_t met[FAULT_COUNT][EFFECT_STATUS_COUNT];
};

/* --- the shim's processes --- */
enum process_state { PROCESS_HELD, PROCESS_LIVES, PROCESS_GONE };
enum process_phase {
    PHASE_WORK,
    PHASE_INTENDED, /* waits for go, known or find */
    PHASE_SENDS,    /* waits for the peer's reply */
    PHASE_LOOKS,    /* waits for what the peer finds */
    PHASE_LIFE,     /* waits until what was sent before cannot arrive any more */
    PHASE_TELLS,    /* waits until the outcome is on record */
    PHASE_PAUSES,   /* before it tries a failed send again */
    PHASE_RESTS,    /* waits until an order that is to be undone is at rest */
    PHASE_CONFIRMS,
    PHASE_KEEPS, /* waits until its checkpoint is on record */
    PHASE_OVER
};
enum look { LOOK_ASKED, LOOK_FAILED, LOOK_UNDO }; /* the engine said `find`; a send failed; it is to be undone */
enum then { THEN_GO_ON, THEN_INTEND, THEN_PAUSE, THEN_FAIL, THEN_END };
/* Where a step that judges is in its source, which holds one record more every few milliseconds (ticks.c): its checkpoint. */
struct tick_place {
    int64_t first, cursor, fed, ticks;
};
/* Where a canary is on its way (canary.c): its checkpoint, too. */
struct canary_place {
    int64_t share, ticks; /* the share that it has, counted from 1, and for how many ticks; 0 = none yet */
    bool has_begun, has_verdict, is_harm, is_back;
};
/* What one that undoes was told to undo: its input's list, newest first. */
struct undoing {
    char key[65];
    const char *name;  /* of the effect, borrowed from the plan */
    bool finds, keeps; /* what it is to find out first; that is all */
    int64_t told_ms;   /* by the clock: who sends it was told to go then; 0 = not known */
};
enum { UNDOINGS_MAX = 16, SERVICE_BYTES = 120 };
struct process {
    uint32_t step, attempt, after;
    enum process_state state;
    enum process_phase phase;
    enum look look;
    enum then then; /* once the outcome is on record */
    bool is_unsure; /* it said that nobody can tell */
    bool is_ok;     /* PROCESS_GONE: ended as a success, as far as the shim can tell */
    bool is_cancelled, has_effect, is_parking, is_partial, has_said_hello, hangs;
    bool undoes; /* it was started to compensate */
    struct undoing undoings[UNDOINGS_MAX];
    uint32_t undoing_count, at_undoing;
    bool of_undo;                /* the effect that it is at is `undo order`, not `order` */
    uint32_t effect;             /* its place among the step's effects, as planned */
    char service[SERVICE_BYTES]; /* that it is about; "" = none */
    bool adopts;                 /* a person says that the effect was done, and that counts where the peer cannot tell (a user's world) */
    bool repeats;                /* the peer has nothing and knows a repetition: it is intended again while it is open */
    int64_t began_ms;            /* what an earlier process sent had left by then */
    int64_t sent_ms;             /* what it sent itself was given up; 0 = it sent nothing */
    int64_t told_ms;             /* by the clock: an earlier one, or itself, was told to go; 0 = not known */
    int64_t sends;               /* so often */
    uint32_t pauses;
    uint64_t request; /* the number of the request whose reply it waits for */
    int64_t kill_ms;  /* is_cancelled: its grace is over */
    int64_t next_ms;  /* when it does something */
    char key[65];     /* of the effect that it is at */
    char **answers;   /* said to it, not yet read; owned */
    size_t answer_count, answer_capacity;
    struct tick_place place; /* of one that judges */
    struct canary_place canary;
};
struct shim {
    bool lives;
    struct process *processes;
    size_t count, capacity;
    struct wire *wires; /* all that the run's shims ever reported; sequence number = index + 1 */
    size_t wire_count, wire_capacity;
};

/* --- the peer (peer.c): takes requests by key, with everything that may happen to them on the way --- */
enum reply { REPLY_DONE, REPLY_PARTIAL, REPLY_NOTHING, REPLY_REFUSED, REPLY_ERROR };
struct request {
    uint64_t number;
    uint32_t step, attempt, effect;
    bool finds, of_undo, is_reply; /* is_reply: on its way back */
    enum reply reply;
    int64_t arrives_ms;
    char key[65], service[SERVICE_BYTES];
};
struct order { /* a deployment, or one undone */
    uint32_t step;
    bool of_undo, is_forgotten, is_partial, is_cancelled;
    int64_t rests_ms;
    char key[65];
};
struct share { /* of the requests, that an order lends to a version until nobody renews it */
    bool lends, is_lent, has_lapsed;
    int64_t until_ms;
    char service[SERVICE_BYTES];
};
struct placed { /* what was sent to the peer for one key, in truth */
    uint32_t step, effect, sent, asked, made;
    bool of_undo;
    char key[65];
};
struct peer {
    enum peer_kind *kinds; /* by step */
    struct share *shares;  /* by step */
    struct request *requests;
    size_t request_count, request_capacity;
    struct order *orders;
    size_t order_count, order_capacity;
    struct placed *placed;
    size_t placed_count, placed_capacity;
    uint64_t number;
};

/* --- the journal: batches; committed ones survive --- */
struct batch {
    struct event_list events;
    uint64_t sequence; /* of the last report that it holds */
    bool is_durable;
    uint32_t votes, cancels, settled; /* people who wait for this batch to be told that it counts */
};
struct journal_model {
    struct batch *batches;
    size_t count, capacity, committed;
};

struct saying {
    uint32_t step, attempt;
    char *line; /* owned */
};

struct engine { /* all of it but the plan is forgotten in a crash */
    struct run_state *state;
    struct event_list outbox;
    uint64_t sequence;        /* of the last report heard */
    uint32_t *handed, *ended; /* per step: the attempt that was sent to this shim, or asked to be ended */
    uint64_t epoch;           /* of its start; it is in charge while the journal's is the same */
    bool is_attached, must_advance, knows_shim;
    uint64_t replay_to;               /* after a restart: the reports up to this one are heard before anything is done */
    bool must_repeat;                 /* then: answers that may have been lost */
    bool is_unsure;                   /* after a restart: whether leases are held is not known yet, so nothing new may begin */
    uint32_t votes, cancels, settled; /* in the outbox */
    struct saying *sayings;
    size_t saying_count, saying_capacity;
};

struct stale { /* a server that was replaced while it was paused (stale.c) */
    bool is_there;
    struct engine engine;
    struct journal_model queue; /* what it has not committed */
};

struct other { /* another run that is in the groups of a claim */
    bool is_in, is_newer;
    bool had_it_after_us; /* it came in after our run had given the claim back */
    uint32_t before;
};

/* Who looks on. All may be NULL. */
struct witness {
    void *context;
    void (*says)(void *context, int64_t now_ms, const char *line); /* each thing, for who looks for a fault of the model */
    void (*event)(void *context, const struct event *event);       /* is on disk; after a crash none comes twice */
    void (*fault)(void *context, int64_t now_ms, enum fault fault, uint32_t step, bool of_undo); /* NO_STEP: it meets the whole run */
    void (*act)(void *context, int64_t now_ms, enum act act, uint32_t step, uint32_t effect, bool of_undo);
};

struct world {
    struct chance chance;
    const struct odds *odds; /* of the scenario; NULL: those of the proof */
    step_types *types;       /* what outputs steps have; NULL: the plan's names alone */
    int64_t pace;            /* all times of the model are so many times longer; 0 = 1 */
    struct witness witness;
    struct coverage *coverage;
    uint32_t met[FAULT_COUNT];         /* how often each fault happened */
    uint32_t fault_count, fault_limit; /* how many there were; after which there are no more */
    bool is_calm;                      /* no more faults, so that the run must come to its end */
    int64_t now_ms;                    /* never goes back */
    int64_t clock_ms;                  /* what the machine's clock is ahead of it */
    bool is_settled_by_hand;           /* a person undoes what could not be undone, and says so */
    bool was_asked;                    /* a person, to settle something */
    int64_t leapt_ms;                  /* it was set forward then: what was told just before seems to be long ago; 0 = never */
    const struct plan *plan;
    struct peer peer;
    struct engine engine;
    struct shim shim;
    struct journal_model journal;
    uint64_t epoch; /* the journal's */
    struct stale stale;
    uint32_t *ordered;   /* per step: how often the peer has its order */
    uint32_t *undone;    /* per step: how often the peer was told to take it back */
    uint32_t *undone_at; /* per step: its place among all that was taken back */
    uint32_t undone_count;
    bool *by_hand;        /* per step: a person took it back, so that the peer has nothing to take back any more */
    struct other *others; /* by claim */
    struct turn *turns;   /* by claim; scratch */
    int64_t end_ms;       /* when the run came to its end */
    int64_t *kept_ticks;  /* per step: the last tick that is on record */
    uint32_t acknowledged_votes, acknowledged_cancels, acknowledged_settled;
    uint32_t crash_budget, cancel_budget;
    uint64_t event_count, crash_count;
    uint32_t orphan_count; /* orders that arrived after the run had given them up, since the clock leapt meanwhile */
    const char *fault;     /* what went wrong; NULL = nothing */
    char fault_text[512];
};

/* life.c */
void world_begin(struct world *world); /* chance, odds, types, pace, witness, coverage, fault_limit, now_ms, clock_ms and plan are set */
void world_live(struct world *world);  /* to the run's end, or until what must be true is not: world->fault */
void world_release(struct world *world);
void world_fault(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_say(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends all events of the run, also those that are not written yet. */
void world_past(const struct world *world, struct event_list *past);

/* What the machine's clock says. */
static inline int64_t world_clock(const struct world *world)
{
    return world->now_ms + world->clock_ms;
}

/* A time below that of the model, drawn by lot. */
static inline int64_t world_soon(struct world *world, uint32_t below_ms)
{
    return (int64_t)(chance_next(&world->chance) % ((uint64_t)below_ms * (uint64_t)world->pace));
}

/* Drawn by lot: the proof's odds, or the user's. Always one draw. */
static inline bool world_lot(struct world *world, uint32_t proof_percent, uint32_t user_percent)
{
    return chance_percent(&world->chance, world->odds ? user_percent : proof_percent);
}

/* faults.c */
/* Does it happen now, drawn by lot? Never in calm. It is noted with the state of the step's effect; NO_STEP: of all effects. */
bool fault_strikes(struct world *world, enum fault fault, uint32_t percent, uint32_t step, bool of_undo);
void fault_note(struct world *world, enum fault fault, uint32_t step, bool of_undo); /* it happens */
const char *fault_cannot_meet(enum fault fault, enum effect_status status);          /* why it never does; NULL: it may */

/* outputs.c */
const char *effect_name(const struct world *world, uint32_t step, uint32_t effect);
json_t *outputs_of(const struct world *world, uint32_t step);                       /* of a step that ended well; caller's */
void service_of(const struct world *world, uint32_t step, char ret[SERVICE_BYTES]); /* that it orders, or is about */

/* canary.c: a step that judges, and gives a version its shares: as steps/kpi_perform.c */
bool is_canary(const struct world *world, uint32_t step);
void canary_read(struct world *world, struct process *process);
void canary_work(struct world *world, struct process *process);
void canary_went_well(struct world *world, struct process *process); /* the share that it ordered */
void canary_kept(struct world *world, struct process *process);      /* its place, or its verdict, is on record */

/* peer.c */
/* No request arrives later than its life; no reply is waited for longer than patience; a step that is told to go has sent in that time. All
   times the pace. */
enum { REQUEST_LIFE_MS = 40, REQUEST_PATIENCE_MS = 15, SENDING_MS = 30 };
void peer_begin(struct world *world);
uint64_t peer_send(struct world *world, const struct process *process);
uint64_t peer_find(struct world *world, const struct process *process);
uint32_t effect_by_name(const struct world *world, uint32_t step, const char *name); /* 0 where there is none */
bool peer_step(struct world *world); /* a request or a reply arrives, if its time has come */
int64_t peer_next_ms(const struct world *world);
const struct order *peer_order(const struct world *world, const char *key); /* what is there in truth; NULL: nothing */
bool peer_cancel(struct world *world, uint32_t step, const char *key);      /* an order that is under way; false: denied */
void peer_note_settled(struct world *world, uint32_t step);     /* it is as it was before: nothing has to be ordered to undo it */
bool peer_is_at_rest(const struct world *world, uint32_t step); /* no request of the step is under way */
void peer_take_back(struct world *world, uint32_t step);        /* by a person's hand: what it has of the step */
void peer_release(struct world *world);

/* shares.c */
enum { LEASE_MS = 300 };
void share_begin(struct world *world);
void share_lend(struct world *world, uint32_t step, const char *service);
void share_give_back(struct world *world, uint32_t step);
void share_end(struct world *world, const char *service); /* whoever lent it: it has all requests now, or none */
bool share_step(struct world *world);                     /* the server renews what it holds; the domain takes back what nobody renewed */
int64_t share_next_ms(const struct world *world);
void share_check_end(struct world *world);

/* ticks.c */
bool is_judge(const struct world *world, uint32_t step);
void tick_read(struct world *world, struct process *process);        /* where the last process was */
void tick_judge(struct world *world, struct process *process);       /* one tick; it parks, or keeps its place and goes on */
void tick_kept(struct world *world, struct process *process);        /* its place is on record */
void tick_committed(struct world *world, const struct event *event); /* it is on disk */
void tick_check(struct world *world, const struct event *event);     /* before it is folded: none twice, none lost */
void tick_check_state(struct world *world);                          /* after a crash: what was said to be kept is there */

/* process.c */
char *process_read(struct world *world, struct process *process) /* its input, which is written when it is handed over; caller frees: */
    MUST_CHECK;                                                  /* why it cannot be written; NULL: it is */
void process_begin(struct world *world, struct process *process);
void process_do(struct world *world, struct process *process); /* one thing */
bool process_is_due(const struct world *world, const struct process *process);
void process_end(struct world *world, struct process *process, int exit_code);
void undone_one(struct world *world, struct process *process); /* the next that is to be undone, or the end */

/* effects.c: as steps/effects_perform.c */
void effect_begin(struct process *process); /* the next effect of a step that has several */
void effect_intend(struct world *world, struct process *process, bool of_undo);
void effect_look(struct world *world, struct process *process, enum look look);
void effect_hear_reply(struct world *world, struct process *process, enum reply reply);
void effect_hear_answer(struct world *world, struct process *process); /* the next that the engine gave */
void effect_time_out(struct world *world, struct process *process);    /* what it waited for did not come, or its pause is over */
void effect_went_well(struct world *world, struct process *process);   /* process.c: what follows */

/* shim.c */
struct wire *shim_report(struct world *world, const struct process *process, enum report_type type);
void shim_line(struct world *world, const struct process *process, const char *line);
void shim_finish(struct world *world, struct process *process, enum exit_cause cause, int exit_code);
struct process *shim_find(const struct world *world, uint32_t step, uint32_t attempt);
void shim_lose_power(struct world *world); /* dies, and the last reports are not on disk */
void shim_start(struct world *world, uint32_t step, uint32_t attempt, uint32_t after, bool undoes);
void shim_cancel(struct world *world, uint32_t step, uint32_t attempt);
void shim_tell(struct world *world, uint32_t step, uint32_t attempt, const char *line);
void shim_die(struct world *world);
bool shim_step(struct world *world); /* one process does one thing, if its time has come */
int64_t shim_next_ms(const struct world *world);
void shim_release(struct world *world);

/* engine.c */
void engine_fold(struct world *world, struct event_list *events); /* empties events */
void engine_write(struct world *world);                           /* what was folded becomes a batch of the journal */
bool engine_commit(struct world *world);
bool engine_hear(struct world *world);       /* the next report, or that the shim is gone */
bool engine_hear_again(struct world *world); /* an old report, or a line of an earlier attempt */
bool engine_advance(struct world *world);
bool engine_act(struct world *world);
bool engine_learn(struct world *world); /* that the leases are held */
int64_t engine_next_ms(const struct world *world);
void engine_tell_committed(const struct world *world, const struct batch *batch); /* to the witness */

/* restart.c */
void engine_begin(struct world *world);   /* the run is accepted */
void engine_crash(struct world *world);   /* forgets, then takes up what the journal has */
void engine_take_up(struct world *world); /* a new one, with what the journal has */
void engine_release(struct world *world);

/* stale.c */
void stale_begin(struct world *world); /* the server is paused, and another one takes its folder */
void stale_wake(struct world *world);  /* it goes on, and has to be refused */
void stale_release(struct world *world);

/* people.c */
bool engine_vote(struct world *world);
bool engine_cancel(struct world *world);
bool engine_lose_lease(struct world *world);     /* the domain has taken back what the run holds */
bool is_voters_turn(const struct world *world);  /* a step waits for approval */
bool is_persons_turn(const struct world *world); /* the run waits for one to settle or to cancel */
bool engine_settle(struct world *world);         /* a person says what is so at the peer, or undoes by hand */

/* others.c */
void others_move(struct world *world);   /* sometimes one comes or goes */
bool others_let_go(struct world *world); /* what our run waits for; false: it waits for none of them */
void others_look(const struct world *world, struct turn *turns);
void others_check_start(struct world *world, uint32_t step); /* may it be handed over? */

/* check.c */
void check_state(struct world *world);                                 /* after every event */
void check_hold(struct world *world, const struct event_list *events); /* before it is folded: nothing begins in doubt */
void check_journal(struct world *world);                               /* the fold of the journal is the state */
void check_decisions(struct world *world);                             /* nobody who was answered finds it gone */
void check_end(struct world *world);

#endif
