/* sim.h: the simulated world: one run, the engine that drives it with the real reduce, decide and settle, a shim with its
   processes, a journal that may lose what was not committed, a peer that counts what was ordered, people. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/state.h"
#include "tests/sim/random.h"

/* --- what crosses the socket between shim and engine; kept by the shim until acknowledged --- */
struct wire {
    enum { WIRE_REPORT, WIRE_LINE } kind;
    enum report_type type;
    uint32_t step, attempt;
    int64_t time_ms;
    enum exit_cause cause;
    int exit_code, signal;
    bool gives_output;
    char line[240];
};

/* --- what goes wrong (faults.c) --- */
enum fault {
#define FAULT(name, where, help) FAULT_##name,
#include "tests/sim/faults.def"
#undef FAULT
    FAULT_COUNT
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
struct process {
    uint32_t step, attempt, after;
    enum process_state state;
    enum process_phase phase;
    enum look look;
    enum then then; /* once the outcome is on record */
    bool is_ok;     /* PROCESS_GONE: ended as a success, as far as the shim can tell */
    bool is_cancelled, has_effect, is_parking, is_partial;
    bool undoes;       /* it was started to compensate */
    bool finds, keeps; /* then: what it is to find out first; that is all */
    bool of_undo;      /* the effect that it is at is `undo order`, not `order` */
    bool was_found_absent;
    bool repeats;     /* the peer has nothing and knows a repetition: it is intended again while it is open */
    int64_t began_ms; /* what an earlier process sent had left by then */
    int64_t sent_ms;  /* what it sent itself was given up; 0 = it sent nothing */
    int64_t told_ms;  /* by the clock: an earlier one, or itself, was told to go; 0 = not known */
    int64_t sends;    /* so often */
    uint32_t pauses;
    uint64_t request;     /* the number of the request whose reply it waits for */
    int64_t kill_ms;      /* is_cancelled: its grace is over */
    int64_t next_ms;      /* when it does something */
    char key[65];         /* of the effect that it is at */
    char (*answers)[200]; /* said to it, not yet read */
    size_t answer_count, answer_capacity;
    struct tick_place place; /* of one that judges */
};
struct shim {
    bool lives;
    struct process *processes;
    size_t count, capacity;
    struct wire *wires; /* all that the run's shims ever reported; sequence number = index + 1 */
    size_t wire_count, wire_capacity;
};

/* --- the peer (peer.c): takes requests by key, with everything that may happen to them on the way --- */
enum peer_kind {
    PEER_DEDUPES, /* a second order with a key is the first one */
    PEER_KEYED,   /* can be asked by key, and what it does not have was not ordered, once no request can be under way any more */
    PEER_FORGETS, /* can be asked by key, but what it does not have may have been ordered */
    PEER_BLIND,   /* cannot be asked */
    PEER_KIND_COUNT
};
enum reply { REPLY_DONE, REPLY_PARTIAL, REPLY_NOTHING, REPLY_REFUSED, REPLY_ERROR };
struct request {
    uint64_t number;
    uint32_t step, attempt;
    bool finds, of_undo, is_reply; /* is_reply: on its way back */
    enum reply reply;
    int64_t arrives_ms;
    char key[65];
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
};
struct peer {
    enum peer_kind *kinds; /* by step */
    struct share *shares;  /* by step */
    struct request *requests;
    size_t request_count, request_capacity;
    struct order *orders;
    size_t order_count, order_capacity;
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
    char line[240];
};

struct engine { /* all of it but the plan is forgotten in a crash */
    struct run_state *state;
    struct event_list outbox;
    uint64_t sequence;        /* of the last report heard */
    uint32_t *handed, *ended; /* per step: the attempt that was sent to this shim, or asked to be ended */
    bool is_attached, must_advance, knows_shim;
    uint64_t replay_to;               /* after a restart: the reports up to this one are heard before anything is done */
    bool must_repeat;                 /* then: answers that may have been lost */
    bool is_unsure;                   /* after a restart: whether leases are held is not known yet, so nothing new may begin */
    uint32_t votes, cancels, settled; /* in the outbox */
    struct saying *sayings;
    size_t saying_count, saying_capacity;
};

enum { CLAIMS_MAX = 8 }; /* a random plan has at most seven stages */
struct other {           /* another run that is in the groups of a claim */
    bool is_in, is_newer;
    bool had_it_after_us; /* it came in after our run had given the claim back */
    uint32_t before;
};

struct world {
    struct chance chance;
    struct coverage *coverage;
    uint32_t fault_count, fault_limit; /* how many there were; after which there are no more */
    bool is_verbose, is_calm;          /* calm: no more faults, so that the run must come to its end */
    int64_t now_ms;                    /* never goes back */
    int64_t clock_ms;                  /* what the machine's clock is ahead of it */
    bool was_set_back;                 /* it was, once: then what woke a step may be told by no event */
    int64_t leapt_ms;                  /* it was set forward then: what was told just before seems to be long ago; 0 = never */
    struct plan *plan;
    struct peer peer;
    struct engine engine;
    struct shim shim;
    struct journal_model journal;
    uint32_t *ordered;   /* per step: how often the peer has its order */
    uint32_t *undone;    /* per step: how often the peer was told to take it back */
    uint32_t *undone_at; /* per step: its place among all that was taken back */
    uint32_t undone_count;
    bool *by_hand;           /* per step: a person took it back, so that the peer has nothing to take back any more */
    bool is_settled_by_hand; /* a person undoes what could not be undone, and says so */
    struct other *others;    /* by claim */
    int64_t *kept_ticks;     /* per step: the last tick that is on record */
    uint32_t acknowledged_votes, acknowledged_cancels, acknowledged_settled;
    uint32_t crash_budget, cancel_budget;
    uint64_t event_count, crash_count;
    bool was_asked;        /* a person, to settle something */
    uint32_t orphan_count; /* orders that arrived after the run had given them up, since the clock leapt meanwhile */
    const char *fault;     /* what went wrong; NULL = nothing */
    char fault_text[512];
};

/* A run of the simulator: a seed, and what is left out of it to see a fault better. */
enum { SCENARIO_STEPS_MAX = 1024 };
struct scenario {
    uint64_t seed;
    uint32_t fault_limit, stage_limit;
    bool without[SCENARIO_STEPS_MAX]; /* by step of the whole plan */
};
struct result {
    enum run_status end;
    uint32_t fault_count;
    uint64_t events, crashes, orphans;
    char fault[512]; /* "" = none */
};
struct result scenario_run(const struct scenario *scenario, bool is_verbose, struct coverage *coverage); /* main.c */

/* scenario.c */
void scenario_plan(const struct scenario *scenario, struct text *text);
void scenario_shrink(struct scenario *scenario); /* one that fails: to fewer stages, steps and faults, as long as it fails */
void scenario_print(const struct scenario *scenario);
bool scenario_read_steps(struct scenario *scenario, const char *list); /* "3,4" */

void random_plan(struct chance *chance, struct text *text);
void world_fault(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_say(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the machine's clock says. */
static inline int64_t world_clock(const struct world *world)
{
    return world->now_ms + world->clock_ms;
}

/* faults.c */
/* Does it happen now, drawn by lot? Never in calm. It is noted with the state of the step's effect; NO_STEP: of all effects. */
bool fault_strikes(struct world *world, enum fault fault, uint32_t percent, uint32_t step, bool of_undo);
void fault_note(struct world *world, enum fault fault, uint32_t step, bool of_undo); /* it happens */
/* Prints the table; false: a cell that can be was met less often than `least`. */
bool coverage_print(const struct coverage *coverage, uint64_t least);

/* peer.c */
/* No request arrives later than its life; no reply is waited for longer than patience; a step that is told to go has sent in that time. */
enum { REQUEST_LIFE_MS = 40, REQUEST_PATIENCE_MS = 15, SENDING_MS = 30 };
void peer_begin(struct world *world);
uint64_t peer_send(struct world *world, const struct process *process);
uint64_t peer_find(struct world *world, const struct process *process);
bool peer_step(struct world *world); /* a request or a reply arrives, if its time has come */
int64_t peer_next_ms(const struct world *world);
const struct order *peer_order(const struct world *world, const char *key); /* what is there in truth; NULL: nothing */
bool peer_cancel(struct world *world, uint32_t step, const char *key);      /* an order that is under way; false: denied */
bool peer_is_at_rest(const struct world *world, uint32_t step);             /* no request of the step is under way */
void peer_take_back(struct world *world, uint32_t step);                    /* by a person's hand: what it has of the step */
void peer_release(struct world *world);

/* shares.c */
enum { LEASE_MS = 300 };
void share_begin(struct world *world);
void share_lend(struct world *world, uint32_t step);
void share_give_back(struct world *world, uint32_t step);
bool share_step(struct world *world); /* the server renews what it holds; the domain takes back what nobody renewed */
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
void process_read(struct world *world, struct process *process); /* its input, which is written when it is handed over */
void process_begin(struct world *world, struct process *process);
void process_do(struct world *world, struct process *process); /* one thing */
bool process_is_due(const struct world *world, const struct process *process);
void process_end(struct world *world, struct process *process, int exit_code);

/* effects.c: as steps/effects_perform.c */
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
void engine_begin(struct world *world);                           /* the run is accepted */
void engine_crash(struct world *world);                           /* forgets, then takes up what the journal has */
bool engine_commit(struct world *world);
bool engine_hear(struct world *world);       /* the next report, or that the shim is gone */
bool engine_hear_again(struct world *world); /* an old report, or a line of an earlier attempt */
bool engine_advance(struct world *world);
bool engine_act(struct world *world);
bool engine_learn(struct world *world); /* that the leases are held */
int64_t engine_next_ms(const struct world *world);
void engine_release(struct world *world);

/* people.c */
bool engine_vote(struct world *world);
bool engine_cancel(struct world *world);
bool engine_lose_lease(struct world *world);     /* the domain has taken back what the run holds */
bool is_persons_turn(const struct world *world); /* the run waits for one to settle or to cancel */
bool engine_settle(struct world *world);         /* a person says what is so at the peer, or undoes by hand */

/* others.c */
void others_move(struct world *world);   /* sometimes one comes or goes */
bool others_let_go(struct world *world); /* what our run waits for; false: it waits for none of them */
void others_look(const struct world *world, struct turn *turns);
void others_check_start(struct world *world, uint32_t step); /* may it be handed over? */

/* check.c */
void check_state(struct world *world);     /* after every event */
void check_hold(struct world *world, const struct event_list *events); /* before it is folded: nothing begins in doubt */
void check_journal(struct world *world);   /* the fold of the journal is the state */
void check_decisions(struct world *world); /* nobody who was answered finds it gone */
void check_end(struct world *world);

#endif
