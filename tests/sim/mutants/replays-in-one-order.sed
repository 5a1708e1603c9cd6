# engine/state/replay_decide.c: looks at stages in the order of its own list
s/^    if (state->dirty_count > 1) order_as_followed(replaying, count);$/    (void)order_as_followed;/
