/* documents.c: looking up documents: the queued ones by a hash of collection and name, newest first; the others by prepared statements.
   Invariant: a queued document is in its lists from journal_append until its append is answered, on the loop's thread only. */
#include "store/journal_private.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static size_t bucket_of(const char *collection, const char *name)
{
    return text_hash(text_hash(TEXT_HASH_SEED, collection), name) % KEY_BUCKETS;
}

void documents_remember(struct journal *journal, struct append *append)
{
    for (size_t i = 0; i < append->batch.document_count; i++) {
        struct queued_document *queued = &append->queued[i];
        const struct document *document = queued->document;
        struct queued_document **list = &journal->queued_documents[bucket_of(document->collection, document->id)];
        queued->next = *list;
        *list = queued;
        if (!document->key) continue;
        list = &journal->queued_document_keys[bucket_of(document->collection, document->key)];
        queued->next_key = *list;
        *list = queued;
    }
}

static void forget_id(struct journal *journal, struct queued_document *queued)
{
    struct queued_document **link = &journal->queued_documents[bucket_of(queued->document->collection, queued->document->id)];
    while (*link && *link != queued)
        link = &(*link)->next;
    if (*link) *link = queued->next;
}

static void forget_key(struct journal *journal, struct queued_document *queued)
{
    if (!queued->document->key) return;
    struct queued_document **link = &journal->queued_document_keys[bucket_of(queued->document->collection, queued->document->key)];
    while (*link && *link != queued)
        link = &(*link)->next_key;
    if (*link) *link = queued->next_key;
}

void documents_forget(struct journal *journal, struct append *append)
{
    for (size_t i = 0; i < append->batch.document_count; i++) {
        forget_id(journal, &append->queued[i]);
        forget_key(journal, &append->queued[i]);
    }
}

static const struct document *find_queued(struct journal *journal, const char *collection, const char *id)
{
    for (const struct queued_document *at = journal->queued_documents[bucket_of(collection, id)]; at; at = at->next)
        if (text_equal(at->document->id, id) && text_equal(at->document->collection, collection)) return at->document;
    return NULL;
}

static int no_document(const char *collection, const char *id, struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no %.60s %.120s", collection, id);
}

static int answer_queued(const struct document *document, char **ret_body, size_t *ret_size, struct error *err)
{
    if (!document->body) return no_document(document->collection, document->id, err);
    *ret_body = mem_copy_bytes(document->body, document->size);
    if (ret_size) *ret_size = document->size;
    return 0;
}

int journal_get_document(
    struct journal *journal, const char *collection, const char *id, char **ret_body, size_t *ret_size, struct error *err)
{
    const struct document *queued = find_queued(journal, collection, id);
    if (queued) return answer_queued(queued, ret_body, ret_size, err);
    return journal_read_document(journal, collection, id, ret_body, ret_size, err);
}

int journal_read_document(
    struct journal *journal, const char *collection, const char *id, char **ret_body, size_t *ret_size, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_GET_DOCUMENT, &statement, err);
    if (more < 0) return more;
    query_bind_text(statement, 1, collection);
    query_bind_text(statement, 2, id);
    more = query_next(journal, statement, err);
    if (more < 0) return more;
    if (more == 0) return no_document(collection, id, err);
    const char *body = (const char *)sqlite3_column_text(statement, 0);
    size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    *ret_body = mem_copy_bytes(body, size);
    if (ret_size) *ret_size = size;
    return 0;
}

/* Was the document removed by a queued append that is younger than this version of it (NULL: by any)? */
static bool is_removed_since(struct journal *journal, const char *collection, const char *id, const struct document *version)
{
    for (const struct queued_document *at = journal->queued_documents[bucket_of(collection, id)]; at; at = at->next) {
        if (at->document == version) return false;
        bool same = text_equal(at->document->id, id) && text_equal(at->document->collection, collection);
        if (same && !at->document->body) return true;
    }
    return false;
}

static const char *find_queued_key(struct journal *journal, const char *collection, const char *key)
{
    for (const struct queued_document *at = journal->queued_document_keys[bucket_of(collection, key)]; at; at = at->next_key) {
        const struct document *document = at->document;
        if (!text_equal(document->key, key) || !text_equal(document->collection, collection) || !document->body) continue;
        if (!is_removed_since(journal, collection, document->id, document)) return document->id;
    }
    return NULL;
}

int journal_find_document(struct journal *journal, const char *collection, const char *key, char **ret_id, struct error *err)
{
    const char *id = find_queued_key(journal, collection, key);
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = id ? 0 : query_begin(journal, QUERY_FIND_DOCUMENT, &statement, err);
    if (more < 0) return more;
    if (!id) {
        query_bind_text(statement, 1, collection);
        query_bind_text(statement, 2, key);
        more = query_next(journal, statement, err);
        if (more < 0) return more;
        if (more > 0) id = (const char *)sqlite3_column_text(statement, 0);
        if (id && is_removed_since(journal, collection, id, NULL)) id = NULL;
    }
    if (!id) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no %.60s with the key %.120s", collection, key);
    *ret_id = mem_copy_text(id);
    return 0;
}

static enum query listing_of(const struct document_query *query)
{
    if (query->holds) return query->newest_first ? QUERY_SEARCH_DOCUMENTS_BACK : QUERY_SEARCH_DOCUMENTS;
    return query->newest_first ? QUERY_LIST_DOCUMENTS_BACK : QUERY_LIST_DOCUMENTS;
}

static void bind_listing(sqlite3_stmt *statement, const struct document_query *query)
{
    bool all = query->limit == 0 || query->limit > INT64_MAX;
    query_bind_text(statement, 1, query->collection);
    sqlite3_bind_int64(statement, 2, all ? -1 : (int64_t)query->limit);
    sqlite3_bind_int64(statement, 3, query->skip > INT64_MAX ? INT64_MAX : (int64_t)query->skip);
    if (query->holds) query_bind_text(statement, 4, query->holds);
}

int journal_list_documents(struct journal *journal, const struct document_query *query,
    int (*row)(void *context, const struct document *row), void *context, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, listing_of(query), &statement, err);
    if (more < 0) return more;
    bind_listing(statement, query);
    while ((more = query_next(journal, statement, err)) > 0) {
        struct document document = {
            .collection = query->collection,
            .id = (const char *)sqlite3_column_text(statement, 0),
            .key = (const char *)sqlite3_column_text(statement, 1),
            .body = (const char *)sqlite3_column_text(statement, 2),
            .size = (size_t)sqlite3_column_bytes(statement, 2),
        };
        if (row(context, &document)) return 0;
    }
    return more;
}

int journal_count_documents(struct journal *journal, const char *collection, uint64_t *ret_count, struct error *err)
{
    AUTO(query_end) sqlite3_stmt *statement = NULL;
    int more = query_begin(journal, QUERY_COUNT_DOCUMENTS, &statement, err);
    if (more < 0) return more;
    query_bind_text(statement, 1, collection);
    more = query_next(journal, statement, err);
    if (more < 0) return more;
    *ret_count = more ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return 0;
}
