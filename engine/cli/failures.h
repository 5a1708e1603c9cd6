/* failures.h: which steps of a run failed, the one that decided it first, and what they printed last. */
#ifndef CRESCENDO_CLI_FAILURES_H
#define CRESCENDO_CLI_FAILURES_H

#include "cli/commands.h"

/* The failed steps of a run, borrowed from it. Starts as {0}; failures_release frees. */
struct failures {
    const json_t **counted; /* the one that the run's message names first, the others in the plan's order */
    size_t counted_count;
    const json_t **allowed; /* those that the plan allows to fail */
    size_t allowed_count;
};
/* run: RUN with its steps; plan: what `plan --json` prints, or NULL, where nothing counts as allowed. Pure. */
void failures_sort(const json_t *run, const json_t *plan, struct failures *ret);
void failures_release(struct failures *failures);

/* A log's last lines, from pieces of any size. Starts as {0}; tail_print prints and releases. Each line is cut to what fits beside its
   margin: to 200 columns where there is no terminal. */
enum { TAIL_LINES = 20 };
struct tail {
    struct text lines[TAIL_LINES];
    size_t at, count; /* the line that is being written; lines begun */
    bool line_open;
};
int tail_add(void *context, const char *bytes, size_t size);
void tail_print(struct tail *tail, const struct terminal *terminal, struct text *out);

/* A canary's judge: its verdict says all, and its log is its ticks. */
bool failure_is_of_judge(const json_t *step);

/* Adds the failed steps with the last lines of their logs; asks the server for those. run: RUN with its steps. told: the run's events were
   told line by line, so a judge's verdict is not told again. False: no failure counts. */
bool report_failures(struct client *client, const json_t *run, bool told, const struct terminal *terminal, struct text *out);

#endif
