# engine/sim/ticks.c: leaves the cursor where it was, so that records are fed twice
s/    place->cursor = end;//
