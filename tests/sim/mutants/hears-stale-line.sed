# engine/sim/engine.c: takes the line of an earlier attempt for one of the present one
s/if (engine->state->steps\[wire->step\].attempt != wire->attempt) return;//
