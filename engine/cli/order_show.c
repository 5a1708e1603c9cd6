/* order_show.c: `crescendo order show`: all about one order, what failed first. */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/facts.h"
#include "cli/order.h"
#include "cli/order_report.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/documents.h"
#include "cli/when.h"
#include "net/tmf/characteristic.h"

#include <stdlib.h>
#include <string.h>

static void add_header(struct text *out, const struct terminal *terminal, const json_t *order)
{
    const char *state = json_text(order, "state", "?");
    int64_t begun_ms = document_time(order, "orderDate"), ended_ms = order_ended_ms(order);
    AUTO(text_release) struct text took = {0};
    AUTO(free_text) char *head = mem_format("order %s  %s", json_text(order, "id", "?"), state);
    fact_add_head(out, terminal, state, head);
    fact_add(out, terminal, "message", order_exit_code(order) ? order_message(order) : NULL);
    fact_add(out, terminal, "cancelled", json_text(order, "cancellationReason", NULL));
    fact_add(out, terminal, "description", json_text(order, "description", NULL));
    fact_add(out, terminal, "by", order_author(order));
    fact_add(out, terminal, "key", json_text(order, "externalId", NULL));
    fact_add_time(out, terminal, "ordered", begun_ms);
    fact_add_time(out, terminal, "ended", ended_ms);
    if (ended_ms || !order_is_at_rest(order)) when_add_took(&took, begun_ms, ended_ms, clock_now_ms());
    fact_add(out, terminal, "took", text_view(&took));
}

static void add_item(struct table *table, const json_t *item)
{
    const json_t *service = json_object_get(item, "service");
    const char *state = json_text(item, "state", "?"), *message = order_item_message(item);
    AUTO(free_text) char *name = order_item_name(item);
    table_add(table, STYLE_PLAIN, json_text(item, "id", ""));
    table_add(table, STYLE_PLAIN, json_text(item, "action", ""));
    table_add(table, STYLE_PLAIN, name);
    table_add(table, STYLE_PLAIN, json_text(service, "id", ""));
    table_add(table, STYLE_PLAIN, name_by_role(json_object_get(service, "place"), "domain"));
    table_add_format(table, style_of_state(state), "%s %s", symbol_of_state(state), state);
    table_add(table, message ? STYLE_BAD : STYLE_PLAIN, message);
}

static void add_items(struct text *out, const struct terminal *terminal, const json_t *order)
{
    static const struct column columns[] = {{"ITEM", .right = true, .drop = 2}, {"ACTION", .drop = 3}, {"WHAT", .keep = 8}, {"SERVICE"},
        {"DOMAIN", .keep = 6, .drop = 1}, {"STATE", .keep = 12}, {"MESSAGE", .keep = 8}};
    size_t count = json_array_size(json_object_get(order, "serviceOrderItem"));
    if (!count) return;
    const json_t **items = mem_alloc_array(count, sizeof(json_t *));
    struct table *table = table_new(columns, COUNT_OF(columns));
    order_items_sort(order, items);
    for (size_t i = 0; i < count; i++)
        add_item(table, items[i]);
    text_add_char(out, '\n');
    table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
    free(items);
}

/* The order is a run of the core: its steps are the order's milestones. */
static void add_steps(struct text *out, const struct terminal *terminal, const json_t *steps)
{
    static const struct column columns[] = {{"STEP", .keep = 10}, {"STATE", .keep = 10}, {"WHEN", .drop = 1}, {"MESSAGE", .keep = 8}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *step;
    json_array_foreach(steps, i, step)
    {
        const char *state = json_text(step, "status", "");
        table_add(table, STYLE_PLAIN, json_text(step, "name", json_text(step, "id", "")));
        table_add_format(table, style_of_state(state), "%s %s", symbol_of_state(state), state);
        table_add_when(table, document_time(step, "milestoneDate"), now_ms);
        table_add(table, STYLE_QUIET, json_text(step, "message", json_text(step, "description", "")));
    }
    if (i) text_add_char(out, '\n');
    if (i) table_print(table, terminal->columns, terminal->colour, out);
    table_free(&table);
}

/* Did the header say it whole? */
static bool was_shown(const struct terminal *terminal, const char *message)
{
    return !strchr(message, '\n') && (!terminal->columns || display_width(message) + FACT_NAME_COLUMNS <= terminal->columns);
}

/* Every word that the core said of what went wrong, whole: what stands above cuts them. */
static void add_errors(struct text *out, const struct terminal *terminal, const json_t *order)
{
    size_t i;
    json_t *error;
    json_array_foreach(json_object_get(order, "errorMessage"), i, error)
    {
        const char *message = json_text(error, "message", json_text(error, "reason", NULL));
        if (!message || (i == 0 && was_shown(terminal, message))) continue;
        text_add_char(out, '\n');
        text_add(out, style_open(i ? STYLE_PLAIN : STYLE_BAD, terminal->colour));
        display_add(out, message, DISPLAY_LINES);
        text_add(out, style_close(i ? STYLE_PLAIN : STYLE_BAD, terminal->colour));
        text_add_char(out, '\n');
    }
}

int order_show(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *order = NULL;
    int failed = core_get(&cli->client, CORE_ORDERS, form_argument(cli, 0), &order, err);
    if (failed == -ERROR_NOT_FOUND && !err->hint[0]) return error_hint(err, "`crescendo order` lists them");
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(order);
    struct text out = {0};
    add_header(&out, &cli->out, order);
    add_items(&out, &cli->out, order);
    add_steps(&out, &cli->out, json_object_get(order, "milestone"));
    add_errors(&out, &cli->out, order);
    order_add_way_on(order, &out);
    print_text(&out);
    return 0;
}
