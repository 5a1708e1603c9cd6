/* simulate_many.c: many seeds of a scenario: how often a run ended how, and the first seed of each kind, to look at. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/output.h"
#include "cli/simulate.h"

#include <string.h>

/* --- kinds ----------------------------------------------------------------------------------------------------------------------------
 */

static bool was_person_asked(const json_t *report)
{
    return json_array_size(json_object_get(report, "settled")) > 0 || text_equal(json_text(report, "end", NULL), "needs_person") ||
           text_equal(json_text(report, "end", NULL), "rollback_failed");
}

static bool is_of_kind(const json_t *kind, const json_t *report, bool asked)
{
    return text_equal(json_text(kind, "end", NULL), json_text(report, "end", NULL)) && json_flag(kind, "asked", false) == asked &&
           json_flag(kind, "held", true) == json_flag(report, "held", true);
}

static json_t *kind_of(json_t *kinds, const json_t *report)
{
    size_t i;
    json_t *kind;
    bool asked = was_person_asked(report);
    json_array_foreach(kinds, i, kind) if (is_of_kind(kind, report, asked)) return kind;
    kind = json_object();
    json_put_text(kind, "end", json_text(report, "end", "?"));
    json_put_flag(kind, "asked", asked);
    json_put_flag(kind, "held", json_flag(report, "held", true));
    json_put_flag(kind, "meant", json_flag(report, "meant", true));
    json_put_text(kind, "broken", json_text(report, "broken", NULL));
    json_put_whole(kind, "first_seed", json_whole(report, "seed", 0));
    json_array_append_new(kinds, kind);
    return kind;
}

static int64_t count_faults(const json_t *report)
{
    int64_t count = 0;
    size_t i;
    json_t *fault;
    json_array_foreach(json_object_get(report, "faults"), i, fault) count += json_whole(fault, "times", 0);
    return count;
}

static void add_run(json_t *kinds, const json_t *report)
{
    json_t *kind = kind_of(kinds, report);
    int64_t took_ms = json_whole(report, "took_ms", 0);
    json_put_whole(kind, "runs", json_whole(kind, "runs", 0) + 1);
    json_put_whole(kind, "faults", json_whole(kind, "faults", 0) + count_faults(report));
    if (took_ms > json_whole(kind, "longest_ms", 0)) json_put_whole(kind, "longest_ms", took_ms);
}

static json_t *take_most(json_t *kinds)
{
    size_t most = 0;
    for (size_t i = 1; i < json_array_size(kinds); i++)
        if (json_whole(json_array_get(kinds, i), "runs", 0) > json_whole(json_array_get(kinds, most), "runs", 0)) most = i;
    json_t *kind = json_incref(json_array_get(kinds, most));
    json_array_remove(kinds, most);
    return kind;
}

json_t *simulate_many(const struct simulation *first, int64_t count)
{
    AUTO(free_json) json_t *kinds = json_array();
    json_t *sorted = json_array();
    struct simulation simulation = *first;
    for (int64_t i = 0; i < count; i++, simulation.seed++) {
        AUTO(free_json) json_t *report = simulate(&simulation);
        add_run(kinds, report);
    }
    while (json_array_size(kinds))
        json_array_append_new(sorted, take_most(kinds));
    return sorted;
}

/* --- the table ------------------------------------------------------------------------------------------------------------------------
 */

static void add_kind(struct table *table, const json_t *kind)
{
    bool held = json_flag(kind, "held", true), meant = json_flag(kind, "meant", true);
    const char *end = json_text(kind, "end", "?"), *remark = meant ? "" : "not what the scenario means";
    int64_t runs = json_whole(kind, "runs", 1);
    AUTO(text_release) struct text longest = {0};
    text_add_duration(&longest, json_whole(kind, "longest_ms", 0));
    table_add_format(table, style_of_state(end), "%s %s", symbol_of_state(end), end);
    table_add(table, STYLE_PLAIN, json_flag(kind, "asked", false) ? "yes" : "no");
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)runs);
    table_add_format(table, STYLE_PLAIN, "%.1f", (double)json_whole(kind, "faults", 0) / (double)runs);
    table_add(table, STYLE_PLAIN, text_view(&longest));
    table_add_format(table, STYLE_STRONG, "--seed %lld", (long long)json_whole(kind, "first_seed", 0));
    table_add(table, held ? STYLE_WAIT : STYLE_BAD, held ? remark : json_text(kind, "broken", "the promise is broken"));
}

void simulated_add_kinds(struct text *out, const struct terminal *terminal, const json_t *kinds)
{
    static const struct column columns[] = {{"END"}, {"ASKED"}, {"RUNS", .right = true}, {"FAULTS", .right = true, .drop = 2},
        {"LONGEST", .right = true, .drop = 1}, {"THE FIRST"}, {"REMARK", .keep = 12}};
    size_t i;
    json_t *kind;
    struct table *table = table_new(columns, COUNT_OF(columns));
    json_array_foreach(kinds, i, kind) add_kind(table, kind);
    table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}
