/* mask_index.h: all forms of all secrets, made ready: where does one stand in a text, and where might one begin at its end? mask.c only. */
#ifndef CRESCENDO_SHIM_MASK_INDEX_H
#define CRESCENDO_SHIM_MASK_INDEX_H

#include "mask.h"

struct form {
    unsigned char *bytes;
    size_t size;
};
struct forms {
    struct form *items;
    size_t count, capacity;
};
struct span {
    size_t start, end;
};

void forms_add(struct forms *forms, const char *bytes, size_t size); /* copies */
void forms_wipe(struct forms *forms);

struct index;
/* Sorts the forms and drops what is there twice; borrows them. Each has at least MASK_GRAM_BYTES. */
struct index *index_new(struct forms *forms);
void index_free(struct index **index);
size_t index_longest(const struct index *index);

/* A walk over a text: {.last = ...} at first. */
struct scan {
    bool last; /* no more text will come */
    bool held; /* else: from `hold` on a form may begin, and the walk is over */
    size_t at, hold;
};

/* The next part of text that is made of occurrences which all overlap and begin before `hold`; their starts only grow from call to call.
   false: there is none, and `hold` is known: the least place from which text is the beginning of a form; size when there is none. */
bool index_next(const struct index *index, const unsigned char *text, size_t size, struct scan *scan, struct span *ret);

#endif
