/* ports.c: the ports that a domain's families are reached at. The keeper itself listens on them, its guardian holds them, and HAProxy
   inherits the sockets: so a new family needs no other HAProxy, and while a killed HAProxy or keeper is replaced clients wait in the queue
   of the socket instead of being refused. A port without a family is closed to clients by its route. */
#include "keep.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_at(const char *address, int number)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    const int on = 1;
    if (inet_pton(AF_INET, address, &place.sin_addr) != 1) return -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&place, sizeof place) == 0 && listen(fd, 4096) == 0) return fd;
    close(fd);
    return -1;
}

/* A port that somebody else has is left out. */
void ports_hold(struct keep *keep)
{
    for (int number = keep->first_port; number && number <= keep->last_port && keep->port_count < KEEP_PORTS; number++) {
        int fd = port_of(keep, number) ? -1 : listen_at(keep->address, number);
        if (fd < 0) continue;
        keep->ports[keep->port_count] = (struct port){.number = number, .fd = fd};
        guard_hold(keep, &keep->ports[keep->port_count++]);
    }
}

/* While there is no family, HAProxy serves nobody, and one that knows of more ports may take its place. */
void ports_look_again(struct keep *keep)
{
    unsigned before = keep->port_count;
    if (keep->families) return;
    ports_hold(keep);
    if (keep->port_count > before && keep->haproxy.pid > 0) kill(keep->haproxy.pid, SIGKILL);
}

struct port *port_of(struct keep *keep, int number)
{
    for (unsigned i = 0; i < keep->port_count; i++)
        if (keep->ports[i].number == number) return &keep->ports[i];
    return NULL;
}

static bool is_taken(const struct keep *keep, const struct family *but, int number)
{
    for (const struct family *family = keep->families; family; family = family->next)
        if (family != but && family->port == number) return true;
    return false;
}

/* The one that it had, where it can be had again. */
int family_port(struct keep *keep, struct family *family, struct error *err)
{
    if (family->port && port_of(keep, family->port) && !is_taken(keep, family, family->port)) return 0;
    for (unsigned i = 0; i < keep->port_count; i++)
        if (!is_taken(keep, family, keep->ports[i].number)) {
            family->port = keep->ports[i].number;
            return 0;
        }
    error_set(err, ERROR_LIMIT, NOWHERE, "no port from %d to %d of %s is free for the family %s", keep->first_port, keep->last_port,
        keep->address, family->name);
    return error_hint(err, "give the domain more ports, or end a service there; other programs may have them: ss -ltn");
}
