# engine/state/settle.c: lets a step fail whose effect is open when it was looked for once, and asks nobody
s/if (step_has_effect(settlement->step, effect_is_unsettled)) return become_unknown(settlement, message);//
