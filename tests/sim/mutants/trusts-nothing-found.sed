# engine/sim/effects.c: takes it for absent what a peer that forgets does not find
s/if (kind == PEER_FORGETS) return/if (false) return/
