/* list.c: reading: one document, or a page of those that the filters leave. Texts are handed on as they are stored wherever nobody asks
   for a part of them. */
#include "orchestrator/tmf/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "orchestrator/tmf/select.h"

#include <stdlib.h>
#include <string.h>

/* A page ends early rather than grow beyond all bounds: X-Result-Count says how far it came. */
enum { PAGE_BYTES = 8 * 1024 * 1024 };

struct listing {
    struct selection selection;
    int64_t offset, limit;
    uint64_t matched, shown;
    struct text page;
    int failed; /* while rows were read */
    struct error err;
};

static void listing_release(struct listing *listing)
{
    select_release(&listing->selection);
    text_release(&listing->page);
}

static int read_number(const char *name, const char *value, int64_t max, int64_t *ret, struct error *err)
{
    int64_t number;
    if (!text_to_integer(value, &number) || number < 0)
        return error_set(err, ERROR_INVALID, NOWHERE, "`%s` must be a whole number from 0 on, not '%.60s'", name, value);
    *ret = number > max ? max : number;
    return 0;
}

static int read_parameter(struct listing *listing, const char *name, const char *value, struct error *err)
{
    if (text_equal(name, "fields")) return select_add_fields(&listing->selection, value, err);
    if (text_equal(name, "offset")) return read_number(name, value, INT64_MAX / 2, &listing->offset, err);
    if (text_equal(name, "limit")) return read_number(name, value, LIMIT_PAGE, &listing->limit, err);
    if (text_equal(name, "sort")) {
        error_set(err, ERROR_INVALID, NOWHERE, "lists cannot be sorted here");
        return error_hint(err, "leave `sort` out: lists are in the order of creation");
    }
    return select_add_filter(&listing->selection, name, value, err);
}

static int read_query(struct request *request, struct listing *listing, struct error *err)
{
    const char *name, *value;
    int failed = 0;
    for (size_t i = 0; !failed && request_query_nth(request, i, &name, &value); i++)
        failed = read_parameter(listing, name, value, err);
    return failed;
}

/* Adds a document to the page; parsed may be NULL when all of it is shown. */
static void show_row(struct listing *listing, const struct document *row, const json_t *parsed)
{
    if (listing->shown++) text_add_char(&listing->page, ',');
    if (listing->selection.field_count == 0) {
        text_add_bytes(&listing->page, row->body, row->size);
        return;
    }
    AUTO(free_json) json_t *part = select_show(&listing->selection, parsed);
    AUTO(free_text) char *text = json_canonical(part);
    text_add(&listing->page, text);
}

static int add_row(void *context, const struct document *row)
{
    struct listing *listing = context;
    AUTO(free_json) json_t *parsed = NULL;
    bool bare = listing->selection.filter_count == 0 && listing->selection.field_count == 0;
    if (!bare) listing->failed = json_parse(row->body, row->size, "a stored document", &parsed, &listing->err);
    if (listing->failed) return listing->failed;
    if (!select_matches(&listing->selection, parsed)) return 0;
    uint64_t place = listing->matched++;
    bool wanted = place >= (uint64_t)listing->offset && listing->shown < (uint64_t)listing->limit;
    if (wanted && listing->page.size < PAGE_BYTES) show_row(listing, row, parsed);
    return 0;
}

/* Without filters the index counts and skips; with them all that may match is read. */
static int read_rows(struct tmf_api *api, const char *collection, struct listing *listing, struct error *err)
{
    bool filtered = listing->selection.filter_count > 0;
    AUTO(free_text) char *hint = select_hint(&listing->selection);
    struct document_query query = {.collection = collection, .holds = hint};
    if (filtered) return journal_list_documents(api->journal, &query, add_row, listing, err);
    uint64_t count = 0;
    int failed = journal_count_documents(api->journal, collection, &count, err);
    query.skip = (uint64_t)listing->offset;
    query.limit = (uint64_t)listing->limit;
    listing->offset = 0;
    if (!failed && query.limit > 0) failed = journal_list_documents(api->journal, &query, add_row, listing, err);
    listing->matched = count;
    return failed;
}

static void put_count(struct request *request, const char *name, uint64_t count)
{
    AUTO(free_text) char *text = mem_format("%llu", (unsigned long long)count);
    respond_header(request, name, text);
}

static int list(struct request *request, const struct tmf_bound *bound, struct error *err)
{
    AUTO(listing_release) struct listing listing = {.limit = LIMIT_PAGE};
    int failed = read_query(request, &listing, err);
    if (failed) return failed;
    text_add_char(&listing.page, '[');
    failed = read_rows(bound->api, bound->resource->name, &listing, err);
    if (failed) return failed;
    if (listing.failed) {
        *err = listing.err;
        return listing.failed;
    }
    text_add_char(&listing.page, ']');
    put_count(request, "X-Total-Count", listing.matched);
    put_count(request, "X-Result-Count", listing.shown);
    respond_text(request, 200, "application/json", listing.page.bytes, listing.page.size);
    return 0;
}

void tmf_handle_list(struct request *request, void *context)
{
    struct error err;
    if (list(request, context, &err)) respond_error(request, &err);
}

static int get(struct request *request, const struct tmf_bound *bound, struct error *err)
{
    AUTO(free_text) char *body = NULL;
    size_t size = 0;
    const char *fields = request_query(request, "fields");
    int failed = journal_read_document(bound->api->journal, bound->resource->name, request_part(request, "id"), &body, &size, err);
    if (failed) return failed;
    if (!fields || !*fields) {
        respond_text(request, 200, "application/json", body, size);
        return 0;
    }
    AUTO(select_release) struct selection selection = {0};
    AUTO(free_json) json_t *document = NULL;
    failed = select_add_fields(&selection, fields, err);
    if (!failed) failed = json_parse(body, size, "a stored document", &document, err);
    if (!failed) respond_json(request, 200, select_show(&selection, document));
    return failed;
}

void tmf_handle_get(struct request *request, void *context)
{
    struct error err;
    if (get(request, context, &err)) respond_error(request, &err);
}
