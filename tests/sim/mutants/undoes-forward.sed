# engine/state/undo.c: undoes what was done first before what was done last
s/if (order_of(state, effect) <= latest ||/if ((latest \&\& order_of(state, effect) >= latest) ||/
