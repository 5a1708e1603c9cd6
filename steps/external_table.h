/* external_table.h: the table of one external step type, read from the JSON file beside its program. */
#ifndef CRESCENDO_STEPS_EXTERNAL_TABLE_H
#define CRESCENDO_STEPS_EXTERNAL_TABLE_H

#include "base/arena.h"
#include "crescendo/step.h"

/* program: its path; the table is at program + ".json". All of *ret lives in arena. Blocks on the disk. */
int external_table_read(const char *program, const char *name, struct arena *arena, struct step_type **ret, struct error *err) MUST_CHECK;

/* A type that refuses every step, because its table is wrong: what a pipeline that uses it is told. Lives in arena. */
struct step_type *external_table_refuse(const char *name, const struct error *mistake, struct arena *arena);

#endif
