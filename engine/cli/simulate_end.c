/* simulate_end.c: what became of a simulated run: how it ended, what was sent and made, who was asked, what is left, whether the promise
 * held. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/simulate.h"

#include <string.h>

const char *simulated_end_words(const char *end)
{
    static const char *const words[][2] = {{"succeeded", "succeeded"}, {"failed", "failed"}, {"cancelled", "was cancelled"},
        {"rolled_back", "was rolled back"}, {"rollback_failed", "could not be rolled back, and asks a person"},
        {"needs_person", "asks a person"}, {"waiting", "waits for a person"}};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (text_equal(words[i][0], end)) return words[i][1];
    return end;
}

static void add_head(struct text *out, const struct terminal *terminal, const json_t *report)
{
    AUTO(text_release) struct text words = {0};
    const char *end = json_text(report, "end", "?");
    text_add_format(&words, "the run %s after ", simulated_end_words(end));
    text_add_duration(&words, json_whole(report, "took_ms", 0));
    fact_add_head(out, terminal, end, text_view(&words));
}

/* --- what was ordered -----------------------------------------------------------------------------------------------------------------
 */

static void add_order(struct table *table, const json_t *order)
{
    int64_t made = json_whole(order, "made", 0);
    AUTO(free_text)
    char *what = mem_format("%s%s", json_flag(order, "undoing", false) ? "undo " : "", json_text(order, "effect", "?"));
    table_add(table, STYLE_PLAIN, json_text(order, "step", "?"));
    table_add(table, STYLE_PLAIN, what);
    table_add(table, STYLE_PLAIN, json_text(order, "target", ""));
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)json_whole(order, "sent", 0));
    table_add_format(table, STYLE_PLAIN, "%lld", (long long)json_whole(order, "asked", 0));
    table_add_format(table, made > 1 ? STYLE_BAD : STYLE_STRONG, "%lld", (long long)made);
    table_add(table, STYLE_QUIET, json_text(order, "state", ""));
}

static void add_orders(struct text *out, const struct terminal *terminal, const json_t *orders)
{
    static const struct column columns[] = {{"STEP", .keep = 12}, {"EFFECT", .keep = 10}, {"TARGET", .keep = 6, .drop = 1},
        {"SENT", .right = true}, {"ASKED", .right = true}, {"MADE", .right = true}, {"RECORD"}};
    size_t i;
    json_t *order;
    text_add_char(out, '\n');
    if (!json_array_size(orders)) return;
    struct table *table = table_new(columns, COUNT_OF(columns));
    json_array_foreach(orders, i, order) add_order(table, order);
    table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
    text_add_char(out, '\n');
}

/* --- facts ----------------------------------------------------------------------------------------------------------------------------
 */

static void add_faults(struct text *out, const struct terminal *terminal, const json_t *report)
{
    AUTO(text_release) struct text line = {0};
    size_t i;
    json_t *fault;
    json_array_foreach(json_object_get(report, "faults"), i, fault)
        text_add_format(&line, "%s%s %lld", i ? ", " : "", json_text(fault, "fault", "?"), (long long)json_whole(fault, "times", 0));
    fact_add(out, terminal, "faults", line.size ? text_view(&line) : "none");
}

static void add_asked(struct text *out, const struct terminal *terminal, const json_t *report)
{
    size_t i, j;
    json_t *asked, *vote;
    json_array_foreach(json_object_get(report, "asked"), i, asked)
    {
        AUTO(text_release) struct text line = {0};
        const char *state = json_text(asked, "state", "");
        text_add_format(&line, "%s: ", json_text(asked, "step", "?"));
        json_array_foreach(json_object_get(asked, "votes"), j, vote)
            text_add_format(&line, "%s%s", j ? ", " : "approved by ", json_string_value(vote));
        if (!json_array_size(json_object_get(asked, "votes"))) text_add_format(&line, "nobody answered; it is %s", state);
        fact_add(out, terminal, "asked", text_view(&line));
    }
    json_array_foreach(json_object_get(report, "settled"), i, asked)
        fact_add_format(out, terminal, "settled", "%s: %s", json_text(asked, "step", "?"), json_text(asked, "words", ""));
}

/* All of it, on as many lines as it needs. */
static void add_long_fact(struct text *out, const struct terminal *terminal, const char *name, const char *value)
{
    AUTO(text_release) struct text wrapped = {0};
    display_add_wrapped(&wrapped, value, terminal->columns > FACT_NAME_COLUMNS ? terminal->columns - FACT_NAME_COLUMNS : 0, 0);
    AUTO(free_text) char *copy = text_take(&wrapped);
    char *rest = copy;
    for (char *line; (line = strsep(&rest, "\n")); name = "")
        fact_add(out, terminal, name, line);
}

/* "  crescendo resolve 1 release/order --done ID": to be copied, so never cut. */
static void add_commands(struct text *out, const json_t *wait)
{
    size_t i, j;
    json_t *command, *word;
    json_array_foreach(json_object_get(wait, "commands"), i, command)
    {
        AUTO(text_release) struct text line = {0};
        text_add(&line, "crescendo");
        json_array_foreach(command, j, word) text_add_format(&line, " %s", json_string_value(word) ? json_string_value(word) : "");
        text_add(out, "  ");
        display_add(out, text_view(&line), DISPLAY_LINE);
        text_add_char(out, '\n');
    }
}

/* What it waits for where it did not come to rest, as `crescendo explain` says it. */
static void add_now(struct text *out, const struct terminal *terminal, const json_t *report)
{
    size_t i;
    json_t *wait;
    json_array_foreach(json_object_get(report, "now"), i, wait)
    {
        add_long_fact(out, terminal, "waits", json_text(wait, "words", "?"));
        add_commands(out, wait);
    }
}

static void add_promise(struct text *out, const struct terminal *terminal, const json_t *report)
{
    const char *broken = json_text(report, "broken", NULL), *end = json_text(report, "end", "");
    bool asks = text_equal(end, "needs_person") || text_equal(end, "rollback_failed") || text_equal(end, "waiting");
    if (!broken)
        return fact_add_format(out, terminal, "promise", "held: no order was made twice, and %s",
            asks ? "what is open was put to a person" : "nothing is under way");
    AUTO(free_text) char *words = mem_format("%s. Please report it, with the pipeline, the scenario and the seed.", broken);
    fact_add(out, terminal, "promise", "BROKEN");
    display_add_wrapped(out, words, terminal->columns, 0);
    text_add_char(out, '\n');
}

void simulated_add_end(struct text *out, const struct terminal *terminal, const json_t *report)
{
    add_head(out, terminal, report);
    add_orders(out, terminal, json_object_get(report, "orders"));
    add_faults(out, terminal, report);
    add_asked(out, terminal, report);
    report_left(report, terminal, out);
    add_now(out, terminal, report);
    add_promise(out, terminal, report);
    if (json_flag(report, "meant", false) || json_text(report, "broken", NULL)) return;
    fact_add(out, terminal, "but", "the scenario does not mean such an end: exit code 1");
}
