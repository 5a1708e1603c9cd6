/* registry.c: the table of built-in step types. A new one is a line here. */
#include "registry.h"

#include <string.h>

const struct step_type *const step_types_builtin[] = {
    &run_step_type,
    &package_step_type,
    &checkout_step_type,
    &approve_step_type,
    &publish_step_type,
    &order_step_type,
    &shift_step_type,
    &kpi_step_type,
    &scale_step_type,
    &promote_step_type,
    &retire_step_type,
    &notify_step_type,
    &rollback_step_type,
    NULL,
};

const struct step_type *step_type_find(step_types *types, const char *name)
{
    for (; *types; types++)
        if (strcmp((*types)->name, name) == 0) return *types;
    return NULL;
}
