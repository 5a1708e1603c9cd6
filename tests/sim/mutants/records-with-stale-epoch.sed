# engine/sim/stale.c: records an outcome though another server has the folder: nobody looks at the epoch
s/    return world->stale.engine.epoch < world->epoch;/    return false;/
