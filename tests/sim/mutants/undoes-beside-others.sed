# engine/state/decide_turn.c: goes on undoing though another run is in the groups that it gave back
s/^    if (!state->gave_back) return true;/    return true;/
