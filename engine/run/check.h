/* check.h: is a journal what it claims to be? Its file, its chains, its blobs, its projections against the fold of its events, the logs of
   its runs. Reads only, beside a running server or without one: each run is looked at in one state of the database. Blocks for the disk. */
#ifndef CRESCENDO_RUN_CHECK_H
#define CRESCENDO_RUN_CHECK_H

#include "run/engine.h"
#include "store/inspect.h"

struct finding {
    const char *file;   /* "journal.db", "core/runs/3/log": within the data folder */
    uint64_t run;       /* 0 = none */
    const char *table;  /* NULL = none */
    const char *what;   /* a sentence */
    const char *remedy; /* what to do */
};

struct check {
    const char *folder; /* holds journal.db and runs/ */
    const char *prefix; /* of the files' names in what is found: "" or "core/" */
    void (*found)(void *context, const struct finding *finding);
    void *context;
    /* Looks at the documents that follow from a run's events, and complains. NULL: none do. */
    void (*documents)(const struct run_view *run, journal_complaint *complain, void *context);
    /* counted */
    uint64_t runs, events, blobs, logs, findings;
};

/* What is wrong is told by `found`; an error means that the rest could not be looked at. */
int check_journal(struct check *check, struct error *err) MUST_CHECK;

/* --- what its files share --- */
struct log_facts { /* by step of the plan: what the last attempt that ended printed, as its end tells */
    uint32_t count;
    uint32_t *attempts;
    uint64_t *told, *found;
};
void log_facts_note(struct log_facts *facts, const struct run_state *state, const struct event *event);
void log_facts_release(struct log_facts *facts);
void check_log(struct check *check, uint64_t run, bool at_rest, struct log_facts *facts);
void check_found(struct check *check, const struct finding *finding);

#endif
