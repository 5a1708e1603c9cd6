/* documents.c: the documents that a projection makes of a run, on their way to the journal. */
#include "run/engine.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void document_list_add(struct document_list *list, const char *collection, const char *id, const char *key, const json_t *body)
{
    char *text = body ? json_canonical(body) : NULL;
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct document){.collection = mem_copy_text(collection),
        .id = mem_copy_text(id),
        .key = mem_copy_text(key),
        .body = text,
        .size = text ? strlen(text) : 0};
}

void document_list_release(struct document_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((char *)list->items[i].collection);
        free((char *)list->items[i].id);
        free((char *)list->items[i].key);
        free((char *)list->items[i].body);
    }
    free(list->items);
    *list = (struct document_list){0};
}
