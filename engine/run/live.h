/* live.h: a run that is not at rest, as the engine holds it. Internal to engine/run.

   The walk of an event: a report, a person or decide makes it → live_fold (reduce, outbox) → live_flush (one append to the
   journal, with the rows that changed) → on commit: acknowledge to the shim, tell subscribers and waiters, act.
   Invariants: the state is always the fold of what was appended; nothing is acted upon while a durable event is not on
   disk (durable_pending); acting only looks at the state, so doing it twice does no harm. */
#ifndef CRESCENDO_RUN_LIVE_H
#define CRESCENDO_RUN_LIVE_H

#include "exec/supervisor.h"
#include "run/engine.h"
#include "run/project.h"

enum { IDLE_SHIM_MS = 1000 }; /* how long a run waits before its shim is let go: an approval may come at once */

struct waiter { /* somebody who is answered once an append is on disk */
    void (*done)(void *context, const struct error *err);
    void *context;
    struct waiter *next;
};

struct saying { /* a line for a step, held until the events behind it are on disk */
    uint32_t step, attempt;
    char *line;
    struct saying *next;
};

struct vacant_workspaces { /* of stages that are over: the next one may be given it */
    uint32_t stages[16], count;
    struct workspace_model { /* of one that nobody touched; known when it was first asked for */
        bool known;
        mode_t mode;
        uid_t uid;
        gid_t gid;
        ssize_t attributes_size;
    } model;
};

struct live_run {
    struct engine *engine;
    struct live_run *next; /* the engine's list, by number */
    uint64_t number;
    struct plan *plan; /* NULL while it sleeps (sleep.h), as are state, accepted and all lists by step or stage */
    struct run_state *state;
    json_t *accepted;  /* run_accepted's data: repository, source, author, ... */
    uint64_t from_run; /* of those: the run that it takes from; 0 = none */
    char *folder;      /* DATA/runs/N */

    char *plan_text;          /* the plan's JSON, until the first append takes it to the journal */
    uint64_t event_count;     /* appended so far */
    int64_t event_ms;         /* when the last folded one was made */
    struct event_list outbox; /* folded, not yet appended */
    uint32_t *touched;        /* steps whose row or action is due, each once */
    uint32_t touched_count;
    bool *is_touched;
    uint32_t *acting;     /* steps to act upon at the next chance, each once */
    uint32_t *acting_now; /* those that live_act goes through, while acting may fill anew */
    uint32_t acting_count;
    bool *is_acting;
    struct step_counts counts;

    struct supervisor *supervisor; /* NULL while no step needs one */
    bool attached;
    char *trouble;            /* why its supervisor says nothing just now; NULL = it may */
    bool is_unheard;          /* taken up, and what its shim told meanwhile is not heard to the end: before that nothing is decided */
    bool must_repeat;         /* just attached: what steps may wait for is said again, once that is on disk */
    bool loss_pending;        /* its shim was lost, and what that means is not on disk yet */
    uint64_t report_sequence; /* the last report that was folded */
    uint32_t *handed;         /* per step: the attempt that the attached shim has; 0 = none */
    bool secrets_told;        /* the attached shim hides all secrets of the plan */
    bool *has_sandbox;        /* per sandbox (the index of its first step): requested of the attached shim */
    struct vacant_workspaces vacant;
    bool plan_reads_workspaces; /* a stage takes files from another one's: all stay where they are */
    uint32_t *stage_live;       /* per stage: steps in starting, running, cancelling, compensating */
    enum sandbox_degree worst_degree;
    int64_t idle_since_ms; /* nothing but waiting, with a shim that has nothing to do; 0 = not so */

    int64_t wake_ms;  /* of one that sleeps: when decide has something to do */
    uint64_t *groups; /* of one that sleeps: digests of their names */
    uint32_t group_count;

    uint64_t turn_mark; /* what this run meant for the turns of others when it was last looked at */

    uint64_t leases_at;   /* state->effect_events when it was looked what is held */
    struct lease *leases; /* that the server renews (lease.h) */

    struct saying *sayings, **sayings_end;
    struct waiter *waiters;                /* for the next flush */
    struct commit *commits, **commits_end; /* of the appends that are pending, in their order */
    unsigned appends_pending, durable_pending;
    unsigned held; /* callbacks that will come back: do not free */
    bool advancing, closing;
    uv_timer_t timer;
};

struct subscription {
    struct engine *engine;
    struct subscription *next;
    uint64_t run;
    void (*changed)(void *context, uint64_t run);
    void *context;
};

struct engine {
    uv_loop_t *loop;
    struct engine_options options; /* its texts are the engine's own copies */
    struct journal *journal;
    struct live_run *runs, *last; /* by number */
    struct subscription *subscriptions;
    struct keeping *keeping;
    struct compressing *compressing;
    struct spare *spare;  /* NULL: no supervisor is started ahead */
    unsigned live_stages; /* over all runs: the slots in use */
    bool slot_freed, turns_changed, closing, failed;
};

/* live.c */
struct live_run *live_new(struct engine *engine, uint64_t number, struct plan *plan, json_t *accepted); /* steals plan, accepted */
struct live_run *live_find(const struct engine *engine, uint64_t number);
bool live_fold(struct live_run *run, struct event_list *events); /* empties events; false: a fault of ours, logged */
void live_flush(struct live_run *run);
void live_advance(struct live_run *run); /* decide until nothing comes, flush, act if nothing holds it back */
void live_wait_commit(struct live_run *run, void (*done)(void *context, const struct error *err), void *context);
void live_retire(struct live_run *run); /* frees it when nothing will call back */
void live_close(struct live_run *run);  /* the engine stops: lets go of the shim */
void live_touch(struct live_run *run, uint32_t step);
void live_arm_timer(struct live_run *run); /* for the next thing that needs no event to happen */
bool step_is_live(enum step_status status);

/* act.c */
bool live_act(struct live_run *run);        /* what the state asks for: launch, cancel, say, end; true: it made events, so advance */
void live_prepare(struct live_run *run);    /* while a durable event is on its way to the disk: what does nobody harm */
bool live_act_on_all(struct live_run *run); /* after an attach */

/* turns.c */
struct turn *turns_look(const struct live_run *run); /* by claim; caller frees; NULL: it has none */
void turns_notice(struct live_run *run);             /* sets turns_changed where others have to be asked again */
bool turns_wait(const struct live_run *run);         /* is a stage of it parked for its turn, or undoing? */

/* launch.c */
int launch_prepare(struct live_run *run, uint32_t step, struct error *err) MUST_CHECK; /* its sandbox, which may be made before it */
int launch_step(struct live_run *run, uint32_t step, struct error *err) MUST_CHECK;

/* workspace.c */
char *workspace_path(const struct live_run *run, uint32_t stage); /* RUN/workspaces/build; caller frees */
/* An empty folder at path, which is the stage's, unless there is one already. */
int workspace_make(struct live_run *run, uint32_t stage, const char *path, struct error *err) MUST_CHECK;
void workspace_leave(struct live_run *run, uint32_t stage); /* its steps are at rest */
bool workspaces_are_read(const struct plan *plan);          /* by other stages than their own */

/* reports.c */
struct supervisor_hooks live_supervisor_hooks(struct live_run *run);
void live_report(struct live_run *run, const struct report *report);
void live_forget_shim(struct live_run *run); /* nothing is handed over, no sandbox is made */

/* submit.c */
uint64_t live_free_number(struct engine *engine); /* for a new run */

/* project.c */
void project_documents(const struct live_run *run, struct document_list *list);

/* recover.c */
int recover_runs(struct engine *engine, struct error *err) MUST_CHECK;
int read_events(struct engine *engine, uint64_t run, int (*row)(void *context, const struct journal_row *row), void *context,
    struct error *err) MUST_CHECK;

#endif
