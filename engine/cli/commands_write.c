/* commands_write.c: options and examples of the rows that check, plan, simulate and run a pipeline file. */
#include "cli/commands_tables.h"
#include "cli/planning.h"

#define PARAM_OPTION \
    { \
        "param", 'p', "NAME=VALUE", "a parameter's value; may be repeated" \
    }

const struct option_spec lint_options[] = {
    {"format", 0, "FORMAT", "text, json or sarif"},
    {"schema", 0, NULL, "print the JSON schema of pipeline files"},
    {"reference", 0, NULL, "print the reference page of pipeline, service or domain instead of reading a FILE"},
    OPTION_END,
};
const struct example lint_examples[] = {
    {"crescendo lint", "crescendo.yaml in this folder"},
    {"crescendo lint --format sarif build.yaml", "for a code scanner"},
    {0},
};

const struct option_spec plan_options[] = {
    PARAM_OPTION,
    {"format", 0, "FORMAT", "text, json or dot"},
    {"json", 0, NULL, "the same as --format json"},
    {"bodies", 0, NULL, "as text, with all that effects send; JSON has it always"},
    PLANNING_OPTIONS,
    OPTION_END,
};
const struct example plan_examples[] = {
    {"crescendo plan", "what crescendo.yaml would do"},
    {"crescendo plan --param replicas=4", "with another value"},
    {"crescendo plan --format dot | dot -Tsvg > plan.svg", "as a picture"},
    {0},
};

const struct option_spec simulate_options[] = {
    {"scenario", 's', "NAME", "what goes wrong; the default is calm; list shows them"},
    {"seed", 0, "N", "which run of the scenario; the default is 1; the same seed is the same run"},
    {"seeds", 0, "N", "so many runs, from --seed on: how they end, and the first seed of each kind"},
    PARAM_OPTION,
    {"json", 0, NULL, "as JSON"},
    PLANNING_OPTIONS,
    OPTION_END,
};
const struct example simulate_examples[] = {
    {"crescendo simulate --scenario lossy-order", "replies to orders are lost: what does crescendo.yaml do?"},
    {"crescendo simulate --scenario storm --seeds 200", "two hundred runs in which everything goes wrong"},
    {"crescendo simulate --scenario storm --seed 17", "one of them, told from beginning to end"},
    {"crescendo simulate --scenario list", "which scenarios there are"},
    {0},
};

const struct option_spec run_options[] = {
    PARAM_OPTION,
    {"detach", 'd', NULL, "print the run's number and return"},
    {"no-wait", 0, NULL, "stop watching with exit code 3 when it waits for approval"},
    {"plain", 0, NULL, "lines instead of a live picture"},
    {"repository", 'r', "NAME", "run the file as it is in this repository"},
    {"ref", 0, "REF", "branch, tag or commit there; the default is main"},
    {"title", 0, "TEXT", "what to call the run"},
    {"json", 0, NULL, "with --detach: the server's answer as JSON"},
    OPTION_END,
};
const struct example run_examples[] = {
    {"crescendo run", "crescendo.yaml of this folder, as the folder is now"},
    {"crescendo run --param replicas=2 deploy.yaml", "another file, a parameter"},
    {"crescendo run --repository hello --ref v1.2", "what was pushed, at a tag"},
    {0},
};
