# engine/state/decide_turn.c: lets a stage into a group that another run holds
s/if (!turn || !turn->group)$/if (true)/
