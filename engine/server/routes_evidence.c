/* routes_evidence.c: what the steps of a run that judge a canary put on record (docs/formats/evidence.md), page by page and without the
 * rest. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/server.h"

#include <string.h>

enum { PAGE_EVENTS = 20000, PAGE_BYTES = 2 * 1024 * 1024 };

struct evidence_page {
    const struct plan *plan;
    const char *step; /* NULL: of all */
    json_t *records;
    size_t bytes;
    uint64_t after; /* the last event that was looked at */
    unsigned looked;
    bool more;
};

static bool may_be_evidence(const struct evidence_page *page, const struct journal_row *row)
{
    bool is_checkpoint = text_equal(row->type, "step_checkpoint") || text_equal(row->type, "step_parked");
    if (!is_checkpoint || row->step >= page->plan->step_count || !row->data || !strstr(row->data, "\"evidence\":")) return false;
    return !page->step || text_equal(page->plan->steps[row->step].path, page->step);
}

/* The tests' own states are large, and of use to the step alone. */
static json_t *without_state(const json_t *checkpoint)
{
    static const char *const kept[] = {
        "evidence", "previous", "canary", "baseline", "versions", "family", "policy", "ramp", "ticks", "verdict"};
    static const char *const of_kpi[] = {"kpi", "rules", "carried"};
    json_t *record = json_object(), *kpis = json_array(), *kpi;
    size_t index;
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        json_put(record, kept[i], json_incref(json_object_get(checkpoint, kept[i])));
    json_array_foreach(json_object_get(checkpoint, "kpis"), index, kpi)
    {
        json_t *one = json_object();
        for (size_t i = 0; i < COUNT_OF(of_kpi); i++)
            json_put(one, of_kpi[i], json_incref(json_object_get(kpi, of_kpi[i])));
        json_array_append_new(kpis, one);
    }
    json_put(record, "kpis", kpis);
    return record;
}

static void add_record(struct evidence_page *page, const struct journal_row *row)
{
    AUTO(free_json) json_t *data = NULL;
    if (json_parse(row->data, strlen(row->data), row->type, &data, NULL) < 0) return;
    const json_t *checkpoint = json_object_get(data, "checkpoint");
    if (!json_is_integer(json_object_get(checkpoint, "evidence"))) return;
    json_t *record = json_object();
    json_put_whole(record, "id", (int64_t)row->id);
    json_put_whole(record, "time_ms", row->time_ms);
    json_put_text(record, "step", page->plan->steps[row->step].path);
    json_put(record, "record", without_state(checkpoint));
    json_array_append_new(page->records, record);
    page->bytes += strlen(row->data);
}

static int on_row(void *context, const struct journal_row *row)
{
    struct evidence_page *page = context;
    page->after = row->id;
    page->looked++;
    if (may_be_evidence(page, row)) add_record(page, row);
    page->more = page->bytes > PAGE_BYTES || page->looked == PAGE_EVENTS;
    return page->more;
}

static void handle_evidence(struct request *request, void *context)
{
    struct server *server = context;
    uint64_t run;
    int64_t after;
    struct error err;
    AUTO(plan_free) struct plan *plan = NULL;
    if (!server_read_run(request, &run)) return;
    if (!server_read_number(request, "after", 0, INT64_MAX, 0, &after)) return;
    struct evidence_page page = {.step = request_query(request, "step"), .records = json_array()};
    int code = engine_read_plan(server->engine, run, &plan, &err);
    page.plan = plan;
    if (code == 0) code = journal_read(engine_journal(server->engine), run, (uint64_t)after, 0, on_row, &page, &err);
    if (code < 0) {
        json_decref(page.records);
        respond_error(request, &err);
        return;
    }
    json_t *body = json_pack("{s:I, s:o}", "run", (json_int_t)run, "records", page.records);
    if (page.more) json_put_whole(body, "next", (int64_t)page.after);
    respond_json(request, 200, body);
}

const struct route evidence_routes[] = {
    {"GET", "/v1/runs/{run}/evidence", handle_evidence, "What was recorded of a run's canaries: ?step=PATH after=ID", NULL},
    ROUTE_END,
};
