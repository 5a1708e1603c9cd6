# engine/sim/engine.c: acts and answers before what it rests upon is on disk
s/if (waits_for_disk(world)) return false;//
