/* keeper.h: starting a domain's keeper: `crescendo-shim --keep FOLDER`, which outlives whoever starts it. */
#ifndef CRESCENDO_EXEC_KEEPER_H
#define CRESCENDO_EXEC_KEEPER_H

#include "crescendo/error.h"

/* Makes sure that FOLDER (made where it is missing) has a living keeper: finds it by the lock FOLDER/keeper.lock or starts one, and returns
   when its socket answers. Blocks: a few milliseconds, at most ten seconds. A keeper started anew takes up what FOLDER/state says. */
int keeper_ensure(const char *folder, const char *shim_path, struct error *err) MUST_CHECK;

/* Waits until a keeper that said that it would end has done so. -ERROR_TIMEOUT: it lives yet. Blocks. */
int keeper_end_awaited(const char *folder, int timeout_ms, struct error *err) MUST_CHECK;

#endif
