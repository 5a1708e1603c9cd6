/* checkout.c: the step type `checkout`: the first step of every stage with `inputs`, and of every other that does not say
   `checkout: none`. The engine adds it; nobody writes it in a pipeline. Performed by checkout_perform.c. */
#include "registry.h"

int checkout_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */

static const struct field fields[] = {
    {.name = "inputs",
        .type = FIELD_ANY,
        .help = "Files from earlier stages' workspaces, set by the engine: a list of {stage, globs, from}"},
    {.name = "source",
        .type = FIELD_BOOLEAN,
        .fallback = "true",
        .help = "false: the commit's files stay away, as `checkout: none` says; only the inputs are copied"},
    FIELD_END,
};

const struct step_type checkout_step_type = {
    .name = "checkout",
    .summary = "Fills a stage's workspace with the commit's files and its inputs",
    .fields = fields,
    .perform = checkout_perform,
};
