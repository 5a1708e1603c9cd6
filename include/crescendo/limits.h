/* limits.h: every limit on what comes from outside, in one place, with its unit. */
#ifndef CRESCENDO_LIMITS_H
#define CRESCENDO_LIMITS_H

enum {
    LIMIT_PIPELINE_BYTES = 1024 * 1024, /* one YAML file */
    LIMIT_YAML_DEPTH = 64,              /* nesting */
    LIMIT_YAML_NODES = 200 * 1000,      /* scalars, lists and mappings, aliases counted each time */
    LIMIT_DIAGNOSTICS = 100,            /* kept for one file */
    LIMIT_STAGES = 20 * 1000,
    LIMIT_STEPS = 100 * 1000,
    LIMIT_EXPRESSION_BYTES = 4096,
    LIMIT_EXPRESSION_DEPTH = 32,
    LIMIT_EXPRESSION_BUDGET = 10 * 1000, /* evaluation steps */
    LIMIT_STEP_LINE_BYTES = 64 * 1024,   /* one line of the step protocol */
    LIMIT_OUTPUT_BYTES = 64 * 1024,      /* one output value */
    LIMIT_OUTPUT_FILE_BYTES = 1024 * 1024,
    LIMIT_SECRET_SHORTEST = 4,             /* bytes of a secret: less cannot be hidden in a log without destroying it */
    LIMIT_SECRET_BYTES = 64 * 1024,        /* of one secret */
    LIMIT_SECRETS_BYTES = 1024 * 1024,     /* of all that a run names */
    LIMIT_REQUEST_BYTES = 8 * 1024 * 1024, /* one HTTP request's body */
    LIMIT_HANDED_AHEAD = 64,               /* steps of one stage that the shim holds beyond the running one */
    LIMIT_PAGE = 500,                      /* rows in one answer */
};

#define LIMIT_LOG_BYTES (4LL * 1024 * 1024 * 1024) /* one run's log segment; more is dropped and counted */

#endif
