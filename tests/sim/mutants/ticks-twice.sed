# engine/state/reduce.c: forgets the place of a step that parks, so that its last tick is judged again
s/    if (!checkpoint) return;/    if (!checkpoint || event_wait(event) != WAIT_none) return;/
