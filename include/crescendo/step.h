/* step.h: what a step type is, and what it may do while it runs. Everything needed to write one.
   A walk through a new one: docs/how-to/write-a-step.md. The wire: docs/formats/step-protocol.md. */
#ifndef CRESCENDO_STEP_H
#define CRESCENDO_STEP_H

#include "crescendo/diagnostics.h"
#include "crescendo/error.h"
#include "crescendo/field.h"

#include <jansson.h>

struct step; /* the running step's end of the protocol; opaque */

enum effect_seen {
    EFFECT_SEEN_DONE,
    EFFECT_SEEN_ABSENT, /* it was not done, and nothing that was sent can arrive any more */
    EFFECT_SEEN_UNSURE,
    EFFECT_SEEN_NOTHING, /* the peer has nothing; what was sent may still be under way: struct delivery says how long */
};

/* How a request to a peer may be late. */
struct delivery {
    int64_t life_ms;     /* how long one that has left may still arrive */
    bool repeat_is_safe; /* a second one with the same key is the first */
};

/* What is known of a step when it is planned. Any value in with may be {"$unknown": ...}: known only to the run. */
struct planned {
    const char *path;      /* "indoor/release/order" */
    const json_t *with;    /* resolved as far as can be */
    const json_t *domain;  /* of the domain that with.domain names (docs/reference/domain.md), typed; NULL = names none */
    const json_t *service; /* the service's descriptor (docs/reference/service.md), typed; NULL = the pipeline has none */
};

struct step_type {
    const char *name, *summary;
    const struct field *fields;  /* what `with` may hold; FIELD_END-ended */
    const struct field *outputs; /* FIELD_END-ended; NULL = the step declares them itself (run) or has none */
    /* Pure. What the table cannot say. Strings in with may be {"$expression": ...} instead. May be NULL. */
    int (*check)(const json_t *with, struct location at, struct diagnostics *list);
    /* Pure. What it would do to the world: an array of {name, target, summary, notes?, body?, compensation?, pivot?}. notes: a
       list of sentences for whoever reads the plan; body: what is sent, as far as it is known; compensation: a sentence that says how it is
       undone, absent = it is not. NULL = no effects. An error whose message begins with a key ("policy.share: ...") is shown where that
       was written. */
    int (*describe)(const struct planned *planned, json_t **ret_effects, struct error *err);
    /* The same where it never depends on anything: such an array, borrowed. Then describe is not asked. NULL = describe tells. */
    const json_t *effects;
    /* What the domain named by with.domain must be able to do ("share", ...), NULL-ended; NULL = nothing. `plan` refuses what it cannot. */
    const char *const *capabilities;
    /* It speaks with a domain or another service: it runs on the machine's network, and where the core is embedded it reaches its socket.
     */
    bool reaches_out;
    /* In the step's own process; may block. NULL only for types that the engine itself performs (run, approve). */
    int (*perform)(struct step *step, struct error *err);
    /* Pure. What the outcome of an effect with this body will hold, as far as that is known before it is sent: a person's word for it,
       where nobody can tell, is completed with that. New; NULL = nothing. May be NULL. */
    json_t *(*expect)(const struct step *step, const json_t *body);
    /* Pure. How late a request to the peer of this step may be; asked where find sees NOTHING. NULL = it is never late. */
    void (*delivery)(const struct step *step, struct delivery *ret);
    /* Asks the peer by the intent's key. NOTHING is waited with until the older request's longest life is over. Where the intent has
       `adopt`, a person looked and says that it was done, as that at the peer: it is looked up there instead; UNSURE then means that the
       word counts. */
    int (*find)(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err);
    /* Undoes one done effect: intent is {name, target, key, digest, body}. Idempotent, since after a crash it is called again; it uses
       step_effect for what it sends, under a name of its own ("undo order"). NULL: nothing to undo. */
    int (*compensate)(struct step *step, const json_t *intent, const json_t *outcome, struct error *err);
};

/* Every table of step types is NULL-ended: steps/registry.c exports step_types; the mains hand it on. */
typedef const struct step_type *const step_types;

/* --- inside perform ------------------------------------------------------------------------------------------- */

/* The resolved `with`, and facts of the run: {run, stage, step, attempt, repository, commit, ref, source, workspace, state}.
   Borrowed. `workspace` is the current folder at the start. Where there are such, also: `domain`, the domain that with.domain names, as the
   plan pinned it, its `url` ready to be used ("http://...", "unix:/path"), `changed`: true where its file is another one by now; `service`,
   the service's descriptor; `core`, the URL of the server's own core ("unix:/path"). */
const json_t *step_with(const struct step *step);
const json_t *step_facts(const struct step *step);
/* The checkpoint that an earlier process of this step left by step_park or step_checkpoint; NULL at first. Borrowed. */
const json_t *step_checkpoint_read(const struct step *step);

int step_progress(struct step *step, double fraction, const char *format, ...) __attribute__((format(printf, 3, 4)));
int step_annotate(struct step *step, const char *level, const char *file, unsigned line, const char *message);
int step_output(struct step *step, const char *name, json_t *value); /* steals value */
/* With which reason the run ends where perform fails: "kpi_harm", "kpi_inconclusive" or "no_data"; else it is "failed". Borrowed. */
void step_reason(struct step *step, const char *reason);
/* Blocks until the checkpoint is on disk. Steals. */
int step_checkpoint(struct step *step, json_t *checkpoint, struct error *err) MUST_CHECK;

/* One effect, from intent to outcome. Announces the intent {name, key, digest, body} and blocks until it is durable, then
   - a known outcome is handed back (*ret_outcome), nothing is sent;
   - after a crash the type's find is asked first, and an effect that is found is recorded, not repeated;
   - else send is called once, with the key to send along, and its outcome recorded. Where it fails, find is asked at once; where it sees
     nothing, for an error that is `retryable`, it is intended and sent again, a few times within some seconds;
   - before something is said to be absent, and before it is sent again to a peer that does not know a repetition, the longest life of what
     was sent is waited out: for some seconds here, for longer by parking (-ERROR_PARKED, with the checkpoint as it is).
   body is borrowed. *ret_outcome is the caller's. */
int step_effect(struct step *step, const char *name, const char *target, const json_t *body,
    int (*send)(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err),
    void *context, json_t **ret_outcome, struct error *err) MUST_CHECK;

/* Ends this process; the engine starts the step again at until_ms (wall clock) with the checkpoint. Steals. Returns
   -ERROR_PARKED for perform to return. */
int step_park(struct step *step, int64_t until_ms, json_t *checkpoint, struct error *err) MUST_CHECK;

#endif
