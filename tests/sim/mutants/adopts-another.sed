# engine/sim/peer.c: takes another order of the peer for the one that it looks for
s/if (!strcmp(world->peer.orders\[i\].key, key)) return/if (*key) return/
