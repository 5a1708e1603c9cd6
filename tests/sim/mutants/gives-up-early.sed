# engine/sim/effects.c: takes it for absent at once what a peer that knows a repetition does not have, though nothing will be sent again
s/if (life_left_ms(world, process) > 0) return/if (kind != PEER_DEDUPES \&\& life_left_ms(world, process) > 0) return/
