/* standby.c: when the server was last there for a run that lends a share on a domain that holds no lease: a document of the journal. */
#include "run/standby.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static const char collection[] = "standby";

enum { ID_SIZE = 24 };

static const char *id_of(const struct live_run *run, char id[ID_SIZE])
{
    snprintf(id, ID_SIZE, "%llu", (unsigned long long)run->number);
    return id;
}

static void put(const struct live_run *run, const json_t *body)
{
    char id[ID_SIZE];
    AUTO(document_list_release) struct document_list list = {0};
    document_list_add(&list, collection, id_of(run, id), NULL, body);
    journal_append(run->engine->journal, &(struct journal_batch){.documents = list.items, .document_count = list.count}, NULL, NULL);
}

void standby_note(const struct live_run *run)
{
    AUTO(free_json) json_t *body = json_object();
    json_put_whole(body, "seen_ms", clock_now_ms());
    put(run, body);
}

int64_t standby_seen_ms(const struct live_run *run)
{
    char id[ID_SIZE];
    AUTO(free_text) char *text = NULL;
    AUTO(free_json) json_t *body = NULL;
    size_t size = 0;
    struct error ignored; /* then what is on record of the run itself has to do */
    if (journal_get_document(run->engine->journal, collection, id_of(run, id), &text, &size, &ignored) < 0) return 0;
    if (json_parse(text, size, collection, &body, &ignored) < 0) return 0;
    return json_whole(body, "seen_ms", 0);
}

void standby_forget(const struct live_run *run)
{
    put(run, NULL);
}
