# engine/sim/effects.c: does not wait for the longest life of the first request before the second is sent
s/if (life_left_ms(world, process) > 0) return/if (false) return/
