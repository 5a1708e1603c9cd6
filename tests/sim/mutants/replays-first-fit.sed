# engine/state/replay.c: takes what fits first for what was decided
s/^        failed = walk_once(replay, true, &result, err);/        failed = walk_once(replay, false, \&result, err);/
