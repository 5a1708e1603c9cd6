/* report.h: what is said of a run when it is over or waits: how it went, why it failed, what a person can do. */
#ifndef CRESCENDO_CLI_REPORT_H
#define CRESCENDO_CLI_REPORT_H

#include "cli/commands.h"

/* Adds who is waited for, and how to answer; what the server says of the run's approvals. */
void report_approvals(struct client *client, const json_t *run, const struct terminal *terminal, struct text *out);
/* Adds the closing line: "run 12 failed after 14 s: test/unit failed: exit 1"; of a run that was explained already, without the reason. */
void report_end(const json_t *run, bool explained, const struct terminal *terminal, struct text *out);

/* Adds what a run that ended badly left standing, a line each. */
void report_left(const json_t *run, const struct terminal *terminal, struct text *out);

/* Words for a run's state with what explains it: "failed (timeout)", "waiting for approval". Caller frees. */
char *report_state(const json_t *run);
/* The same as the verb of a sentence: "succeeded", "was cancelled", "is waiting for approval". Caller frees. */
char *report_verb(const json_t *run);
/* "refs/heads/main" → "main"; borrowed. NULL gives "". */
const char *report_ref(const char *ref);
/* By the run's reason; 3 while it waits for approval, 7 while a person must settle it, 0 when it goes on. */
int report_exit_code(const json_t *run);

/* The options that make a further `crescendo` command reach the same server, with a space before: "" for the usual one. Caller frees. */
char *report_server_words(const struct client *client);

#endif
