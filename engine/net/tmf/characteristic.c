/* characteristic.c: reading and writing lists of {name, valueType, value}. */
#include "net/tmf/characteristic.h"

#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static json_t *find_entry(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        if (text_equal(json_text(entry, "name", NULL), name)) return entry;
    }
    return NULL;
}

/* {"value": X, "alias": ...} of some peers means X. */
static const json_t *unwrap(const json_t *value)
{
    const json_t *inner = json_object_get(value, "value");
    return inner && json_object_size(value) <= 2 ? inner : value;
}

const json_t *characteristic_find(const json_t *list, const char *name)
{
    return unwrap(json_object_get(find_entry(list, name), "value"));
}

const char *characteristic_text(const json_t *list, const char *name, const char *fallback)
{
    const char *text = json_string_value(characteristic_find(list, name));
    return text ? text : fallback;
}

double characteristic_number(const json_t *list, const char *name, double fallback)
{
    double number;
    return value_to_number(characteristic_find(list, name), &number) ? number : fallback;
}

int64_t characteristic_whole(const json_t *list, const char *name, int64_t fallback)
{
    const json_t *value = characteristic_find(list, name);
    double number;
    if (json_is_integer(value)) return json_integer_value(value);
    return value_to_number(value, &number) && fabs(number) < 1e15 ? (int64_t)number : fallback;
}

/* v4 says characteristicValueSpecification; v3 and some peers serviceSpecCharacteristicValue; the simplest ones say value. */
const json_t *specification_value(const json_t *specification, const char *name)
{
    static const char *const lists[] = {"characteristicValueSpecification", "serviceSpecCharacteristicValue"};
    const json_t *entry = find_entry(json_object_get(specification, "specCharacteristic"), name);
    if (!entry) entry = find_entry(json_object_get(specification, "serviceSpecCharacteristic"), name);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const json_t *value = json_object_get(json_array_get(json_object_get(entry, lists[i]), 0), "value");
        if (value) return unwrap(value);
    }
    return unwrap(json_object_get(entry, "value"));
}

const char *name_by_role(const json_t *list, const char *role)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (text_equal(json_text(one, "role", NULL), role)) return json_text(one, "name", json_text(one, "id", NULL));
    }
    return NULL;
}

bool value_to_number(const json_t *value, double *ret)
{
    const char *text = json_string_value(value);
    if (json_is_number(value)) return *ret = json_number_value(value), true;
    if (!text || !*text || text[0] == ' ') return false;
    char *end = NULL;
    errno = 0;
    double number = strtod(text, &end);
    if (*end || errno || !isfinite(number)) return false;
    *ret = number;
    return true;
}

static const char *value_type(const json_t *value)
{
    if (json_is_integer(value)) return "integer";
    if (json_is_real(value)) return "number";
    if (json_is_boolean(value)) return "boolean";
    if (json_is_array(value)) return "array";
    return json_is_object(value) ? "object" : "string";
}

static void remove_entry(json_t *list, const char *name)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (text_equal(json_text(json_array_get(list, i), "name", NULL), name)) json_array_remove(list, i);
}

void characteristic_set(json_t *list, const char *name, json_t *value)
{
    json_t *entry = find_entry(list, name);
    if (!value) return remove_entry(list, name);
    if (!entry) json_array_append_new(list, entry = json_object());
    json_put_text(entry, "name", name);
    json_put_text(entry, "valueType", value_type(value));
    json_put(entry, "value", value);
}

void characteristic_put(json_t *list, json_t *entry)
{
    const char *name = json_text(entry, "name", NULL);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!text_equal(json_text(json_array_get(list, i), "name", NULL), name)) continue;
        json_array_set(list, i, entry);
        return;
    }
    json_array_append(list, entry);
}
