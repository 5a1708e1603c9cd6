/* project.h: what the rows of the journal's projections say of a run: functions of its plan and its state, nothing else. */
#ifndef CRESCENDO_RUN_PROJECT_H
#define CRESCENDO_RUN_PROJECT_H

#include "state/state.h"
#include "store/journal.h"

struct step_counts { /* over the run's life: those at rest now, and how often one failed */
    uint32_t done, failed;
};
void step_counts_move(struct step_counts *counts, enum step_status before, enum step_status after);

struct projected { /* all borrowed */
    uint64_t run;
    const struct plan *plan;
    const struct run_state *state;
    const json_t *accepted; /* run_accepted's data */
    struct step_counts counts;
};
/* What the rows say is borrowed from it. */
void project_run(const struct projected *projected, struct run_row *row);
/* *ret_outputs: the row's text of the same name; caller frees, NULL is fine. */
void project_step(const struct projected *projected, uint32_t step, struct step_row *row, char **ret_outputs);

#endif
