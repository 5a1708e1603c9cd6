/* tables.c: what a pipeline file may hold. The loader, the JSON schema and docs/reference/pipeline.md all read these tables. */
#include "spec/fields.h"

#define DAYS(n) ((n) * 24LL * 3600 * 1000)

static const char *const sandbox_modes[] = {"default", "none", NULL};
static const char *const networks[] = {"none", "host", NULL};
const struct field sandbox_fields[] = {
    {.name = "mode", .type = FIELD_CHOICE, .flags = FIELD_LITERAL | FIELD_SHORT, .choices = sandbox_modes,
        .help = "`sandbox: none` runs the step without isolation, where the operator allows it"},
    {.name = "network", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = networks,
        .help = "`none`, the default, is loopback only; `host` is the machine's network"},
    {.name = "memory", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = 1LL << 50, .help = "Most memory, like 1GiB"},
    {.name = "cpu", .type = FIELD_NUMBER, .flags = FIELD_LITERAL, .min = 0, .max = 4096, .help = "Most processors at a time, like 2 or 0.5"},
    {.name = "processes", .type = FIELD_INTEGER, .flags = FIELD_LITERAL, .min = 1, .max = 1000000, .help = "Most processes at a time"},
    {.name = "disk", .type = FIELD_SIZE, .flags = FIELD_LITERAL, .min = 1 << 20, .max = 1LL << 50, .help = "Most bytes in the workspace"},
    FIELD_END,
};

static const char *const retry_reasons[] = {"worker_lost", "timeout", "failed", NULL};
const struct field retry_fields[] = {
    {.name = "times", .type = FIELD_INTEGER, .flags = FIELD_LITERAL | FIELD_SHORT, .fallback = "1", .min = 0, .max = 100,
        .help = "Further attempts after the first; `retry: 2` is short for it"},
    {.name = "on", .type = FIELD_TEXT_LIST, .flags = FIELD_LITERAL, .fallback = "worker_lost, timeout, failed", .choices = retry_reasons,
        .help = "The reasons that are tried again"},
    {.name = "wait", .type = FIELD_DURATION, .flags = FIELD_LITERAL, .fallback = "0s", .min = 0, .max = DAYS(1), .help = "Pause before each further attempt"},
    FIELD_END,
};

static const char *const param_types[] = {"text", "name", "path", "boolean", "integer", "number", "duration", "size", "text-list", NULL};
const struct field param_fields[] = {
    {.name = "type", .type = FIELD_CHOICE, .flags = FIELD_LITERAL | FIELD_SHORT, .fallback = "text", .choices = param_types,
        .help = "What its values are; `NAME: integer` is short for `NAME: { type: integer }`"},
    {.name = "default", .type = FIELD_ANY, .flags = FIELD_RAW | FIELD_LITERAL, .help = "Its value where none is given; without a default one must be given"},
    {.name = "min", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "The least value of an integer, a number, a duration or a size"},
    {.name = "max", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "The greatest one"},
    {.name = "choices", .type = FIELD_TEXT_LIST, .flags = FIELD_LITERAL, .help = "The only values that a text may have"},
    {.name = "help", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "One sentence for whoever gives a value"},
    FIELD_END,
};

const struct field push_fields[] = {
    {.name = "branches", .type = FIELD_TEXT_LIST, .flags = FIELD_LITERAL, .help = "Only these branches; `*` stays within a part of the name, `**` does not"},
    {.name = "paths", .type = FIELD_TEXT_LIST, .flags = FIELD_LITERAL, .help = "Only when one of the changed files matches"},
    {.name = "tags", .type = FIELD_TEXT_LIST, .flags = FIELD_LATER, .help = "Only these tags"},
    FIELD_END,
};

static const struct field on_fields[] = {
    {.name = "push", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = push_fields, .help = "A push to the repository; `push: {}` is any"},
    {.name = "schedule", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "A time"},
    {.name = "webhook", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "A call from another system"},
    FIELD_END,
};

const struct field approve_fields[] = {
    {.name = "by", .type = FIELD_TEXT_LIST, .flags = FIELD_REQUIRED, .help = "The people and groups who may decide"},
    {.name = "quorum", .type = FIELD_INTEGER, .flags = FIELD_LITERAL, .fallback = "1", .min = 1, .max = 100, .help = "How many of them must approve; one rejection ends it"},
    {.name = "not-author", .type = FIELD_BOOLEAN, .flags = FIELD_LITERAL, .fallback = "false", .help = "The author of the change may not decide"},
    {.name = "expires", .type = FIELD_DURATION, .flags = FIELD_LITERAL, .fallback = "7d", .min = 1000, .max = DAYS(365), .help = "Nobody decided by then: the stage fails"},
    {.name = "ask", .type = FIELD_TEXT, .help = "The question"},
    FIELD_END,
};

const struct field step_fields[] = {
    {.name = "id", .type = FIELD_NAME, .flags = FIELD_LITERAL, .help = "What references call the step; by default its type, with -2, -3 where that is taken"},
    {.name = "name", .type = FIELD_TEXT, .flags = FIELD_LITERAL, .help = "A title for people"},
    {.name = "if", .type = FIELD_CONDITION, .help = "A bare boolean expression; false skips the step"},
    {.name = "env", .type = FIELD_TEXT_MAP, .help = "Environment variables, over the stage's and the pipeline's"},
    {.name = "timeout", .type = FIELD_DURATION, .flags = FIELD_LITERAL, .min = 1, .max = DAYS(30), .help = "The step is ended after this time; by default after 1h"},
    {.name = "retry", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = retry_fields, .help = "Try again, by the reason of the failure"},
    {.name = "sandbox", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = sandbox_fields, .help = "Isolation and limits, over the stage's and the pipeline's"},
    {.name = "outputs", .type = FIELD_NAME_LIST, .flags = FIELD_LITERAL | FIELD_RAW, .help = "Names of the values that a `run` step writes to $CRESCENDO_OUTPUT"},
    {.name = "allow-failure", .type = FIELD_BOOLEAN, .flags = FIELD_LITERAL, .help = "A failure counts as success and stays visible"},
    {.name = "cache", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "Keep results for the same inputs"},
    {.name = "reports", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "Test reports"},
    FIELD_END,
};

static const char *const checkouts[] = {"clean", "none", NULL};
const struct field stage_fields[] = {
    {.name = "stage", .type = FIELD_NAME, .flags = FIELD_REQUIRED | FIELD_LITERAL, .help = "The stage's name"},
    {.name = "needs", .type = FIELD_NAME_LIST, .flags = FIELD_LITERAL | FIELD_RAW,
        .help = "The stages that must succeed before; by default the one above, `needs: []` starts at once"},
    {.name = "if", .type = FIELD_CONDITION, .help = "A bare boolean expression; false skips the stage"},
    {.name = "env", .type = FIELD_TEXT_MAP, .help = "Environment variables of all its steps"},
    {.name = "timeout", .type = FIELD_DURATION, .flags = FIELD_LITERAL, .min = 1, .max = DAYS(30), .help = "Time for the whole stage"},
    {.name = "sandbox", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = sandbox_fields, .help = "Isolation and limits of all its steps"},
    {.name = "checkout", .type = FIELD_CHOICE, .flags = FIELD_LITERAL, .choices = checkouts, .help = "`none`: the workspace starts empty; by default it holds the commit's files"},
    {.name = "inputs", .type = FIELD_ANY, .flags = FIELD_LITERAL | FIELD_RAW, .help = "Files from the workspaces of earlier stages: `{ STAGE: [globs] }`"},
    {.name = "allow-failure", .type = FIELD_BOOLEAN, .flags = FIELD_LITERAL, .help = "A failure counts as success and stays visible"},
    {.name = "steps", .type = FIELD_ANY, .flags = FIELD_RAW, .help = "What it does, one after another in one workspace"},
    {.name = "use", .type = FIELD_NAME, .flags = FIELD_LITERAL, .help = "Takes the stages of pipelines/NAME.yaml instead of steps"},
    {.name = "with", .type = FIELD_ANY, .flags = FIELD_RAW, .help = "The values of the used file's params"},
    {.name = "approve", .type = FIELD_OBJECT, .fields = approve_fields, .help = "Waits for people instead of running steps"},
    {.name = "matrix", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "The stage once for each combination of values"},
    {.name = "parallel", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "How many of a matrix run at a time"},
    {.name = "fail-fast", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "Whether one failure ends the rest of a matrix"},
    {.name = "concurrency", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "A queue shared with other runs"},
    {.name = "secrets", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "Secrets handed to a used file"},
    {.name = "on-failure", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "What to do when it fails"},
    FIELD_END,
};

const struct field pipeline_fields[] = {
    {.name = "pipeline", .type = FIELD_NAME, .flags = FIELD_LITERAL, .help = "Its name; by default the file's, without .yaml"},
    {.name = "service", .type = FIELD_PATH, .flags = FIELD_LITERAL, .help = "The service's descriptor, service.yaml"},
    {.name = "on", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = on_fields, .help = "What starts it; by default every push, `on: {}` is nothing but a person"},
    {.name = "params", .type = FIELD_OBJECT_MAP, .flags = FIELD_LITERAL | FIELD_RAW, .fields = param_fields, .help = "Values that whoever starts it, or uses it, may give"},
    {.name = "env", .type = FIELD_TEXT_MAP, .help = "Environment variables of all steps; their values can refer to params and run"},
    {.name = "sandbox", .type = FIELD_OBJECT, .flags = FIELD_LITERAL, .fields = sandbox_fields, .help = "Isolation and limits of all steps"},
    {.name = "timeout", .type = FIELD_DURATION, .flags = FIELD_LITERAL, .min = 1, .max = DAYS(365), .help = "Time for the whole run"},
    {.name = "stages", .type = FIELD_ANY, .flags = FIELD_REQUIRED | FIELD_RAW, .help = "A list of stages, each begins with `- stage: NAME`"},
    {.name = "outputs", .type = FIELD_TEXT_MAP, .flags = FIELD_RAW, .help = "For a file that is used: the values that its user can refer to"},
    {.name = "secrets", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "References to secrets"},
    {.name = "matrix", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "Stages have it"},
    {.name = "concurrency", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "A queue shared with other runs"},
    {.name = "on-failure", .type = FIELD_ANY, .flags = FIELD_LATER, .help = "What to do when the run fails"},
    FIELD_END,
};
