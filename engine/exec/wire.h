/* wire.h: writing and reading the frames of exec/protocol.h; the same code in the engine and in the static shim. A reader never runs over
   its end: a short or wrong payload sets `bad` and reads as zeros from then on. */
#ifndef CRESCENDO_EXEC_WIRE_H
#define CRESCENDO_EXEC_WIRE_H

#include "exec/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A growing run of frames. Starts as {0}; wire_release frees. Out of memory aborts: there is nobody to tell. A START may hold secrets, so
   what is sent, handled or moved is wiped where it stood. */
struct wire {
    unsigned char *bytes;
    size_t size, capacity;
};

static inline void wire_reserve(struct wire *wire, size_t more)
{
    if (wire->capacity - wire->size >= more) return;
    size_t wanted = wire->capacity ? wire->capacity * 2 : 1024;
    if (wanted - wire->size < more) wanted = wire->size + more;
    unsigned char *grown = malloc(wanted);
    if (!grown) abort();
    if (wire->size) memcpy(grown, wire->bytes, wire->size);
    if (wire->size) explicit_bzero(wire->bytes, wire->size);
    free(wire->bytes);
    wire->bytes = grown;
    wire->capacity = wanted;
}

static inline void wire_bytes(struct wire *wire, const void *bytes, size_t size)
{
    if (!size) return;
    wire_reserve(wire, size);
    memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

static inline void wire_put_u32(unsigned char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static inline void wire_u32(struct wire *wire, uint32_t value)
{
    unsigned char bytes[4];
    wire_put_u32(bytes, value);
    wire_bytes(wire, bytes, sizeof bytes);
}

static inline void wire_u64(struct wire *wire, uint64_t value)
{
    wire_u32(wire, (uint32_t)value);
    wire_u32(wire, (uint32_t)(value >> 32));
}

static inline void wire_text_of(struct wire *wire, const char *bytes, size_t size)
{
    wire_u32(wire, (uint32_t)size);
    wire_bytes(wire, bytes, size);
}

static inline void wire_text(struct wire *wire, const char *text)
{
    wire_text_of(wire, text ? text : "", text ? strlen(text) : 0);
}

/* list: NULL-ended, may be NULL. */
static inline void wire_list(struct wire *wire, const char *const *list)
{
    uint32_t count = 0;
    while (list && list[count])
        count++;
    wire_u32(wire, count);
    for (uint32_t i = 0; i < count; i++)
        wire_text(wire, list[i]);
}

/* A frame: size_t start = wire_begin(...); fields; wire_finish(..., start). */
static inline size_t wire_begin(struct wire *wire, unsigned type)
{
    size_t start = wire->size;
    unsigned char kind = (unsigned char)type;
    wire_u32(wire, 0);
    wire_bytes(wire, &kind, 1);
    return start;
}

static inline void wire_finish(struct wire *wire, size_t start)
{
    wire_put_u32(wire->bytes + start, (uint32_t)(wire->size - start - SHIM_HEADER_SIZE));
}

/* Forgets the first bytes. */
static inline void wire_drop(struct wire *wire, size_t size)
{
    if (!size) return;
    if (size < wire->size) memmove(wire->bytes, wire->bytes + size, wire->size - size);
    explicit_bzero(wire->bytes + (wire->size - size), size);
    wire->size -= size;
}

static inline void wire_release(struct wire *wire)
{
    if (wire->size) explicit_bzero(wire->bytes, wire->size);
    free(wire->bytes);
    *wire = (struct wire){0};
}

/* What is left of a payload. */
struct view {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static inline uint32_t view_u32(struct view *view)
{
    if (view->left < 4) {
        view->bad = true;
        view->left = 0;
        return 0;
    }
    const unsigned char *at = view->at;
    view->at += 4;
    view->left -= 4;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t view_u64(struct view *view)
{
    uint64_t low = view_u32(view);
    return low | (uint64_t)view_u32(view) << 32;
}

/* Borrowed from the payload, not NUL-terminated; "" and 0 when the payload is bad. */
static inline const char *view_text(struct view *view, size_t *ret_size)
{
    size_t size = view_u32(view);
    if (size > view->left) {
        view->bad = true;
        view->left = size = 0;
    }
    const char *text = size ? (const char *)view->at : "";
    view->at += size;
    view->left -= size;
    *ret_size = size;
    return text;
}

/* Looks at the frame at the front of bytes: 1 and its type and payload when it is whole, 0 when more bytes are needed, -1 when it is too
   large to be one. */
static inline int frame_peek(const unsigned char *bytes, size_t size, unsigned *ret_type, struct view *ret_payload)
{
    if (size < SHIM_HEADER_SIZE) return 0;
    struct view header = {bytes, 4, false};
    size_t length = view_u32(&header);
    if (length > SHIM_FRAME_MAX) return -1;
    if (size - SHIM_HEADER_SIZE < length) return 0;
    *ret_type = bytes[4];
    *ret_payload = (struct view){bytes + SHIM_HEADER_SIZE, length, false};
    return 1;
}

static inline size_t frame_size(struct view payload)
{
    return SHIM_HEADER_SIZE + payload.left;
}

#endif
