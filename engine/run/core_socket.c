/* core_socket.c: the embedded core's socket for sandboxed steps. */
#include "run/core_socket.h"

#include "base/mem.h"
#include "exec/protocol.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its group stays ours: on an id-mapped mount nobody may write to what belongs to an id that the map has not. So it is the folder that
   keeps others out. */
void core_socket_share(const char *socket)
{
    AUTO(free_text) char *copy = mem_copy_text(socket);
    const char *folder = dirname(copy);
    struct stat facts;
    if (geteuid() != 0 || stat(folder, &facts) < 0) return;
    bool ours = facts.st_gid == SANDBOX_USER || chown(folder, (uid_t)-1, SANDBOX_USER) == 0;
    if (ours && chmod(folder, 0710) == 0) (void)chmod(socket, 0666);
}
