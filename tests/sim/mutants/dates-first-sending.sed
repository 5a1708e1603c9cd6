# engine/state/reduce.c: remembers when an effect was first sent, not when it was sent again
s/ || json_flag(event->data, "again", false);/;/
