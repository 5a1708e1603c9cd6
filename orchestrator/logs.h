/* logs.h: GET /logs/v1/services/{service}: what a service's instances printed, as its domain's keeper keeps it (KEEP/logs). */
#ifndef CRESCENDO_ORCHESTRATOR_LOGS_H
#define CRESCENDO_ORCHESTRATOR_LOGS_H

#include "http/server.h"

struct journal;
struct logs;

/* keepers: absolute; a domain's keeper is in keepers/NAME. The journal is borrowed and asked while a request is handled. */
struct logs *logs_open(uv_loop_t *loop, const char *keepers, struct journal *journal);
/* What is being read then is answered to no effect; its memory goes when the loop comes round. */
void logs_close(struct logs **logs);
/* Files are read on a worker thread: the loop does not wait for the disk. */
struct http_mount logs_mount(struct logs *logs);

/* The last `lines` lines of FOLDER/NUMBER.log and of FOLDER/NUMBER.log.1, which stands before it; of each instance of the folder with a
   line that names it when number is 0 and there are several. At most LOGS_ANSWER_BYTES, whole lines. -ERROR_NOT_FOUND: there is no such
   file. Blocks on the disk. Appends to ret. */
enum { LOGS_ANSWER_BYTES = 4 * 1024 * 1024, LOGS_LINES = 200, LOGS_LINES_MAX = 10000 };
struct text;
int logs_read(const char *folder, int64_t number, int64_t lines, struct text *ret, struct error *err) MUST_CHECK;

#endif
