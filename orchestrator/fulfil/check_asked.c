/* check_asked.c: what an item asks for by characteristics: those that steer are read and checked; others are kept as they came, are shown
   on the order and on the service, and drive nothing. */
#include "orchestrator/fulfil/check_parts.h"

#include "net/tmf/characteristic.h"
#include "orchestrator/fulfil/site.h"

enum { CHARACTERISTICS_MAX = 200, KEPT_BYTES_MAX = 256 * 1024 };

/* --- those that steer ------------------------------------------------------------------------------------------------------------- */

static const struct wanted {
    const char *characteristic, *name;
    double min, max;
    bool whole;
    const char *unit;
} wanted[] = {
    {"replicas", "replicas", 0, 100, true, "a whole number"},
    {"traffic.share", "share", 0, 100, false, "a percentage"},
    {"traffic.lease", "lease", 1000, 3600 * 1000, true, "a whole number of milliseconds"},
    {"component", NULL, 0, 0, false, NULL},
};

static const struct wanted *find_wanted(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (text_equal(name, wanted[i].characteristic)) return &wanted[i];
    return NULL;
}

static int ask_number(struct item_check *check, const struct wanted *want, const json_t *value)
{
    double number;
    json_t *asked = json_object_get(check->item, "asked");
    if (!value_to_number(value, &number) || number < want->min || number > want->max || (want->whole && (double)(int64_t)number != number))
        return item_fail(check, ERROR_INVALID, "`%s` is %s from %g to %g", want->characteristic, want->unit, want->min, want->max);
    json_put(asked, want->name, want->whole ? json_integer((json_int_t)number) : json_real(number));
    return 0;
}

static int ask(struct item_check *check, const struct wanted *want)
{
    const json_t *value = characteristic_find(json_object_get(check->service, "serviceCharacteristic"), want->characteristic);
    if (want->name) return ask_number(check, want, value);
    if (!json_is_string(value)) return item_fail(check, ERROR_INVALID, "`component` is the name of a component");
    json_put_text(check->item, "component", json_string_value(value));
    return 0;
}

/* --- the others ------------------------------------------------------------------------------------------------------------------- */

/* What the inventory tells of a service by itself, or is read from there. */
static bool is_told(const char *name)
{
    static const char *const told[] = {"family", "version", "flavour", "ready", "address", "start", "traffic.lost"};
    for (size_t i = 0; i < COUNT_OF(told); i++)
        if (text_equal(name, told[i])) return true;
    for (const struct measure *measure = site_measures; measure->name; measure++)
        if (text_equal(name, measure->name)) return true;
    return false;
}

/* One that steers is meant by a name that is nearly its own, or by the end of it ("share"). NULL = none. */
static const char *meant(const char *name)
{
    const char *names[COUNT_OF(wanted) + 1] = {NULL};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        names[i] = wanted[i].characteristic;
        if (text_equal(name, wanted[i].name)) return wanted[i].characteristic;
    }
    return text_nearest(name, names);
}

static const json_t *find_named(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (text_equal(json_text(json_array_get(list, i), "name", NULL), name)) return json_array_get(list, i);
    return NULL;
}

static int refuse_told(struct item_check *check, const char *name)
{
    item_fail(check, ERROR_INVALID, "`%.60s` is told by the inventory, and cannot be asked for", name);
    return error_hint(check->err, "an order may ask for component, replicas, traffic.share, traffic.lease");
}

static int keep(struct item_check *check, json_t *entry, const char *name, const json_t *known)
{
    const json_t *declared = find_named(known, name);
    const char *near = declared ? NULL : meant(name);
    if (near) {
        item_fail(check, ERROR_INVALID, "nobody knows the characteristic '%.60s'", name);
        return error_hint(check->err, "did you mean %s?", near);
    }
    if (is_told(name)) return declared ? 0 : refuse_told(check, name);
    if (declared && json_equal(declared, entry)) return 0; /* it has that already */
    json_t *kept = json_object_get(check->item, "kept");
    if (!kept) json_put(check->item, "kept", kept = json_array());
    characteristic_put(kept, entry);
    return 0;
}

static int check_one(struct item_check *check, json_t *entry, const json_t *known)
{
    const char *name = json_text(entry, "name", NULL);
    if (!name || !json_object_get(entry, "value"))
        return item_fail(check, ERROR_INVALID, "a serviceCharacteristic has no `name`, or no `value`");
    const struct wanted *want = find_wanted(name);
    return want ? ask(check, want) : keep(check, entry, name, known);
}

int item_check_asked(struct item_check *check, const json_t *known)
{
    const json_t *list = json_object_get(check->service, "serviceCharacteristic");
    json_t *entry;
    size_t index;
    json_put(check->item, "asked", json_object());
    if (list && !json_is_array(list)) return item_fail(check, ERROR_INVALID, "`serviceCharacteristic` is a list");
    if (json_array_size(list) > CHARACTERISTICS_MAX)
        return item_fail(check, ERROR_INVALID, "it has more than %d characteristics", CHARACTERISTICS_MAX);
    json_array_foreach(list, index, entry)
    {
        int failed = check_one(check, entry, known);
        if (failed) return failed;
    }
    return 0;
}

static bool has_room(const json_t *all, size_t before)
{
    bool is_long = json_array_size(all) > before && json_array_size(all) > CHARACTERISTICS_MAX;
    return !is_long && json_dumpb(all, NULL, 0, JSON_COMPACT) <= KEPT_BYTES_MAX;
}

int item_check_kept(const struct item_check *check, const json_t *service)
{
    const json_t *before = json_object_get(service, "serviceCharacteristic"), *kept = json_object_get(check->item, "kept");
    AUTO(free_json) json_t *all = before ? json_copy((json_t *)before) : json_array();
    for (size_t i = 0; i < json_array_size(kept); i++)
        characteristic_put(all, json_array_get(kept, i));
    if (!kept || has_room(all, json_array_size(before))) return 0;
    return item_fail(check, ERROR_LIMIT, "its service would have more than %d characteristics, or more than %d KiB of them",
        CHARACTERISTICS_MAX, KEPT_BYTES_MAX / 1024);
}
