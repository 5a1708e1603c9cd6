/* peer.h: which user is at the other end of a Unix socket, and in which groups. */
#ifndef CRESCENDO_HTTP_PEER_H
#define CRESCENDO_HTTP_PEER_H

#include "crescendo/error.h"

#include <stdint.h>

struct peer { /* counted: a request holds one while it lives */
    char *user;
    char **groups; /* NULL-ended; the user's own name is the first */
    unsigned references;
    unsigned uid;
    int64_t since_ms;
    struct peer *next;
};
/* Peers seen in the last minute, so that the user database is not read for each request. */
struct peer_cache { /* starts as {0} */
    struct peer *first;
};

/* Asks the kernel who opened the socket. A uid without a name is "uid-1000". Reads the user database: may block briefly. */
int peer_of_socket(struct peer_cache *cache, int fd, struct peer **ret, struct error *err) MUST_CHECK;
/* The owner of a token, as a peer of its own. Copies. */
struct peer *peer_of_token(const char *user, const char *const *groups);
void peer_release(struct peer **peer);
void peer_cache_release(struct peer_cache *cache);

#endif
