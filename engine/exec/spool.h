/* spool.h: reads frames of reports: from the socket or from RUN/reports. Inside engine/exec only. */
#ifndef CRESCENDO_EXEC_SPOOL_H
#define CRESCENDO_EXEC_SPOOL_H

#include "base/text.h"
#include "exec/supervisor.h"
#include "exec/wire.h"

/* Turns one frame's payload into a report; texts are NUL-terminated copies in *text, which is emptied first and owned by the caller.
   false: the frame is none that version 1 knows. */
bool report_read(unsigned type, struct view payload, struct text *text, struct supervisor_report *ret);

/* Reads RUN/reports and calls back for each report beyond *sequence, in order, which it advances. A torn tail and a missing file are the
   end. Blocks for the disk only. */
void spool_read(
    const char *folder, uint64_t *sequence, void (*report)(void *context, const struct supervisor_report *report), void *context);

#endif
