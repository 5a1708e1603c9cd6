/* engine.h: the shell round the pure core: it accepts runs, folds and appends their events, acts by their state, and takes up after a
   restart what was open. One per server, on its loop's thread. */
#ifndef CRESCENDO_RUN_ENGINE_H
#define CRESCENDO_RUN_ENGINE_H

#include "state/state.h"
#include "store/journal.h"

#include <uv.h>

struct engine;
struct run_view;
struct document_list;

struct engine_options {
    const char *data;        /* the data folder: journal.db, blobs/, runs/N/, repositories/NAME.git */
    const char *shim, *step; /* the programs crescendo-shim and crescendo-step */
    unsigned slots;          /* stages that may be live at once; 0 = the machine's processors */
    int64_t keep_ms;         /* runs at rest that ended longer ago are forgotten, with their logs; 0 = never */
    bool spare_shim;         /* start one ahead of the next run */
    bool allow_no_sandbox;   /* may a pipeline say `sandbox: none`? */
    step_types *types;       /* the joined table, NULL-ended, external ones included */
    /* Where the executable of an external step type stands (malloc'd), NULL for a type that is built in. May be NULL. */
    char *(*external_program)(const char *type);
    void (*failed)(void *context, const struct error *err); /* the journal cannot be written: stop */
    void *context;
    const char *library;     /* the folder of the shipped pipelines that a file may use by name; NULL = none */
    const char *domains;     /* the folder of domains/NAME.yaml that pipelines name; NULL = none */
    const char *core_socket; /* where the embedded core answers: what a domain's `url: embedded` means; NULL = none is embedded */
    /* Documents that follow from a run's events, written in the same transaction. Called after the events were folded and before they are
       appended; adds to *list. Also once for each run that engine_open takes up, whose documents are on disk already: what it adds then is
       passed over. NULL: none. */
    void (*project)(void *context, const struct run_view *run, struct document_list *list);
    void *project_context;
};

/* A run as a projection sees it. All borrowed. */
struct run_view {
    uint64_t run;
    const struct plan *plan;
    const struct run_state *state;
    const json_t *accepted;  /* run_accepted's data */
    int64_t now_ms;          /* the time of the last event */
    struct journal *journal; /* for what earlier documents say */
};
/* Starts as {0}. Bodies are owned by the list, ids and collections too. */
struct document_list {
    struct document *items;
    size_t count, capacity;
};
void document_list_add(struct document_list *list, const char *collection, const char *id, const char *key, const json_t *body);
void document_list_release(struct document_list *list);

/* Opens the journal, folds open runs, attaches to their shims, goes on. */
int engine_open(uv_loop_t *loop, const struct engine_options *options, struct engine **ret, struct error *err) MUST_CHECK;
/* Commits and lets go of the shims, which live on. */
void engine_close(struct engine **engine);
struct journal *engine_journal(struct engine *engine);
/* No run that is not at rest, but for those that wait for a person to undo by hand: nobody has to be there for them. */
bool engine_is_idle(const struct engine *engine);

/* What starts a run. All borrowed for the call. */
struct submission {
    const char *key;                                        /* the same key again gives the same run; NULL = always a new one */
    const char *trigger;                                    /* "push", "manual" */
    const char *repository, *ref, *commit, *author, *title; /* may be NULL */
    const char *branch;       /* of a push: asked of the file's `on.push`, together with the changed paths; NULL = do not ask */
    const char *const *paths; /* NULL-ended; NULL = not known, which matches */
    const char *source;       /* where the checkout comes from: a bare repository's or a folder's path; NULL = none */
    bool work_tree;           /* source is a folder to copy as it is, not a repository to check out from */
    struct source_set files;  /* the pipeline's text first; count 0 = the commit has none */
    const char *no_files;     /* of count 0: why there is none; NULL = the commit has no such file */
    const json_t *params;     /* object or NULL */
};
struct accepted {
    uint64_t run;  /* 0: nothing was started: the push is not wanted (`unwanted`), or the file is wrong (no key given) */
    bool unwanted; /* the file's `on` does not want this push; err is NULL */
    bool known;    /* the key was seen before */
    bool invalid;  /* accepted as a failed run, because the file is wrong or missing */
    const struct diagnostics *diagnostics; /* borrowed for the call */
    const struct source_set *files;
};
/* Loads, plans, journals; done is called on the loop once the run is on disk (or at once where nothing is to be written). */
void engine_submit(struct engine *engine, const struct submission *submission,
    void (*done)(void *context, const struct accepted *accepted, const struct error *err), void *context);

/* A plan that was made elsewhere (an order) becomes a run. */
struct plan_submission {
    const char *key;     /* as of a submission */
    const char *trigger; /* "order" */
    const char *author, *title;
    const char *extra_name; /* with extra: a member of run_accepted's data that the submitter wants to find again; NULL = none */
    const json_t *extra;
    const json_t *plan; /* docs/formats/plan.md, without "$unknown" other than references to outputs of its own steps */
};
/* *ret_run is the run's number at once, though the run is on disk only when done is called. A plan that cannot be read is an error, and
   done is not called. A key that was seen before: *ret_known, its run's number, and done is called. */
int engine_submit_plan(struct engine *engine, const struct plan_submission *submission,
    void (*done)(void *context, const struct error *err), void *context, uint64_t *ret_run, bool *ret_known, struct error *err) MUST_CHECK;

/* A person's acts. done is called once the act is on disk, or with the error at once. */
void engine_cancel(struct engine *engine, uint64_t run, const char *by, const char *comment,
    void (*done)(void *context, const struct error *err), void *context);
void engine_vote(struct engine *engine, uint64_t run, const char *step_path, const char *by, const char *const *groups, bool approve,
    const char *comment, void (*done)(void *context, const struct error *err), void *context);
void engine_resolve(struct engine *engine, uint64_t run, const char *step_path, const struct resolution *resolution,
    void (*done)(void *context, const struct error *err), void *context);

/* Live views. The plan and state of a run that is not at rest, or was lately; NULL: ask the journal and the blob. Borrowed until the
   loop comes round. */
const struct run_state *engine_run_state(struct engine *engine, uint64_t run);
/* Is it not at rest? Unlike the state this costs nothing where the run sleeps. */
bool engine_run_goes_on(const struct engine *engine, uint64_t run);
/* Why nothing is heard of its steps, though they may run, and what to do; NULL: nothing is in the way. Borrowed until the loop comes round.
 */
const char *engine_run_trouble(const struct engine *engine, uint64_t run);
/* The plan of any run, newly read; caller frees. */
int engine_read_plan(struct engine *engine, uint64_t run, struct plan **ret, struct error *err) MUST_CHECK;
/* RUN/log of a run; caller frees. */
char *engine_log_path(struct engine *engine, uint64_t run);

/* Calls back after each commit that holds events of this run (0 = any run): read them with journal_read. Returns a handle. */
struct subscription *engine_subscribe(struct engine *engine, uint64_t run, void (*changed)(void *context, uint64_t run), void *context);
void engine_unsubscribe(struct subscription **subscription);

#endif
