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
    char line[200];
};

/* --- the shim's processes --- */
enum process_state { PROCESS_HELD, PROCESS_LIVES, PROCESS_GONE };
enum process_phase { PHASE_WORK, PHASE_INTENDED, PHASE_TELLS, PHASE_OVER, PHASE_CONFIRMS, PHASE_FINDS };
struct process {
    uint32_t step, attempt, after;
    enum process_state state;
    enum process_phase phase;
    bool is_ok; /* PROCESS_GONE: ended as a success, as far as the shim can tell */
    bool is_cancelled;
    bool has_effect, was_absent, was_refused, was_unsure, is_parking;
    bool undoes;          /* it was started to compensate */
    bool finds, keeps;    /* then: what it is to find out first; that is all */
    int64_t next_ms;      /* when it does something */
    char answers[8][200]; /* said to it, not yet read */
    uint32_t answer_count;
};
struct shim {
    bool lives;
    struct process *processes;
    size_t count, capacity;
    struct wire *wires; /* all that the run's shims ever reported; sequence number = index + 1 */
    size_t wire_count, wire_capacity;
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
    char line[200];
};

struct engine { /* all of it but the plan is forgotten in a crash */
    struct run_state *state;
    struct event_list outbox;
    uint64_t sequence;        /* of the last report heard */
    uint32_t *handed, *ended; /* per step: the attempt that was sent to this shim, or asked to be ended */
    bool is_attached, must_advance, knows_shim;
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
    uint64_t seed;
    bool is_verbose, is_calm; /* calm: no more faults, so that the run must come to its end */
    int64_t now_ms;
    struct plan *plan;
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
    uint32_t acknowledged_votes, acknowledged_cancels, acknowledged_settled;
    uint32_t crash_budget, cancel_budget;
    uint64_t event_count, crash_count;
    const char *fault; /* what went wrong; NULL = nothing */
    char fault_text[512];
};

void random_plan(struct chance *chance, struct text *text);
void world_fault(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_say(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* shim.c */
void world_undo(struct world *world, uint32_t step); /* the peer takes back what it has of the step */
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
bool engine_hear(struct world *world); /* the next report, or that the shim is gone */
bool engine_advance(struct world *world);
bool engine_act(struct world *world);
bool engine_learn(struct world *world); /* that the leases are held */
int64_t engine_next_ms(const struct world *world);
void engine_release(struct world *world);

/* people.c */
bool engine_vote(struct world *world);
bool engine_cancel(struct world *world);
bool engine_settle(struct world *world); /* a person says what is so at the peer, or undoes by hand */

/* others.c */
void others_move(struct world *world);   /* sometimes one comes or goes */
bool others_let_go(struct world *world); /* what our run waits for; false: it waits for none of them */
void others_look(const struct world *world, struct turn *turns);
void others_check_start(struct world *world, uint32_t step); /* may it be handed over? */

/* check.c */
void check_state(struct world *world);   /* after every event */
void check_journal(struct world *world); /* the fold of the journal is the state */
void check_end(struct world *world);

#endif
