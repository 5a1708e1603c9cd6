# engine/state/replay_decide.c: never thinks that a lease was in doubt
s/^    input.hold = true;.*/    return false;/
