/* chain.c: the hash chain of a run's events. Numbers are big endian, texts have their length before them, so that no two
   different events give the same bytes. */
#include "store/chain.h"

#include <string.h>

static void add_number(struct sha256 *hash, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (56 - 8 * i));
    sha256_add(hash, bytes, sizeof bytes);
}

static void add_text(struct sha256 *hash, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    add_number(hash, text ? size : UINT64_MAX);
    sha256_add(hash, text, size);
}

void chain_add(struct chain_head *head, const struct chain_link *link)
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, head->hash, sizeof head->hash);
    add_number(&hash, link->run);
    add_number(&hash, link->seq);
    add_number(&hash, (uint64_t)link->time_ms);
    add_number(&hash, (uint64_t)link->step << 32 | link->version);
    add_text(&hash, link->type);
    add_text(&hash, link->data);
    sha256_finish(&hash, head->hash);
    head->run = link->run;
    head->seq = link->seq;
}
