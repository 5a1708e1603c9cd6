/* holders.c: the engines that renew leases here, and the highest epoch of each, as documents of the core's journal. */
#include "orchestrator/holders.h"

#include "base/json.h"
#include "base/mem.h"
#include "run/engine.h"

#include <stdlib.h>
#include <string.h>

static const char collection[] = "leaseHolder";

enum { HOLDERS_MAX = 1000, NAME_MAX_BYTES = 64 };

struct holders {
    struct journal *journal;
    json_t *epochs; /* engine → the highest epoch that it said */
};

static int take_up(void *context, const struct document *document)
{
    struct holders *holders = context;
    AUTO(free_json) json_t *body = NULL;
    struct error ignored; /* what cannot be read holds nobody back */
    if (json_parse(document->body, document->size, collection, &body, &ignored) == 0)
        json_put_whole(holders->epochs, document->id, json_whole(body, "epoch", 0));
    return 0;
}

int holders_open(struct journal *journal, struct holders **ret, struct error *err)
{
    struct holders *holders = mem_alloc(sizeof *holders);
    *holders = (struct holders){journal, json_object()};
    int failed = journal_list_documents(journal, &(struct document_query){.collection = collection}, take_up, holders, err);
    if (failed)
        holders_close(&holders);
    else
        *ret = holders;
    return failed;
}

void holders_close(struct holders **holders)
{
    if (!*holders) return;
    json_decref((*holders)->epochs);
    free(take(holders));
}

static void remember(struct holders *holders, const char *engine, int64_t epoch)
{
    AUTO(document_list_release) struct document_list list = {0};
    AUTO(free_json) json_t *body = json_object();
    json_put_whole(holders->epochs, engine, epoch);
    json_put_whole(body, "epoch", epoch);
    document_list_add(&list, collection, engine, NULL, body);
    journal_append(
        holders->journal, &(struct journal_batch){.documents = list.items, .document_count = list.count, .durable = true}, NULL, NULL);
}

int holders_pass(struct holders *holders, const char *engine, uint64_t epoch, struct error *err)
{
    if (!*engine || strlen(engine) > NAME_MAX_BYTES)
        return error_set(err, ERROR_INVALID, NOWHERE, "engine: a name of 1 to %d bytes", NAME_MAX_BYTES);
    int64_t said = (int64_t)epoch, known = json_whole(holders->epochs, engine, -1);
    if (said < known) {
        error_set(err, ERROR_STALE, NOWHERE, "a server of this engine that was started later (epoch %lld; yours is %lld) renews its leases",
            (long long)known, (long long)said);
        return error_hint(err, "stop this server: another one has its data folder, or a copy of it");
    }
    if (said == known) return 0;
    if (known < 0 && json_object_size(holders->epochs) >= HOLDERS_MAX)
        return error_set(err, ERROR_LIMIT, NOWHERE, "%d engines have renewed leases here, and no other may", HOLDERS_MAX);
    remember(holders, engine, said);
    return 0;
}
