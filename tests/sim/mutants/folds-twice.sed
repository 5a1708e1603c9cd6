# engine/sim/restart.c: folds each event of the journal twice at a restart
s/if (reduce(world->engine.state, &batch->events.items\[j\], &err))/if (reduce(world->engine.state, \&batch->events.items[j], \&err) || reduce(world->engine.state, \&batch->events.items[j], \&err))/
