/* keep.h: what is kept, and for how long: runs at rest that ended longer ago than the server keeps go, with their logs and their events, a
   few rows at a time. Inside engine/run only. */
#ifndef CRESCENDO_RUN_KEEP_H
#define CRESCENDO_RUN_KEEP_H

#include "run/live.h"

struct keeping;

/* keep_ms 0: for ever; what an earlier server has begun to forget is forgotten all the same. */
struct keeping *keep_open(struct engine *engine, int64_t keep_ms);
/* After the journal was closed, which may have lost what it was asked. Its memory goes when the loop comes round. */
void keep_close(struct keeping **keeping);

#endif
