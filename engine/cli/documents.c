/* documents.c: reading what the core says over TM Forum's APIs. */
#include "cli/documents.h"

#include "base/encode.h"
#include "base/mem.h"
#include "base/moment.h"
#include "net/tmf/characteristic.h"

enum { PAGE = 500, LIST_LIMIT = 10000, COUNT_LIMIT = 1 << 30 };

static int get_page(
    struct client *client, const char *path, const char *query, size_t offset, size_t limit, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *page = NULL;
    int failed = client_get(client, &page, err, "%s?offset=%zu&limit=%zu%s%s", path, offset, limit, query ? "&" : "", query ? query : "");
    if (failed) return failed;
    if (!json_is_array(page))
        return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s answered GET %s with what is no list", client->server, path);
    *ret = take(&page);
    return 0;
}

int core_list(struct client *client, const char *path, const char *query, size_t limit, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *all = json_array();
    if (!limit || limit > LIST_LIMIT) limit = LIST_LIMIT;
    for (size_t size = PAGE; size == PAGE && json_array_size(all) < limit;) {
        AUTO(free_json) json_t *page = NULL;
        size_t offset = json_array_size(all), wanted = limit - offset < PAGE ? limit - offset : PAGE;
        int failed = get_page(client, path, query, offset, wanted, &page, err);
        if (failed) return failed;
        size = json_array_size(page);
        if (offset && size && json_equal(json_array_get(page, 0), json_array_get(all, 0))) break; /* it knows no offset */
        json_array_extend(all, page);
    }
    *ret = take(&all);
    return 0;
}

/* How many there are, of which at least `least`: by doubling, then by halving what is between. */
static int count(struct client *client, const char *path, const char *query, size_t least, size_t *ret, struct error *err)
{
    size_t low = least, high = 0; /* there are at least low, and fewer than high where that is known */
    AUTO(free_text) char *only_ids = mem_format("fields=id%s%s", query ? "&" : "", query ? query : "");
    while (!high || high - low > 1) {
        AUTO(free_json) json_t *page = NULL;
        size_t middle = high ? low + (high - low) / 2 : low * 2;
        int failed = get_page(client, path, only_ids, middle - 1, 1, &page, err);
        if (failed) return failed;
        if (json_array_size(page) && middle < COUNT_LIMIT)
            low = middle;
        else
            high = middle;
    }
    *ret = low;
    return 0;
}

int core_newest(struct client *client, const char *path, const char *query, size_t limit, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *page = NULL, *newest = json_array();
    size_t total = 0;
    if (limit > PAGE) limit = PAGE;
    int failed = get_page(client, path, query, 0, PAGE, &page, err);
    if (!failed && json_array_size(page) >= PAGE) {
        failed = count(client, path, query, PAGE, &total, err);
        json_decref(take(&page));
        if (!failed) failed = get_page(client, path, query, total - limit, limit, &page, err);
    }
    if (failed) return failed;
    for (size_t i = json_array_size(page); i-- > 0 && json_array_size(newest) < limit;)
        json_array_append(newest, json_array_get(page, i));
    *ret = take(&newest);
    return 0;
}

int core_get(struct client *client, const char *path, const char *id, json_t **ret, struct error *err)
{
    AUTO(text_release) struct text encoded = {0};
    percent_encode(id, &encoded);
    return client_get(client, ret, err, "%s/%s", path, text_view(&encoded));
}

int core_patch(struct client *client, const char *path, const char *id, const json_t *change, json_t **ret, struct error *err)
{
    AUTO(text_release) struct text whole = {0};
    text_add_format(&whole, "%s/", path);
    percent_encode(id, &whole);
    return client_call(client, "PATCH", text_view(&whole), change, ret, err);
}

const json_t *document_value(const json_t *document, const char *name)
{
    const json_t *value = characteristic_find(json_object_get(document, "serviceCharacteristic"), name);
    return value ? value : specification_value(document, name);
}

char *document_value_text(const json_t *document, const char *name)
{
    const json_t *value = document_value(document, name);
    if (!value || json_is_null(value)) return mem_copy_text("");
    if (json_is_string(value)) return mem_copy_text(json_string_value(value));
    if (json_is_real(value)) return mem_format("%g", json_real_value(value));
    return json_canonical(value);
}

int64_t document_time(const json_t *document, const char *key)
{
    int64_t us;
    return moment_read(json_text(document, key, NULL), &us) ? us / 1000 : 0;
}
