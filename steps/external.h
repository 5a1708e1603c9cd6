/* external.h: step types that are programs of their own: an executable crescendo-step-NAME in a folder of PATH is the step type NAME.
   crescendo-step-NAME.json beside it is its table:
       {"summary": "...", "fields": [{"name", "type", "required", "short", "default", "choices", "min", "max", "help"}],
        "outputs": [{"name", "type", "help"}], "effects": false}
   where "effects" may be a list of {"name", "target", "summary", "compensation", "pivot"}, as describe() gives it (crescendo/step.h).
   Without one the type takes a single value of any kind (`NAME: value`, or `NAME: { value: ... }`) and the step declares its outputs. */
#ifndef CRESCENDO_STEPS_EXTERNAL_H
#define CRESCENDO_STEPS_EXTERNAL_H

#include "base/arena.h"
#include "crescendo/step.h"

/* Joins builtin with the external types found in path_variable (folders separated by colons; relative ones are passed over). The
   earlier folder wins; a built-in name or a key that every step has (id, if, env, ...) cannot be taken. *ret_all is NULL-ended
   and lives in arena. Blocks on the disk. A table that is wrong is nobody's concern until a pipeline uses its type: the type then refuses
   every step with a diagnostic that names the table. */
int external_types_load(
    const char *path_variable, struct arena *arena, step_types *builtin, step_types **ret_all, struct error *err) MUST_CHECK;
/* The same, and calls back with each wrong table's mistake, for a log. */
int external_types_load_telling(const char *path_variable, struct arena *arena, step_types *builtin,
    void (*wrong)(void *context, const struct error *mistake), void *context, step_types **ret_all, struct error *err) MUST_CHECK;

/* The absolute path of the program behind an external type; caller frees. NULL when there is none. */
char *external_type_program(const char *name, const char *path_variable);

#endif
