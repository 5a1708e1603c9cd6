/* peer.c: which user is at the other end of a Unix socket, and in which groups. */
#include "http/peer.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CACHE_MS = 60 * 1000, GROUPS_MAX = 256 };

static void read_groups(struct peer *peer, gid_t gid)
{
    gid_t ids[GROUPS_MAX];
    int count = GROUPS_MAX;
    if (getgrouplist(peer->user, gid, ids, &count) < 0) count = GROUPS_MAX;
    peer->groups = mem_alloc_array((size_t)count + 2, sizeof *peer->groups);
    size_t used = 0;
    peer->groups[used++] = mem_copy_text(peer->user);
    for (int i = 0; i < count; i++) {
        const struct group *group = getgrgid(ids[i]);
        if (group && strcmp(group->gr_name, peer->user) != 0) peer->groups[used++] = mem_copy_text(group->gr_name);
    }
}

static struct peer *peer_new(uid_t uid, gid_t gid)
{
    struct peer *peer = mem_alloc(sizeof *peer);
    const struct passwd *entry = getpwuid(uid);
    peer->uid = uid;
    peer->since_ms = clock_monotonic_us() / 1000;
    peer->references = 1;
    peer->user = entry ? mem_copy_text(entry->pw_name) : mem_format("uid-%u", uid);
    read_groups(peer, entry ? entry->pw_gid : gid);
    return peer;
}

struct peer *peer_of_token(const char *user, const char *const *groups)
{
    struct peer *peer = mem_alloc(sizeof *peer);
    size_t count = 0, used = 0;
    while (groups && groups[count])
        count++;
    peer->references = 1;
    peer->user = mem_copy_text(user);
    peer->groups = mem_alloc_array(count + 2, sizeof *peer->groups);
    peer->groups[used++] = mem_copy_text(user);
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i], user) != 0) peer->groups[used++] = mem_copy_text(groups[i]);
    return peer;
}

void peer_release(struct peer **peer)
{
    struct peer *one = take(peer);
    if (!one || --one->references > 0) return;
    for (char **group = one->groups; *group; group++)
        free(*group);
    free(one->groups);
    free(one->user);
    free(one);
}

/* Finds the cached peer, dropping what is too old on the way. */
static struct peer *cached(struct peer_cache *cache, uid_t uid)
{
    int64_t oldest_ms = clock_monotonic_us() / 1000 - CACHE_MS;
    for (struct peer **at = &cache->first; *at;) {
        struct peer *peer = *at;
        if (peer->since_ms >= oldest_ms) {
            if (peer->uid == uid) return peer;
            at = &peer->next;
            continue;
        }
        *at = peer->next;
        peer_release(&peer);
    }
    return NULL;
}

int peer_of_socket(struct peer_cache *cache, int fd, struct peer **ret, struct error *err)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return error_set_errno(err, errno, "cannot tell who asks");
    struct peer *peer = cached(cache, credentials.uid);
    if (!peer) {
        peer = peer_new(credentials.uid, credentials.gid);
        peer->next = cache->first;
        cache->first = peer;
    }
    peer->references++;
    *ret = peer;
    return 0;
}

void peer_cache_release(struct peer_cache *cache)
{
    while (cache->first) {
        struct peer *peer = cache->first;
        cache->first = peer->next;
        peer_release(&peer);
    }
}
