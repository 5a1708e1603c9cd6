# engine/sim/effects.c: takes it for absent what a peer that forgets does not find
s/world->peer.kinds\[process->step\] == PEER_FORGETS)/false)/
