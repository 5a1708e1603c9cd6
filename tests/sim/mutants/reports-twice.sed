# engine/sim/restart.c: does not remember at a restart which reports were heard
s/world->engine.sequence = batch->sequence;//
