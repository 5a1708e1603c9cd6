# engine/state/decide_undo.c: undoes what was done earlier though what was done later could not be undone
s/if (!step_status_at_rest(state->steps\[i\].status)) return i;/if (!step_status_at_rest(state->steps[i].status) \&\& (state->steps[i].status != STEP_compensation_failed || undo_next(state, state->undoes_unfinished) == NO_STEP)) return i;/
