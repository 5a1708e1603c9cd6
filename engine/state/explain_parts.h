/* explain_parts.h: what the files explain*.c share and nobody else needs. */
#ifndef CRESCENDO_STATE_EXPLAIN_PARTS_H
#define CRESCENDO_STATE_EXPLAIN_PARTS_H

#include "state/explain.h"

enum link_kind {
    LINK_accepted,
    LINK_went_well,   /* steps without a trace outside */
    LINK_reused,      /* steps that were kept from an earlier run */
    LINK_left_out,    /* steps whose condition was false */
    LINK_tried_again, /* a step that failed and was given another attempt */
    LINK_ordered,     /* a service, its change or its end */
    LINK_did,         /* any other effects of a step */
    LINK_shares,      /* the shares that a step gave a service, one after another */
    LINK_turn,        /* a stage had to wait for others in its concurrency groups */
    LINK_vote,
    LINK_warned, /* of the judge of a canary: what a person should know of its verdict */
    LINK_verdict,
    LINK_failed,
    LINK_also_failed,
    LINK_skipped, /* steps that something before them kept from running */
    LINK_stopped, /* steps that were ended */
    LINK_unknown,
    LINK_resolved, /* a person settled what nobody could tell, or undid by hand */
    LINK_cancel,
    LINK_goes_back,
    LINK_undone,
    LINK_not_undone,
    LINK_ended,
    LINK_KIND_COUNT
};

/* One thing that made the run what it is. A link may stand for several steps, or several times. */
struct link {
    enum link_kind kind;
    uint32_t step;             /* NO_STEP: of the run, or of several */
    int64_t at_ms, last_at_ms; /* the first and the last that is told by it */
    json_t *facts;             /* object; owned */
    uint32_t *steps;           /* several; owned */
    size_t step_count, step_room;
};

/* What is kept of a step until somebody asks. */
struct seen {
    char *progress; /* what it said last of how it goes on; owned */
    json_t *canary; /* of one that judges a canary, {share, share_ms, ramp, kpis, tick, used: a tick, verdict}: the last of each; owned */
};

struct explanation {
    struct link *links;
    size_t count, room;
    size_t first_open; /* links from here on may still be joined: behind the last one that parts what was before from what is after */
    struct seen *seen; /* by step of the plan; NULL before the first step event; owned */
    uint32_t seen_count;
};

/* --- explain.c --- */
/* The last link of this kind, and of this step where it is one, that may still be joined; NULL = none. */
struct link *link_find(const struct explanation *explanation, enum link_kind kind, uint32_t step);
struct link *link_add(struct explanation *explanation, enum link_kind kind, uint32_t step, int64_t at_ms);

/* --- explain_order.c: what an effect did, as facts --- */
/* An effect that became done: a new link, or one more thing in a link that is there. */
void explain_effect(struct explanation *explanation, const struct run_state *state, const struct event *event);
/* {did, name, version, service, share, replicas, order, target}; NULL: the effect is no service order. New. */
json_t *order_facts(const struct effect_state *effect);
/* What a step's undoing did: {how: [ORDER...], names: [...]}. New. */
json_t *undone_facts(const struct step_state *step);

/* --- explain_words.c: facts as words --- */
void explain_words(const struct run_state *state, const struct link *link, struct text *out);
/* "build, test and 3 more stages" */
void explain_add_names(struct text *out, const char *const *names, size_t count, const char *what);
void explain_add_percent(struct text *out, const json_t *share);

/* --- explain_canary.c: a canary that is being judged --- */
void explain_canary(const json_t *canary, const struct plan *plan, const struct plan_step *step, struct text *out);
json_t *explain_canary_json(const json_t *canary); /* {share, tick, judged_ms, kpis}. New. */

/* --- explain_now.c: what is waited for --- */
/* [WAIT, ...] of the wanted steps; of the one that is asked for also why it has not begun. New. */
json_t *explain_now(
    const struct explanation *explanation, const struct run_state *state, const bool *wanted, uint32_t asked, int64_t now_ms);

#endif
