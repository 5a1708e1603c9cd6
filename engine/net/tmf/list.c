/* list.c: collections, page by page. Whatever a peer makes of filter, limit and offset, the client decides what matches, and never asks for
   ever. */
#include "net/tmf/client.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { PAGE_ITEMS = 100, PAGES_MAX = 10000 };

static char *page_path(const struct tmf_client *client, enum tmf_collection collection, const struct tmf_filter *filter, size_t offset)
{
    AUTO(text_release) struct text path = {0};
    text_add(&path, client->dialect->paths[collection]);
    if (!client->dialect->filters) return text_take(&path);
    text_add_format(&path, "?limit=%d&offset=%zu", PAGE_ITEMS, offset);
    if (filter) {
        text_add_format(&path, "&%s=", filter->name);
        percent_encode(filter->value, &path);
    }
    return text_take(&path);
}

static int get_page(const struct tmf_client *client, const char *path, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *page = NULL;
    int failed = tmf_send(client, &(struct tmf_request){.method = "GET", .path = path}, NULL, &page, err);
    if (failed) return failed;
    if (!json_is_array(page)) return error_set(err, ERROR_PROTOCOL, NOWHERE, "%.40s: GET %.100s: not a list", client->name, path);
    *ret = take(&page);
    return 0;
}

/* The same page again comes from a peer that does not heed offset. */
static bool is_repeated(const json_t *page, const json_t *last)
{
    const char *id = json_text(json_array_get(page, 0), "id", NULL);
    return id && text_equal(id, json_text(json_array_get(last, 0), "id", NULL));
}

int tmf_list(const struct tmf_client *client, enum tmf_collection collection, const struct tmf_filter *filter,
    bool (*matches)(void *context, const json_t *one), void *context, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *found = json_array(), *last = NULL;
    size_t offset = 0;
    for (int pages = 0; pages < PAGES_MAX; pages++) {
        AUTO(free_text) char *path = page_path(client, collection, filter, offset);
        AUTO(free_json) json_t *page = NULL;
        int failed = get_page(client, path, &page, err);
        if (failed) return failed;
        if (!json_array_size(page) || is_repeated(page, last)) break;
        for (size_t i = 0; i < json_array_size(page); i++)
            if (matches(context, json_array_get(page, i))) json_array_append(found, json_array_get(page, i));
        if (!client->dialect->filters) break;
        offset += json_array_size(page);
        json_decref(last);
        last = take(&page);
    }
    *ret = take(&found);
    return 0;
}
