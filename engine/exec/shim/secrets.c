/* secrets.c: the secrets that a run's steps were given are hidden in all that any of them prints from then on, and reported by none of
   them. They are in this process's memory alone, in the mask and in the steps that wait; RUN/ never holds one. */
#include "shim.h"

#include <string.h>
#include <unistd.h>

void secret_hide(struct shim *shim, const char *value, size_t size)
{
    if (!shim->mask) shim->mask = mask_new();
    mask_add(shim->mask, value, size); /* one that is too short the engine refuses before */
    if (mask_is_empty(shim->mask)) mask_free(&shim->mask);
}

bool secret_is_in(struct shim *shim, const char *bytes, size_t size)
{
    return size && shim->mask && mask_finds(shim->mask, bytes, size);
}

bool secrets_refuse_outputs(struct shim *shim, struct step *step)
{
    if (!secret_is_in(shim, step->outputs, step->outputs_size)) return false;
    explicit_bzero(step->outputs, step->outputs_size);
    step->outputs_size = 0;
    if (!step->message[0])
        snprintf(step->message, sizeof step->message,
            "the file $CRESCENDO_OUTPUT holds a secret, and outputs are kept for ever: hand it to later steps by their own env:");
    return true;
}

static void show(struct shim *shim, const struct stream *stream, struct masked masked)
{
    if (masked.size) stream_write(shim, stream, masked.bytes, masked.size);
}

ssize_t secrets_read_piece(struct shim *shim, struct stream *stream)
{
    unsigned char *room = mask_room(shim->mask, &stream->carry);
    ssize_t got = read(stream->watch.fd, room, MASK_PIECE_BYTES);
    if (got > 0) show(shim, stream, mask_take(shim->mask, &stream->carry, (size_t)got));
    return got;
}

void secrets_end_stream(struct shim *shim, struct stream *stream)
{
    if (stream->carry.size) show(shim, stream, mask_end(shim->mask, &stream->carry));
}
