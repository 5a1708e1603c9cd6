# engine/state/undo.c: of what is in doubt does not undo first what was begun last
s/state->done_count + effect->begun/state->done_count + 1/
