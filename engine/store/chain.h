/* chain.h: the hash chain of a run's events: who changes, drops or swaps one breaks all behind it. */
#ifndef CRESCENDO_STORE_CHAIN_H
#define CRESCENDO_STORE_CHAIN_H

#include "base/sha256.h"

#include <stdint.h>

enum { EVENT_VERSION = 1 }; /* of an event's data, as written today; a column, because old events stay as they were */

/* What a link covers; data may be NULL. */
struct chain_link {
    uint64_t run, seq;
    int64_t time_ms;
    uint32_t step, version;
    const char *type, *data;
};

/* The last event of a run: seq 0 and a hash of zeros before the first. */
struct chain_head {
    uint64_t run, seq;
    unsigned char hash[SHA256_BYTES];
};

/* Moves head on by one link: hash = SHA-256(hash || canonical fields), docs/formats/journal.md says which. Pure. */
void chain_add(struct chain_head *head, const struct chain_link *link);

#endif
