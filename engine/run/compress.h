/* compress.h: the logs of runs at rest are compressed, one at a time, by a thread of the lowest priority. Inside engine/run only. */
#ifndef CRESCENDO_RUN_COMPRESS_H
#define CRESCENDO_RUN_COMPRESS_H

#include "run/live.h"

struct compressing;

/* Goes on with what is marked in the journal. */
struct compressing *compress_open(struct engine *engine);
/* Stops in the middle of a log, which stays plain; blocks for one frame and one sync. Before the engine goes; its memory goes when the loop
   comes round. */
void compress_close(struct compressing **compressing);

/* The mark that a run's last append carries: of a run that is at rest, whose log is worth it. */
struct log_mark compress_mark(const struct live_run *run);
/* A run that has the mark is on disk. */
void compress_soon(struct compressing *compressing);
/* Its folder must not be removed now. */
bool compress_is_at(const struct compressing *compressing, uint64_t run);

#endif
