/* mask.c: the forms of a run's secrets, made ready to be looked for, and what is handed out of a stream. */
#include "mask_index.h"

#include "base/mem.h"
#include "crescendo/limits.h"

#include <stdlib.h>
#include <string.h>

static const char STARS[3] = {'*', '*', '*'};

struct mask {
    struct forms forms;   /* sorted when the index is there */
    struct forms secrets; /* as given */
    struct index *index;  /* NULL: something was added */
    unsigned char *room;  /* the longest carry, a piece; what is shown of both stands there too */
    size_t room_size;
};

struct mask *mask_new(void)
{
    return mem_alloc(sizeof(struct mask));
}

static void wipe_room(struct mask *mask)
{
    if (mask->room) explicit_bzero(mask->room, mask->room_size);
    free(mask->room);
    mask->room = NULL;
}

void mask_free(struct mask **mask)
{
    if (!*mask) return;
    forms_wipe(&(*mask)->forms);
    forms_wipe(&(*mask)->secrets);
    index_free(&(*mask)->index);
    wipe_room(*mask);
    free(*mask);
    *mask = NULL;
}

static void keep_form(void *context, const char *bytes, size_t size)
{
    if (size >= MASK_GRAM_BYTES) forms_add(context, bytes, size);
}

bool mask_add(struct mask *mask, const char *bytes, size_t size)
{
    while (size && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r'))
        size--;
    for (; size && (*bytes == '\n' || *bytes == '\r'); bytes++)
        size--; /* else each line's end would be held back, since it may begin a secret */
    if (size < LIMIT_SECRET_SHORTEST) return false;
    for (size_t i = 0; i < mask->secrets.count; i++)
        if (mask->secrets.items[i].size == size && memcmp(mask->secrets.items[i].bytes, bytes, size) == 0) return true;
    index_free(&mask->index);
    forms_add(&mask->secrets, bytes, size);
    forms_of(bytes, size, keep_form, &mask->forms);
    return true;
}

bool mask_is_empty(const struct mask *mask)
{
    return !mask || !mask->secrets.count;
}

static void make_ready(struct mask *mask)
{
    if (mask->index) return;
    mask->index = index_new(&mask->forms);
    wipe_room(mask);
    mask->room_size = index_longest(mask->index) + MASK_PIECE_BYTES + sizeof STARS;
    mask->room = mem_alloc(mask->room_size);
}

unsigned char *mask_room(struct mask *mask, const struct carry *carry)
{
    make_ready(mask);
    if (carry->size) memcpy(mask->room, carry->bytes, carry->size);
    return mask->room + carry->size;
}

/* Text on its way out, moved to the front of itself. */
struct way_out {
    unsigned char *text, *out;
    size_t done; /* of the text */
    bool in_secret;
};

static void copy_to(struct way_out *way, size_t end)
{
    if (end <= way->done) return;
    if (way->out != way->text + way->done) memmove(way->out, way->text + way->done, end - way->done);
    way->out += end - way->done;
    way->done = end;
    way->in_secret = false;
}

static void hide(struct way_out *way, struct span span)
{
    if (span.end == span.start) return;
    copy_to(way, span.start);
    if (!way->in_secret) {
        memcpy(way->out, STARS, sizeof STARS);
        way->out += sizeof STARS;
    }
    way->in_secret = true;
    way->done = span.end;
}

static void keep(struct carry *carry, const unsigned char *bytes, size_t size)
{
    if (carry->size) explicit_bzero(carry->bytes, carry->size);
    if (size > carry->capacity) {
        free(carry->bytes);
        carry->bytes = mem_alloc(size);
        carry->capacity = size;
    }
    if (size) memcpy(carry->bytes, bytes, size);
    carry->size = size;
}

/* Hands out what can be told of text[0..size), and keeps the rest. An occurrence is at least as long as its stars, so what is written never
   runs into what is still read; the last one may be cut short by the hold, but behind it nothing is read any more. */
static struct masked emit(struct mask *mask, struct carry *carry, unsigned char *text, size_t size, bool last)
{
    struct way_out way = {text, text, 0, carry->in_secret};
    struct scan scan = {.last = last};
    struct span run = {0, carry->front}, found;
    while (index_next(mask->index, text, size, &scan, &found)) {
        if (found.start >= run.end) {
            hide(&way, run);
            run = found;
        } else if (found.end > run.end) {
            run.end = found.end;
        }
    }
    keep(carry, text + scan.hold, size - scan.hold);
    hide(&way, run);
    copy_to(&way, scan.hold);
    carry->front = run.end > scan.hold ? run.end - scan.hold : 0;
    carry->in_secret = way.in_secret;
    return (struct masked){(char *)text, (size_t)(way.out - text)};
}

struct masked mask_take(struct mask *mask, struct carry *carry, size_t size)
{
    return emit(mask, carry, mask->room, carry->size + size, false);
}

struct masked mask_end(struct mask *mask, struct carry *carry)
{
    mask_room(mask, carry);
    struct masked masked = emit(mask, carry, mask->room, carry->size, true);
    free(carry->bytes);
    *carry = (struct carry){0};
    return masked;
}

bool mask_finds(struct mask *mask, const char *bytes, size_t size)
{
    struct scan scan = {.last = true};
    struct span found;
    if (mask_is_empty(mask)) return false;
    make_ready(mask);
    return index_next(mask->index, (const unsigned char *)bytes, size, &scan, &found);
}
