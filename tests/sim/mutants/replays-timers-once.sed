# engine/state/replay_decide.c: forgets a timer that was due at the time of an event that nobody decided
s/^    state->timer_count = timer_count;$//
s/^    if (timers) memcpy(state->timers, timers, timer_count \* sizeof \*timers);$//
