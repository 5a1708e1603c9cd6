/* state.h: what is known of a run, as the fold of its events, and what follows from it. Pure: no clock, no I/O.

   reduce.c   event → state           the only writer of struct run_state
   settle.c   report → events         what a supervisor's report or a step's line means
   decide.c   state, time → events    what shall happen next
   The shell (engine/run) appends every event to the journal, folds it with reduce, and acts by the state:
   a step in `starting` is to be handed to the shim, one in `cancelling` to be ended, one parked with a time to be timed.
   Acting is idempotent, so that after a restart the shell folds the journal and acts on what it finds.
   Invariants: decide and settle only make events that reduce accepts; decide on what it has decided makes nothing. */
#ifndef CRESCENDO_STATE_STATE_H
#define CRESCENDO_STATE_STATE_H

#include "plan/plan.h"

enum run_status {
#define RUN_STATE(name, rest, help) RUN_##name,
#include "crescendo/states.def"
#undef RUN_STATE
    RUN_STATUS_COUNT
};
enum step_status {
#define STEP_STATE(name, rest, help) STEP_##name,
#include "crescendo/states.def"
#undef STEP_STATE
    STEP_STATUS_COUNT
};
enum effect_status {
#define EFFECT_STATE(name, rest, help) EFFECT_##name,
#include "crescendo/states.def"
#undef EFFECT_STATE
    EFFECT_STATUS_COUNT
};
enum reason {
#define REASON(name, exit, help) REASON_##name,
#include "crescendo/reasons.def"
#undef REASON
    REASON_COUNT
};
enum wait {
#define WAIT(name, help) WAIT_##name,
#include "crescendo/waits.def"
#undef WAIT
    WAIT_COUNT
};
enum event_type {
#define EVENT(name, subject, class, payload) EVENT_##name,
#include "crescendo/events.def"
#undef EVENT
    EVENT_TYPE_COUNT
};
enum event_class { EVENT_CLASS_REDO, EVENT_CLASS_DURABLE };
enum event_subject { EVENT_SUBJECT_RUN, EVENT_SUBJECT_STEP, EVENT_SUBJECT_EFFECT };

const char *run_status_name(enum run_status status);
const char *step_status_name(enum step_status status);
const char *effect_status_name(enum effect_status status);
const char *reason_name(enum reason reason);
const char *reason_help(enum reason reason);
int reason_exit_code(enum reason reason);
const char *wait_name(enum wait wait);
const char *event_type_name(enum event_type type);
enum event_class event_type_class(enum event_type type);
enum event_subject event_type_subject(enum event_type type);
bool run_status_at_rest(enum run_status status);
bool step_status_at_rest(enum step_status status);
/* By name; -1 when there is none. */
int run_status_from_name(const char *name);
int step_status_from_name(const char *name);
int event_type_from_name(const char *name);
int reason_from_name(const char *name);
int wait_from_name(const char *name);
/* The tables. -1: no such move. */
int run_move(enum run_status from, enum event_type event);
int step_move(enum step_status from, enum event_type event);
int effect_move(enum effect_status from, enum event_type event);

#define NO_STEP UINT32_MAX

/* One thing that a run did. data may be NULL; owned by the event (event_release). */
struct event {
    enum event_type type;
    uint32_t step;   /* index in the plan; NO_STEP for a run's event */
    int64_t time_ms; /* wall clock, when it was made */
    json_t *data;
};
struct event_list { /* starts as {0} */
    struct event *items;
    size_t count, capacity;
};
/* Appends an event; steals data (may be NULL). */
void event_list_add(struct event_list *list, enum event_type type, uint32_t step, int64_t time_ms, json_t *data);
void event_list_release(struct event_list *list);
void event_release(struct event *event);

struct effect_state {
    char *name, *key, *digest; /* owned */
    char *target;              /* owned; NULL in journals from before it was kept */
    char *adopt;               /* a person says that it was done, as this one at the peer; owned; NULL = nobody says so */
    enum effect_status status;
    uint64_t begun;           /* when it was intended, counted over the run's events */
    uint64_t order;           /* when it was done, counted over the run's effects from 1; 0 = never */
    int64_t sent_ms;          /* when the step was last told to go; 0 = never */
    uint32_t sends;           /* how often it was */
    json_t *expects;          /* what its outcome will hold, as far as that was known before; owned; may be NULL */
    json_t *intent, *outcome; /* owned; outcome NULL while there is none */
    struct effect_state *next;
};

struct vote {
    char *by; /* owned */
    bool approve;
    int64_t time_ms;
    struct vote *next;
};

/* What a person said of an effect whose outcome, or whose undoing, the engine could not tell. */
enum resolved { RESOLVED_done, RESOLVED_not_done, RESOLVED_undone, RESOLVED_COUNT };
const char *resolved_name(enum resolved as);
int resolved_from_name(const char *name); /* -1 = none */
struct resolution {
    enum resolved as;
    const char *by, *effect, *id, *comment; /* owned in a step's list; any but by may be NULL */
    int64_t time_ms;
    struct resolution *next;
};

struct step_state {
    enum step_status status;
    enum reason reason;       /* of failed, cancelled, cancelling; of skipped: failed when something before it failed */
    enum wait wait;           /* of parked; of unknown: person, until a cancel says that nobody will look */
    uint32_t attempt;         /* 1 with the first step_starting; 0 before */
    uint32_t retries;         /* attempts that were given back to a retry */
    uint32_t finds;           /* times it was started again by itself to find out what became of an effect */
    uint32_t losses;          /* times its supervisor was lost before it was started; of compensating: at all */
    bool dropped;             /* withdrawn by the shim because its predecessor did not succeed */
    char *fault;              /* why it is about to end badly, in its own words; owned; may be NULL */
    enum reason fault_reason; /* and what kind of end that is; ok = it does not say */
    bool speaks;              /* its present process said a line of the step protocol */
    bool undoing;             /* of compensating: a process of its present attempt is there, or is to be */
    bool ending;              /* of compensating: that process is to be ended; message says why */
    uint32_t undo_parks;      /* of compensating: times its process paused by itself */
    uint32_t undo_tries;      /* attempts at compensating that failed */
    bool again;               /* of compensation_failed: a person wants it tried anew */
    bool took_word;           /* its present process could not tell of an effect, and the word of a person counted: it is not told that */
    bool parks;               /* it said `park`: its exit with 75 is a pause, not a failure */
    enum wait park_wait;      /* what it will be parked for then, and until when */
    int64_t park_until_ms;
    int64_t since_ms;             /* entered the present status */
    int64_t started_ms, ended_ms; /* of the present attempt; 0 = not yet */
    int64_t began_ms;             /* of the first attempt that kept what the present one goes on from; else as started_ms */
    int64_t until_ms;             /* of parked: when to wake or expire; of compensating: when to try again; 0 = no time */
    int64_t until_set_ms;         /* what the clock said when that was decided */
    int exit_code, signal;
    char *message;      /* one line for a person; owned; may be NULL */
    json_t *outputs;    /* object; owned; may be NULL */
    json_t *checkpoint; /* owned; may be NULL */
    struct effect_state *effects;
    struct vote *votes;
    struct resolution *resolutions; /* oldest first */
};

/* What reduce keeps of a stage so that decide looks at each step once. */
struct stage_state {
    uint32_t needs_open;      /* needs not yet at rest */
    uint32_t steps_open;      /* steps not yet at rest */
    uint32_t live;            /* steps in starting, running, cancelling, compensating: they hold the stage's slot */
    uint32_t cursor;          /* its first step not at rest, as an offset; step_count when there is none */
    bool begun;               /* a step of it was started, parked, failed: its condition was answered */
    bool failed;              /* a step of it that counts failed or was cancelled */
    bool inherited;           /* skipped because something before the stage failed */
    bool granted;             /* it is its turn in all of its groups, or was */
    bool is_dirty, is_queued; /* is in run_state.dirty, in run_state.queue */
    int64_t asked_ms;         /* began to wait for its turn; 0 = it did not have to */
    int64_t started_ms;       /* its first step's start; 0 = not yet */
};

/* A time at which decide has something to do: a parked step's (stage is its stage) or a stage's timeout (step is NO_STEP). */
struct timer {
    int64_t at_ms;
    uint32_t stage, step;
};

struct run_state {
    const struct plan *plan; /* borrowed; outlives the state */
    uint64_t run;            /* its number; 0 before run_accepted */
    enum run_status status;
    enum reason reason;
    enum wait wait;
    int64_t accepted_ms, started_ms, ended_ms;
    char *cancelled_by;   /* owned; NULL = nobody asked, or the engine did */
    char *cancel_comment; /* owned; what was said with the first cancel; may be NULL */
    char *author;         /* who started the run; owned */
    char *message;
    char *isolation;          /* where a sandbox is less than the default one: how and why; owned; NULL = nothing to say */
    char *turn_message;       /* of one that waits to go on undoing: who holds its groups; owned; may be NULL */
    char *diagnosis;          /* what is wrong with the pipeline file, line and caret, ready to print; owned; NULL = nothing */
    uint64_t event_count;     /* folded so far */
    struct step_state *steps; /* plan->step_count of them */
    /* Cancelling: how often it was asked (the second time ends clean-up steps too), and why. */
    uint32_t cancel_count;
    enum reason cancel_reason;
    /* Counters and work lists that make decide cheap; written by reduce. */
    struct stage_state *stages; /* plan->stage_count of them */
    uint32_t live_count;        /* steps in starting, running, cancelling, compensating */
    uint32_t live_stage_count;  /* stages that have one: the slots that this run holds */
    uint32_t open_count;        /* steps not at rest */
    uint32_t ready_count;       /* steps that wait for a slot */
    uint32_t unknown_count;     /* steps whose outcome a person must settle */
    uint32_t parked_count[WAIT_COUNT];
    bool has_checkpoint;    /* of any step, ever: without one nobody judges */
    uint64_t effect_events; /* folded so far: while it stays the same, so do effects and leases */
    uint64_t done_count;    /* effects that were done: the last one's order */
    bool lets_go;           /* of rollback_failed: a person cancelled it, and undoing failed again: others may go on in its groups */
    bool gave_back;         /* it had let others in, and has not got its groups again: before that it does not go on undoing */
    bool undoes_unfinished; /* of a run that rolls back because it was cancelled: what it does not keep is every unfinished scope */
    uint32_t first_failed;  /* the step that made the run fail; NO_STEP = none yet */
    uint32_t *dirty;        /* stages whose situation changed since decide found nothing to do for them */
    uint32_t dirty_count;
    uint32_t *queue; /* ring of stages that wait for a slot, first come first served */
    uint32_t queue_head, queue_count;
    struct timer *timers; /* binary heap, soonest first; the top is never stale */
    size_t timer_count, timer_capacity;
    int64_t latest_set_ms; /* what the clock said when a step's timer was set, at the latest: a clock behind that was set back */
};

/* A fresh, queued run. plan is borrowed. */
struct run_state *run_state_new(const struct plan *plan);
void run_state_free(struct run_state **state);

/* All that goes on in it is canaries being judged: it looks, or waits for its judge's next tick. */
bool run_judges(const struct run_state *state);

/* Folds one event. run_accepted comes first. An illegal move, an unknown step or a wrong payload changes nothing and is -ERROR_STATE. */
int reduce(struct run_state *state, const struct event *event, struct error *err) MUST_CHECK;

/* --- turns (turn.c): of the runs that are in one group, one at a time goes on --- */
enum claim_status {
    CLAIM_IDLE,  /* nothing was asked yet */
    CLAIM_WAITS, /* a stage of it is parked for its turn, or it was given back and something of it is to be undone */
    CLAIM_HELD,  /* until all its stages are finished and lend nothing, or the run is at rest, or rollback_failed and lets_go */
    CLAIM_DONE,
};
enum claim_status claim_status(const struct run_state *state, uint32_t claim);

/* What stands in the way of one claim of a run. turn_begin, then turn_meet with every other run that is not at rest, in any order. */
struct turn {
    const struct run_state *state; /* borrowed while it is made */
    uint32_t claim;
    enum claim_status status; /* of the claim itself */
    int64_t asked_ms;         /* since when it waits */
    const char *group;        /* that is not free; NULL: it may begin */
    enum group_queue queue;   /* the strictest of those that are not free */
    uint64_t holder;          /* the run that holds it; 0 = nobody */
    enum run_status holder_status;
    enum wait holder_wait;
    uint32_t before; /* runs that began to wait for it earlier */
    uint64_t newer;  /* a newer run that waits and takes this one's place; 0 = none */
};
void turn_begin(const struct run_state *state, uint32_t claim, struct turn *turn);
void turn_meet(struct turn *turn, const struct run_state *other);
/* "run 3 holds lab/hello, 1 before it"; caller frees. */
char *turn_words(const struct turn *turn);
/* A number that changes when what this run means for the turns of others does. */
uint64_t turn_mark(const struct run_state *state);

/* --- decide --- */
struct decide_input {
    int64_t now_ms;
    uint32_t free_slots;      /* stages that may become live now */
    bool hold;                /* begin nothing new and end nothing: it is not known whether a lease is held (run/lease.c) */
    const struct turn *turns; /* by claim; NULL: nobody stands in the way */
};
/* Appends what shall happen next, in order, to *list. The caller folds and appends them all, then asks again until nothing
   comes. Looks only at dirty stages, and at timers that are due. A step_starting stands for "hand it to the shim": the first of
   a stage takes a slot; those behind it that are ready_ahead follow at once, up to LIMIT_HANDED_AHEAD. */
void decide(struct run_state *state, const struct decide_input *input, struct event_list *list);
/* When decide will have something to do though no event came (parked steps, expiries, the run's timeout); INT64_MAX = never. */
int64_t decide_next_time(const struct run_state *state);
/* Do the stages that wait for a slot exist? (Then the shell asks again when one is free.) */
bool decide_wants_slot(const struct run_state *state);

/* --- settle --- */
enum report_type {
    REPORT_STARTED, /* its process was started */
    REPORT_EXITED,  /* its process and all it left behind are gone */
    REPORT_DROPPED, /* handed over, not started, and will not be: its predecessor did not succeed, or it was withdrawn */
    REPORT_LOST,    /* the supervisor is gone and no end was seen */
    REPORT_REFUSED, /* could not be started: no sandbox, no such program; message says why */
};
enum exit_cause { CAUSE_EXIT, CAUSE_SIGNAL, CAUSE_TIMEOUT, CAUSE_CANCELLED, CAUSE_MEMORY, CAUSE_DISK, CAUSE_PROCESSES };
struct report {
    enum report_type type;
    uint32_t step, attempt;
    int64_t time_ms;
    int pid;
    enum exit_cause cause;
    int exit_code, signal;
    bool started;          /* REPORT_LOST: was its process started, as far as the supervisor's record tells? */
    enum reason reason;    /* REPORT_REFUSED: denied or invalid; ok means failed */
    const char *message;   /* borrowed; may be NULL */
    const json_t *outputs; /* object of declared outputs from $CRESCENDO_OUTPUT; borrowed; may be NULL */
    const json_t *usage;   /* {cpu_ms, memory_bytes}; may be NULL */
};
/* What a report means for the run. A report of an older attempt, or one that was folded before, means nothing (no events). */
void settle(const struct run_state *state, const struct report *report, struct event_list *list);

/* A step that has to be ended because of what it did (it broke the protocol): it becomes cancelling, and at its exit
   failed with this message. No events when the step is not live. */
void settle_fault(const struct run_state *state, uint32_t step, const char *message, int64_t now_ms, struct event_list *list);

/* What a line of the step protocol means: events, and what is to be said to the step once they are on disk
   (*ret_reply: malloc'd JSON line or NULL). A line that breaks the protocol is -ERROR_PROTOCOL, an intent
   that contradicts an earlier one -ERROR_CONFLICT: the shell hands the message to settle_fault. A line of a step that is not
   running means nothing. *ret_reply is set on every success. */
int settle_line(const struct run_state *state, uint32_t step, const char *line, int64_t now_ms, struct event_list *list, char **ret_reply,
    struct error *err) MUST_CHECK;

/* A person's decision on an approval. -ERROR_CONFLICT: nothing waits there; -ERROR_DENIED: not one of `by`, or the author, or
   voted before. groups: NULL-ended names that the person belongs to (their own name is one of them). */
int settle_vote(const struct run_state *state, uint32_t step, const char *by, const char *const *groups, bool approve, const char *comment,
    int64_t now_ms, struct event_list *list, struct error *err) MUST_CHECK;

/* A person settles what the engine cannot tell. Of a step in unknown: its effect (the only open one where none is named) was done, as `id`
   at the peer, or not done; the step goes on, or the cancelling of its run. Of one in compensation_failed: all was undone by hand; the run
   goes on undoing. resolution is borrowed. -ERROR_CONFLICT: there is no such thing to settle; -ERROR_INVALID: no id. */
int settle_resolve(const struct run_state *state, uint32_t step, const struct resolution *resolution, int64_t now_ms,
    struct event_list *list, struct error *err) MUST_CHECK;

/* --- views --- */
/* A stage's state is a function of its steps'. */
enum step_status stage_status(const struct run_state *state, uint32_t stage);
/* Resolves stages.PATH.ID.OUT for plan_resolve and conditions. */
struct scope run_state_scope(const struct run_state *state);
/* What a compensating step is to undo, newest first: [{name, target, key, digest, body, outcome}, ...]; caller's. */
json_t *run_state_undo(const struct run_state *state, uint32_t step);
/* The leases that the run holds (docs/explanation/ordering.md): [{service, ttl_ms, url}, ...]; caller's. */
json_t *run_state_leases(const struct run_state *state);
/* Is something told to happen whose outcome is not on record? It may have ended a lease. */
bool run_state_has_open_effect(const struct run_state *state);
/* What a run that ended badly left standing: [{step, effect, target, order, service}, ...], what it could have undone; with stays:
   "in-service" (and version) what it promoted, with stays: "unused" the version before that, which was to be ended later. Caller's. */
json_t *run_state_left(const struct run_state *state);
/* What persons settled: [{step, words, by, as, effect, id, comment, time_ms}, ...]; caller's. */
json_t *run_state_settled(const struct run_state *state);
/* Orders too many, of peers that lost what makes a key unique: [{step, target, order, ended, message}, ...]; caller's. */
json_t *run_state_extras(const struct run_state *state);
/* The effect's key: SHA-256 over run, step path, generation, name, target, joined by newlines. */
void effect_key(uint64_t run, const char *step_path, unsigned generation, const char *name, const char *target, char ret_key[65]);
/* What a step that is asked to find an effect is told of its sending: `sent`, when it was last told to go, and `sends`, how often. */
void effect_put_sending(const struct effect_state *effect, json_t *line);
/* One line for a person about an event that a watcher cares for, NULL for the others. Caller frees. */
char *narrate(const struct run_state *state, const struct event *event, bool colour);
/* The state as JSON, for golden files, `show --json` and comparing a projection with the fold. */
json_t *run_state_to_json(const struct run_state *state);

#endif
