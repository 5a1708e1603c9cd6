/* dialect.h: how one kind of peer speaks TM Forum's APIs, as data: the standard as our own core speaks it, and peers that are known to
   differ. A difference that a table can hold is a row here, never an `if` in a client. All const, nothing blocks. */
#ifndef CRESCENDO_NET_TMF_DIALECT_H
#define CRESCENDO_NET_TMF_DIALECT_H

#include "crescendo/error.h"
#include "net/tmf/names.h"

#include <jansson.h>
#include <stdint.h>

enum tmf_value_form {
    TMF_VALUE_PLAIN,  /* {"name": "replicas", "value": 2} */
    TMF_VALUE_WRAPPED /* {"name": "replicas", "value": {"value": "2", "alias": null}}: texts only */
};
enum tmf_change_way {
    TMF_CHANGE_BY_ORDER,      /* an order item with the action modify */
    TMF_CHANGE_BY_PATCH,      /* PATCH of the service, lists are merged by name */
    TMF_CHANGE_BY_WHOLE_PATCH /* PATCH with the whole service */
};
enum tmf_end_way {
    TMF_END_BY_ORDER,              /* an order item with the action delete */
    TMF_END_BY_PATCHED_ORDER,      /* PATCH of the order's full item with the action delete */
    TMF_END_BY_PATCH_THEN_DELETION /* the service is patched terminated, then the order is deleted */
};
enum tmf_missing {
    TMF_MISSING_404,   /* an unknown id answers 404 */
    TMF_MISSING_EMPTY, /* ... 200 with an empty body */
    TMF_MISSING_ERROR  /* ... an error of another status */
};

struct tmf_dialect {
    const char *name;
    bool is_spoken; /* false: known, but not in this version */
    const char *paths[TMF_COLLECTION_COUNT];
    const char *items_key; /* of an order */
    const char *order_states[TMF_ORDER_STATE_COUNT];
    const char *service_states[TMF_SERVICE_STATE_COUNT];
    const char *first_order_state, *first_item_state; /* what a client sends; NULL = the server sets it */
    int created;                                      /* the status that a POST answers with */
    enum tmf_value_form values;
    const char *item_service; /* where the id of an ordered service is, below an item: "service.id"; a list on the way: its first */
    enum tmf_missing missing;
    enum tmf_change_way change;
    enum tmf_end_way end;
    bool filters;            /* lists can be filtered and are paged by offset and limit */
    bool repeat_is_safe;     /* the same requester and externalId never make a second order */
    int64_t request_life_ms; /* how long an order that a client sent and gave up may still arrive */
    bool hub;                /* events can be subscribed to; else one polls */
    const char *login;       /* how one logs in, for people; NULL = not at all */
};

/* -ERROR_NOT_FOUND with the nearest name; -ERROR_UNSUPPORTED: known, but not in this version. NULL is the standard. */
int tmf_dialect_find(const char *name, const struct tmf_dialect **ret, struct error *err) MUST_CHECK;
/* Also those that are not spoken; NULL where there is none. For tests and for lists: index from 0. */
const struct tmf_dialect *tmf_dialect_at(unsigned index);

/* How long an order that was sent and not answered may still arrive after its sender gave up or died: what the dialect says; at a Unix
   socket, where nothing lies between, shorter. Milliseconds. */
int64_t tmf_request_life(const struct tmf_dialect *dialect, const char *url);

/* An order's items, under the dialect's key or the standard's; NULL = none. Borrowed. */
json_t *tmf_order_items(const struct tmf_dialect *dialect, const json_t *order);
/* The id of the service that an item ordered; NULL = not known yet. Borrowed. */
const char *tmf_item_service(const struct tmf_dialect *dialect, const json_t *item);

#endif
