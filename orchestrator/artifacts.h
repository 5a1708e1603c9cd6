/* artifacts.h: packages by their digest, as files of the core's data folder: FOLDER/HEX is whole and right, FOLDER/HEX.part is on its way.
 */
#ifndef CRESCENDO_ORCHESTRATOR_ARTIFACTS_H
#define CRESCENDO_ORCHESTRATOR_ARTIFACTS_H

#include "crescendo/error.h"
#include "http/server.h"

enum { ARTIFACT_PIECE_BYTES = 4 * 1024 * 1024 };
#define ARTIFACT_MAX_BYTES (8LL * 1024 * 1024 * 1024)

struct artifacts;

/* Creates the folder. A digest is checked on a worker thread; its answer comes on the loop's. */
int artifacts_open(uv_loop_t *loop, const char *folder, struct artifacts **ret, struct error *err) MUST_CHECK;
/* What is being checked then is answered to no effect; its memory goes when the loop comes round. */
void artifacts_close(struct artifacts **artifacts);
struct http_mount artifacts_mount(struct artifacts *artifacts);
/* The file of a digest ("sha256:HEX"); caller frees. NULL: not such a digest. Whether it is there is not asked. */
char *artifacts_path(const struct artifacts *artifacts, const char *digest);

#endif
