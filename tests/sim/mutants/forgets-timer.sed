# engine/sim/restart.c: forgets at a restart when parked steps are to be woken
s/    world->engine.knows_shim = true;/    world->engine.knows_shim = true; world->engine.state->timer_count = 0;/
