/* mask.h: hides a run's secrets in what its steps print: each occurrence of any form of any of them becomes ***.
   The calling sequence: mask_new; mask_add for each secret, at any time; for each stream a struct carry, {0} at first; then, as often as
   there is something, mask_room (read up to MASK_PIECE_BYTES to there) and mask_take (what may be written now); at the stream's end
   mask_end. What may still become an occurrence waits in the carry, so memory is bounded by the longest form, and the result does not
   depend on where the pieces end. Occurrences that overlap or touch become one ***.

   How (after Wu and Manber, with sampling): every form has at least 4 bytes, the shortest S of them. Whatever stands somewhere holds 4
   bytes that begin at one of each S - 3 places, so looking at each (S - 3)th place is enough: a filter of one bit says for most of them
   that no form has these 4 bytes there; else all forms that do are compared. Pure. */
#ifndef CRESCENDO_SHIM_MASK_H
#define CRESCENDO_SHIM_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MASK_PIECE_BYTES = 64 * 1024, MASK_GRAM_BYTES = 4, MASK_LINE_BYTES = 8 };

struct mask;
struct carry {
    unsigned char *bytes; /* read, not handed out yet: they may begin a form */
    size_t size, capacity;
    size_t front;   /* so many of them belong to an occurrence that began before */
    bool in_secret; /* what was handed out last was *** */
};
struct masked {
    const char *bytes; /* the mask's; until it is used again */
    size_t size;
};

struct mask *mask_new(void);
void mask_free(struct mask **mask); /* wipes */

/* Hides this value in all its forms from now on. Line ends around it are not part of it. false: too short to be hidden
   (LIMIT_SECRET_SHORTEST). */
bool mask_add(struct mask *mask, const char *bytes, size_t size);
bool mask_is_empty(const struct mask *mask);

unsigned char *mask_room(struct mask *mask, const struct carry *carry);
struct masked mask_take(struct mask *mask, struct carry *carry, size_t size); /* of which were read into the room */
struct masked mask_end(struct mask *mask, struct carry *carry);               /* the rest; the carry is {0} again */
bool mask_finds(struct mask *mask, const char *bytes, size_t size);           /* is there a secret in this text? */

/* forms.c, for mask_add and tests: calls back for each form of a value, the same perhaps more than once; short ones too. */
void forms_of(const char *bytes, size_t size, void (*form)(void *context, const char *bytes, size_t size), void *context);

#endif
