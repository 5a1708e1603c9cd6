# engine/sim/effects.c: does not wait for the longest life of the first request before the second is sent
s/|| process->has_waited;/|| true;/
