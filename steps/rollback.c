/* rollback.c: the step type `rollback`: fails on purpose, so that the run goes back. It has no process: the engine ends it. */
#include "registry.h"

static const char *const scopes[] = {"scope", "run", NULL};

static const struct field fields[] = {
    {.name = "because",
        .type = FIELD_TEXT,
        .flags = FIELD_REQUIRED | FIELD_SHORT,
        .help = "Why: it becomes the message of the step and of the run"},
    {.name = "scope",
        .type = FIELD_CHOICE,
        .flags = FIELD_LITERAL,
        .fallback = "scope",
        .choices = scopes,
        .help = "What is undone: what its stage did, with its `use`; or all that the run did"},
    FIELD_END,
};
static const struct field outputs[] = {FIELD_END};

const struct step_type rollback_step_type = {
    .name = "rollback",
    .summary = "Fails on purpose, so that what was done is undone",
    .fields = fields,
    .outputs = outputs,
};
