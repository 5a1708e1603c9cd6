# engine/state/reduce.c: does not count that a person cancelled
s/bool is_first = !state->cancel_count++;/bool is_first = !state->cancel_count;/
