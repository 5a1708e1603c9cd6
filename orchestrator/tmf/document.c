/* document.c: documents as the resources keep them: their names, times and text. */
#include "orchestrator/tmf/resource.h"

#include "base/moment.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"

#include <string.h>
#include <sys/random.h>

char *tmf_href(const struct tmf_resource *resource, const char *id)
{
    struct text href = {0};
    text_add_format(&href, "%s/%s/", resource->base, resource->name);
    percent_encode(id, &href);
    return text_take(&href);
}

/* Version 4: all random but for six bits (RFC 9562). */
char *tmf_new_id(void)
{
    unsigned char bytes[16];
    while (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        continue; /* only a signal can cut so few bytes short */
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    struct text id = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        text_add_format(&id, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    return text_take(&id);
}

void tmf_put_time(json_t *document, const char *name, int64_t ms)
{
    char buffer[MOMENT_TEXT_SIZE];
    json_put_text(document, name, moment_format(ms, buffer));
}

void tmf_put_identity(const struct tmf_resource *resource, json_t *document, const char *id)
{
    AUTO(free_text) char *href = tmf_href(resource, id);
    json_put_text(document, "id", id);
    json_put_text(document, "href", href);
    if (!json_text(document, "@type", NULL)) json_put_text(document, "@type", resource->type);
}

void tmf_document(const struct tmf_resource *resource, const char *id, const json_t *document, struct document *ret, char **ret_text)
{
    char *text = json_canonical(document);
    *ret = (struct document){.collection = resource->name, .id = id, .body = text, .size = strlen(text)};
    *ret_text = text;
}

int tmf_read(struct journal *journal, const char *collection, const char *id, json_t **ret, struct error *err)
{
    AUTO(free_text) char *body = NULL;
    size_t size = 0;
    int failed = journal_get_document(journal, collection, id, &body, &size, err);
    return failed ? failed : json_parse(body, size, "a stored document", ret, err);
}

struct parsing {
    int (*each)(void *context, const json_t *document);
    void *context;
    int failed;
    struct error *err;
};

static int parse_row(void *context, const struct document *row)
{
    struct parsing *parsing = context;
    AUTO(free_json) json_t *document = NULL;
    parsing->failed = json_parse(row->body, row->size, "a stored document", &document, parsing->err);
    return parsing->failed ? parsing->failed : parsing->each(parsing->context, document);
}

int tmf_list_documents(struct journal *journal, const char *collection, const char *holds,
    int (*each)(void *context, const json_t *document), void *context, struct error *err)
{
    struct parsing parsing = {.each = each, .context = context, .err = err};
    struct document_query query = {.collection = collection, .holds = holds};
    int failed = journal_list_documents(journal, &query, parse_row, &parsing, err);
    return failed ? failed : parsing.failed;
}
