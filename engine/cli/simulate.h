/* simulate.h: the parts of `crescendo simulate`: the story of one run as it happens, its end, the table of many. */
#ifndef CRESCENDO_CLI_SIMULATE_H
#define CRESCENDO_CLI_SIMULATE_H

#include "cli/terminal.h"
#include "sim/simulate.h"
#include "state/explain.h"

/* --- simulate_story.c --- */
struct story {
    const struct terminal *terminal;
    const struct plan *plan;
    struct run_state *state; /* the fold of what is on disk: what somebody who watches sees */
    struct text out;         /* the lines, where text is wanted */
    json_t *lines;           /* [{at_ms, kind, words}], where JSON is wanted; else NULL */
    struct explanation *explanation;
    int64_t last_ms;
};
/* terminal and plan are borrowed. */
void story_begin(struct story *story, const struct plan *plan, const struct terminal *terminal, bool as_json);
void story_release(struct story *story);
struct listener story_listener(struct story *story);
/* What the run waits for when its story ends, as `crescendo explain` says it: [{words, commands}, ...]; caller's. */
json_t *story_now(const struct story *story);

/* --- simulate_end.c --- */
/* What became of a run, from the report that simulate() makes; columns as wide as the terminal. */
void simulated_add_end(struct text *out, const struct terminal *terminal, const json_t *report);
/* "succeeded", "needs_person" in words for a sentence. */
const char *simulated_end_words(const char *end);

/* --- simulate_many.c --- */
/* Runs count seeds from `first` on: [{end, asked, held, meant, runs, first_seed, faults}], most runs first; caller's. */
json_t *simulate_many(const struct simulation *first, int64_t count);
void simulated_add_kinds(struct text *out, const struct terminal *terminal, const json_t *kinds);

#endif
