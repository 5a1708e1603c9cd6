/* check_graph.c: which item waits for which. A dependency of two items that end services is turned round: what relies on another goes
   first. */
#include "orchestrator/fulfil/check_parts.h"

#include <stdlib.h>

static size_t position_of(const json_t *items, const char *id)
{
    size_t index = 0;
    while (index < json_array_size(items) && !text_equal(json_text(json_array_get(items, index), "id", NULL), id))
        index++;
    return index;
}

static bool ends_service(const json_t *item)
{
    return text_equal(json_text(item, "action", NULL), "delete");
}

static void add_need(json_t *item, const char *id)
{
    json_t *needs = json_object_get(item, "needs");
    for (size_t i = 0; i < json_array_size(needs); i++)
        if (text_equal(json_string_value(json_array_get(needs, i)), id)) return;
    json_array_append_new(needs, json_string(id));
}

static int read_relation(const json_t *relation, json_t *items, json_t *item, struct error *err)
{
    if (!text_equal(json_text(relation, "relationshipType", NULL), "dependency")) return 0;
    const json_t *reference = json_object_get(relation, "orderItem");
    const char *id = json_text(item, "id", ""),
               *needed = json_text(reference, "itemId", json_text(reference, "id", json_text(relation, "id", NULL)));
    size_t at = needed ? position_of(items, needed) : json_array_size(items);
    if (at == json_array_size(items))
        return error_set(err, ERROR_INVALID, NOWHERE, "item %.60s: it depends on item %.60s, which the order does not have", id,
            needed ? needed : "(none)");
    json_t *other = json_array_get(items, at);
    if (ends_service(item) && ends_service(other))
        add_need(other, id);
    else
        add_need(item, needed);
    return 0;
}

/* 0: not looked at, 1: on the way, 2: done. */
static bool has_circle(const json_t *items, size_t at, char *marks, size_t *ret_at)
{
    const json_t *needs = json_object_get(json_array_get(items, at), "needs");
    if (marks[at]) return marks[at] == 1 ? (*ret_at = at, true) : false;
    marks[at] = 1;
    for (size_t i = 0; i < json_array_size(needs); i++) /* at most ORDER_ITEMS_MAX deep */
        if (has_circle(items, position_of(items, json_string_value(json_array_get(needs, i))), marks, ret_at)) return true;
    marks[at] = 2;
    return false;
}

static int check_circles(const json_t *items, struct error *err)
{
    char marks[ORDER_ITEMS_MAX] = {0};
    size_t where = 0;
    for (size_t i = 0; i < json_array_size(items); i++)
        if (has_circle(items, i, marks, &where))
            return error_set(err, ERROR_INVALID, NOWHERE, "item %.60s depends on itself, by way of the items that it depends on",
                json_text(json_array_get(items, where), "id", ""));
    return 0;
}

int order_check_graph(const json_t *posted, json_t *items, struct error *err)
{
    json_t *item, *relation;
    size_t at, index;
    json_array_foreach(items, at, item)
    {
        json_put(item, "needs", json_array());
    }
    json_array_foreach(items, at, item)
    {
        json_array_foreach(json_object_get(json_array_get(posted, at), "serviceOrderItemRelationship"), index, relation)
        {
            int failed = read_relation(relation, items, item, err);
            if (failed) return failed;
        }
    }
    return check_circles(items, err);
}
