/* kpi_domain_perform.c: what the domain tells of a canary beside the records of its requests: how many of each version are under way, and
   how often the canary's instances were started again. */
#include "kpi_reading.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "steps/kpi/trouble.h"

enum { PATIENCE_MS = 2000 };

static json_t *describe(const struct tmf_client *client)
{
    AUTO(text_release) struct text path = {0};
    struct tmf_client brief = *client;
    struct error problem = {0};
    json_t *answer = NULL;
    text_add(&path, "/domain/v1/domains/");
    percent_encode(client->name, &path);
    brief.timeout_ms = PATIENCE_MS;
    brief.patience_ms = -1;
    const struct tmf_request request = {.method = "GET", .path = path.bytes};
    return tmf_send(&brief, &request, NULL, &answer, &problem) == 0 ? answer : NULL;
}

/* NULL: it does not tell of it. */
static const json_t *service_of(const json_t *domain, const char *id)
{
    json_t *line;
    size_t index;
    json_array_foreach(json_object_get(domain, "keeper_services"), index, line)
    {
        if (text_equal(json_text(line, "service", NULL), id) && json_whole(line, "open", -1) >= 0) return line;
    }
    return NULL;
}

void kpi_domain_look(const struct tmf_client *client, struct canary *canary, struct ramp_reading *ret)
{
    AUTO(free_json) json_t *domain = describe(client);
    const json_t *ours = service_of(domain, canary->id), *theirs = service_of(domain, canary->baseline);
    if (!ours || !theirs) return;
    ret->told = true;
    ret->open_canary = (uint64_t)json_whole(ours, "open", 0);
    ret->open_baseline = (uint64_t)json_whole(theirs, "open", 0);
    ret->restarts = trouble_note_instances(canary, json_object_get(domain, "instances"), json_whole(ours, "replicas", 0));
}
