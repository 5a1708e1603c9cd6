/* event.c: events and lists of them. */
#include "state/state.h"

#include "base/mem.h"

#include <stdlib.h>

void event_list_add(struct event_list *list, enum event_type type, uint32_t step, int64_t time_ms, json_t *data)
{
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct event){.type = type, .step = step, .time_ms = time_ms, .data = data};
}

void event_release(struct event *event)
{
    json_decref(event->data);
    event->data = NULL;
}

void event_list_release(struct event_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        event_release(&list->items[i]);
    free(list->items);
    *list = (struct event_list){0};
}
