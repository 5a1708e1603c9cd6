/* ended.c: network namespaces of stages that are over, ended in batches. The kernel waits for grace periods while it ends one, and lets
   nobody make another meanwhile; many at once cost it no more than one. Nobody enters them again: holding one is all that is done. */
#include "shim.h"

#include <fcntl.h>
#include <unistd.h>

int network_hold(pid_t init)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)init);
    return open(path, O_RDONLY | O_CLOEXEC);
}

void network_release(struct shim *shim, int network)
{
    struct ended_networks *ended = &shim->ended;
    if (network < 0) return;
    ended->networks[ended->count++] = network;
    if (ended->count < ENDED_MAX) return;
    for (unsigned i = 0; i < ended->count; i++)
        close(ended->networks[i]);
    ended->count = 0;
}
