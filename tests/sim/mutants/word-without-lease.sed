# engine/state/effect.c: lets a person's word that it was done say nothing of the lease that was intended
s/effect->expects ? json_copy(effect->expects)/false ? json_copy(effect->expects)/
