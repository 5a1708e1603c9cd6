/* repeat.c: the same name and version with the same content again is what is there already: a POST whose answer was lost is sent twice. */
#include "orchestrator/tmf/catalogue.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const own[] = {"id", "href", "lastUpdate"};

bool catalogue_is_same(const json_t *stored, const json_t *document)
{
    AUTO(free_json) json_t *same = json_copy((json_t *)document);
    for (size_t i = 0; i < COUNT_OF(own); i++)
        json_object_set(same, own[i], json_object_get(stored, own[i]));
    return json_equal(same, stored);
}

/* NULL: it has no version, so that another one of its name is another one. */
static char *key_of(const json_t *document)
{
    const char *version = json_text(document, "version", NULL);
    char digest[65];
    if (!version) return NULL;
    AUTO(free_json) json_t *content = json_copy((json_t *)document);
    for (size_t i = 0; i < COUNT_OF(own); i++)
        json_object_del(content, own[i]);
    json_digest(content, digest);
    AUTO(free_json) json_t *key = json_pack("[s, s, s]", json_text(document, "name", ""), version, digest);
    return json_canonical(key);
}

/* One that was patched since is another by now, and the new one gets no key: its own is taken. */
static enum tmf_verdict answer_same(struct tmf_change *change, const char *id, struct error *err)
{
    AUTO(free_json) json_t *stored = NULL;
    if (tmf_read(tmf_journal(change->call), tmf_resource_of(change->call)->name, id, &stored, err)) return TMF_REFUSED;
    if (!catalogue_is_same(stored, change->document)) return TMF_GO_ON;
    tmf_write_and_answer(change->call, NULL, 0, 201, take(&stored)); /* behind what may still be on its way to the disk */
    return TMF_TAKEN;
}

enum tmf_verdict catalogue_once(struct tmf_change *change, struct error *err)
{
    AUTO(free_text) char *key = key_of(change->document);
    AUTO(free_text) char *id = NULL;
    if (!key) return TMF_GO_ON;
    int failed = journal_find_document(tmf_journal(change->call), tmf_resource_of(change->call)->name, key, &id, err);
    if (!failed) return answer_same(change, id, err);
    if (failed != -ERROR_NOT_FOUND) return TMF_REFUSED;
    change->key = take(&key);
    return TMF_GO_ON;
}
