/* check_item.c: what every item of an order has: a domain, room, and nobody else at work on the same. */
#include "orchestrator/fulfil/check_parts.h"

#include "orchestrator/fulfil/site.h"

#include <stdarg.h>

enum { NAMES_MAX = 64 };

int item_fail(const struct item_check *check, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *text = mem_format_list(format, arguments);
    va_end(arguments);
    return error_set(check->err, code, NOWHERE, "item %.60s: %s", check->id, text);
}

/* --- where ------------------------------------------------------------------------------------------------------------------------ */

const json_t *item_site(const struct item_check *check)
{
    const char *domain = json_text(check->item, "domain", "");
    return json_object_get(json_object_get(check->checking->world->domains, domain), "site");
}

static int unknown_domain(struct item_check *check, const char *domain)
{
    const json_t *domains = check->checking->world->domains;
    const char *names[NAMES_MAX + 1] = {NULL}, *name;
    struct text listed = {0};
    json_t *each;
    size_t count = 0;
    json_object_foreach((json_t *)domains, name, each)
    {
        if (count < NAMES_MAX) names[count++] = name;
        text_add_format(&listed, "%s%s", listed.size ? ", " : "", name);
    }
    if (domain)
        item_fail(check, ERROR_INVALID, "this core has no domain '%.60s'", domain);
    else if (!count)
        item_fail(check, ERROR_INVALID, "this core drives no domain");
    else
        item_fail(check, ERROR_INVALID, "it does not say on which domain: `place` has none of role `domain`");
    const char *near = domain ? text_nearest(domain, names) : NULL;
    if (near)
        error_hint(check->err, "did you mean %.60s?", near);
    else
        error_hint(check->err, count ? "its domains: %.120s" : "give a domains/NAME.yaml a `site`%s", text_view(&listed));
    text_release(&listed);
    return -(int)check->err->code;
}

int item_pick_domain(struct item_check *check)
{
    const json_t *domains = check->checking->world->domains;
    const char *domain = service_domain(check->service);
    if (!domain && json_object_size(domains) == 1) domain = json_object_iter_key(json_object_iter((json_t *)domains));
    if (!domain || !json_object_get(domains, domain)) return unknown_domain(check, domain);
    json_put_text(check->item, "domain", domain);
    return 0;
}

/* --- who else ------------------------------------------------------------------------------------------------------------------------ */

static bool touches(const json_t *other, const json_t *item)
{
    const json_t *released;
    size_t index;
    const char *id = json_text(json_object_get(item, "before"), "id", NULL);
    const char *family = json_text(item, "family", NULL);
    if (!text_equal(json_text(other, "domain", NULL), json_text(item, "domain", ""))) return false;
    if (family && text_equal(json_text(other, "family", NULL), family)) return true;
    if (id && text_equal(json_text(json_object_get(other, "before"), "id", NULL), id)) return true;
    json_array_foreach(json_object_get(other, "released"), index, released)
    {
        if (id && text_equal(json_text(released, "id", NULL), id)) return true;
    }
    return false;
}

static bool both_end(const json_t *other, const json_t *item)
{
    return text_equal(json_text(other, "action", NULL), "delete") && text_equal(json_text(item, "action", NULL), "delete");
}

static int check_own_order(const struct item_check *check)
{
    json_t *other;
    size_t index;
    json_array_foreach(check->checking->items, index, other)
    {
        if (!touches(other, check->item) || both_end(other, check->item)) continue;
        item_fail(check, ERROR_INVALID, "item %.60s of the order changes %.60s on %.60s, too", json_text(other, "id", ""),
            json_text(check->item, "family", "it"), json_text(check->item, "domain", ""));
        return error_hint(check->err, "send two orders, one after the other");
    }
    return 0;
}

/* One order at a time changes a family, and one item of it, because a share is what the other one does not have. */
int item_check_peace(struct item_check *check)
{
    json_t *order, *other;
    const char *number;
    size_t index;
    json_object_foreach((json_t *)check->checking->world->orders, number, order)
    {
        json_array_foreach(json_object_get(order, "items"), index, other)
        {
            if (!touches(other, check->item)) continue;
            item_fail(check, ERROR_CONFLICT, "order %.20s is changing %.60s on %.60s", number,
                json_text(check->item, "family", json_text(json_object_get(check->item, "before"), "id", "it")),
                json_text(check->item, "domain", ""));
            return error_hint(check->err, "wait until order %.20s is at rest, or cancel it, then order again", number);
        }
    }
    return check_own_order(check);
}

int item_take_room(struct item_check *check, const json_t *more)
{
    const char *domain = json_text(check->item, "domain", "");
    json_t *used = json_object_get(check->checking->used, domain);
    if (!used) json_put(check->checking->used, domain, used = json_object());
    int failed = site_check_capacity(item_site(check), domain, used, more, check->err);
    if (failed) return error_wrap(check->err, "item %.60s", check->id);
    measures_add(used, more, 1);
    return 0;
}
