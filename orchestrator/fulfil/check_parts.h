/* check_parts.h: what the files that check an order share; nobody else includes it.

   check_order.c    the whole: items, their ids, the requester
   check_item.c     what all items have: domain, room, whether another order is in the way
   check_asked.c    the characteristics that it asks for, and those that are only kept
   check_add.c      a new service: specification, component, family, flavour
   check_change.c   modify and delete: the service, what goes with it
   check_graph.c    what waits for what */
#ifndef CRESCENDO_FULFIL_CHECK_PARTS_H
#define CRESCENDO_FULFIL_CHECK_PARTS_H

#include "orchestrator/fulfil/check.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct checking {
    const struct order_world *world;
    const json_t *posted; /* all items, as posted */
    json_t *items;        /* the checked ones so far */
    json_t *used;         /* object: domain → what is used of it, with this order's items so far */
};

/* One item: as posted, and as it becomes. */
struct item_check {
    struct checking *checking;
    const json_t *posted, *service; /* posted item, its `service` */
    json_t *item;                   /* the checked one */
    const char *id;
    struct error *err;
};

int item_fail(const struct item_check *check, enum error_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fills asked and kept. known: a list of {name}, what the specification declares or what the service has already; may be NULL. */
int item_check_asked(struct item_check *check, const json_t *known) MUST_CHECK;
/* -ERROR_LIMIT: with what is kept of this order the service would have too much. */
int item_check_kept(const struct item_check *check, const json_t *service) MUST_CHECK;
int item_check_peace(struct item_check *check) MUST_CHECK; /* no other order changes this domain's family, or this service */
int item_take_room(struct item_check *check, const json_t *more) MUST_CHECK;
const json_t *item_site(const struct item_check *check); /* of its domain */
int item_pick_domain(struct item_check *check) MUST_CHECK;

int item_check_add(struct item_check *check) MUST_CHECK;
int item_check_modify(struct item_check *check) MUST_CHECK;
int item_check_delete(struct item_check *check) MUST_CHECK;

/* Fills needs of the checked items from the posted ones' relationships. */
int order_check_graph(const json_t *posted, json_t *items, struct error *err) MUST_CHECK;

/* The family's other services that are not terminated, by id; new reference. */
json_t *family_members(const struct order_world *world, const char *domain, const char *family, const char *but);

#endif
