/* spare.c: a shim that no run has yet: started ahead, with all made that does not depend on the run. It is its engine's alone: when that
   goes away before a run took it, it ends. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

/* What `ps` shows, and who looks for a run's shim reads: "crescendo-shim RUN". The words lie one behind the other; what is too long is cut.
 */
static void rename_process(char **argv, const char *folder)
{
    char *end = argv[2] + strlen(argv[2]);
    size_t room = (size_t)(end - argv[1]);
    size_t size = strlen(folder) < room ? strlen(folder) : room;
    memset(argv[1], 0, room);
    memcpy(argv[1], folder, size);
}

bool spare_take(struct shim *shim, struct view payload)
{
    size_t size;
    const char *folder = view_text(&payload, &size);
    if (payload.bad || !shim->spare_argv || size == 0 || size >= sizeof shim->folder / 2 || folder[0] != '/') return false;
    memcpy(shim->folder, folder, size);
    shim->folder[size] = '\0';
    rename_process(shim->spare_argv, shim->folder);
    shim->spare_argv = NULL;
    return true;
}
