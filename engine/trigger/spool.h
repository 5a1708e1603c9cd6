/* spool.h: pushes that came while no server was there: files in DATA/repositories/NAME.git/crescendo-spool, one body of POST /v1/pushes
   each, left by the hook. They are taken at the start and looked for every minute. */
#ifndef CRESCENDO_TRIGGER_SPOOL_H
#define CRESCENDO_TRIGGER_SPOOL_H

#include "trigger/trigger.h"

struct spool;

/* Submits what is there; the file goes once its run is on disk, or becomes FILE.rejected where its content is hopeless. The trigger
   is borrowed for the spool's life. */
struct spool *spool_open(uv_loop_t *loop, const struct trigger *trigger);
/* Submissions on their way are forgotten; their files stay and the next start finds their runs known. After engine_close. Its memory
   is freed when the loop comes round. */
void spool_close(struct spool **spool);

#endif
