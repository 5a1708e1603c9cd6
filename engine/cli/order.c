/* order.c: `crescendo order`: the orders as a table, cancelling one, and the table of its forms. */
#include "cli/order.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "cli/order_report.h"
#include "cli/order_watch.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/documents.h"
#include "cli/when.h"

#include <stdio.h>

enum { LIST_DEFAULT = 20 };

static void add_row(struct table *table, const json_t *order, int64_t now_ms)
{
    const char *state = json_text(order, "state", "?");
    int64_t begun_ms = document_time(order, "orderDate");
    table_add(table, STYLE_PLAIN, json_text(order, "id", ""));
    table_add_format(table, style_of_state(state), "%s %s", symbol_of_state(state), state);
    table_add_format(table, STYLE_PLAIN, "%zu/%zu", order_items_done(order), json_array_size(json_object_get(order, "serviceOrderItem")));
    table_add(table, STYLE_PLAIN, order_author(order));
    table_add_when(table, begun_ms, now_ms);
    if (order_is_at_rest(order) && !order_ended_ms(order))
        table_add(table, STYLE_PLAIN, "");
    else
        table_add_took(table, begun_ms, order_ended_ms(order), now_ms);
    table_add(table, STYLE_QUIET, json_text(order, "description", ""));
}

static void print_orders(const struct cli *cli, const json_t *orders)
{
    static const struct column columns[] = {{"ID", .right = true}, {"STATE", .keep = 12}, {"ITEMS", .right = true, .drop = 2},
        {"WHO", .keep = 6, .drop = 1}, {"WHEN", .drop = 4}, {"TOOK", .drop = 3}, {"DESCRIPTION", .keep = 16}};
    struct table *table = table_new(columns, COUNT_OF(columns));
    int64_t now_ms = clock_now_ms();
    size_t i;
    json_t *order;
    json_array_foreach(orders, i, order) add_row(table, order, now_ms);
    write_table(&table, &cli->out);
}

static int list(struct cli *cli, struct error *err)
{
    /* TMF641's */
    static const char *const states[] = {"acknowledged", "inProgress", "completed", "failed", "cancelled", "rejected", "held", "partial",
        "pending", "assessingCancellation", "pendingCancellation", NULL};
    const char *state = options_value(&cli->options, "state");
    int64_t limit = 0;
    size_t which;
    AUTO(free_json) json_t *orders = NULL;
    AUTO(text_release) struct text query = {0};
    int failed = options_number(&cli->options, "limit", 1, LIST_DEFAULT, &limit, err);
    if (!failed) failed = options_choice(&cli->options, "state", states, &which, err);
    if (failed) return failed;
    if (state) text_add(&query, "state=");
    if (state) percent_encode(state, &query);
    failed = core_newest(&cli->client, CORE_ORDERS, state ? text_view(&query) : NULL, (size_t)limit, &orders, err);
    if (failed) return failed;
    if (options_flag(&cli->options, "json")) return print_json(orders);
    if (json_array_size(orders))
        print_orders(cli, orders);
    else
        printf("no orders%s\n", state ? " like that" : " yet: a pipeline's step `order`, or crescendo order add NAME --domain DOMAIN");
    return 0;
}

/* Cancelling is asked for; the order's end says whether it came in time. */
static int wait_for_cancel(struct cli *cli, const char *id, struct error *err)
{
    AUTO(free_json) json_t *order = NULL, *ended = NULL;
    int failed = core_get(&cli->client, CORE_ORDERS, id, &order, err);
    if (!failed) failed = order_watch(cli, order, &ended, err);
    if (failed) return failed;
    struct text out = {0};
    bool cancelled = text_equal(json_text(ended, "state", NULL), "cancelled");
    if (options_flag(&cli->options, "json"))
        print_json(ended);
    else
        order_add_end(ended, &cli->out, &out);
    print_text(&out);
    return cancelled ? 0 : 1;
}

static int cancel(struct cli *cli, struct error *err)
{
    AUTO(free_json) json_t *body = json_object(), *reference = json_object(), *task = NULL;
    const char *id = form_argument(cli, 0);
    json_put_text(reference, "id", id);
    json_put(body, "serviceOrder", take(&reference));
    json_put_text(body, "cancellationReason", options_value(&cli->options, "comment"));
    int failed = client_call(&cli->client, "POST", CORE_CANCELS, body, &task, err);
    if (failed) return failed;
    if (text_equal(json_text(task, "state", NULL), "terminatedWithError"))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "cannot cancel it: %s",
            json_text(json_object_get(task, "errorMessage"), "message", json_text(task, "completionMessage", "it came too late")));
    if (!options_flag(&cli->options, "no-wait")) return wait_for_cancel(cli, id, err);
    if (options_flag(&cli->options, "json")) return print_json(task);
    printf("order %s is being cancelled\n", id);
    return 0;
}

const struct form order_forms[] = {
    {"list", "", "the newest orders", .options = "state limit", .run = list},
    {"show", "ID", "one order: its items, what failed, its steps", 1, 1, .run = order_show},
    {"add", "NAME[@VERSION]", "orders what is published; the newest version where none is named", 1, 1,
        "domain replicas share key description wait no-wait dry-run", order_add},
    {"scale", "SERVICE N", "more or fewer instances", 2, 2, "key description wait no-wait dry-run", order_scale},
    {"share", "SERVICE SHARE", "its part of the requests: 25%", 2, 2, "lease key description wait no-wait dry-run", order_share},
    {"delete", "SERVICE...", "ends services, and the networks and users that came with them", 1, 100,
        "key description wait no-wait dry-run", order_delete},
    {"cancel", "ID", "stops an order; what it did is undone", 1, 1, "comment wait no-wait", cancel},
    {"resolve", "ID [ITEM]", "settles an order that is held: --done ID, --not-done or --undone, once you have looked there", 1, 2,
        "done not-done undone effect comment", order_resolve},
    {"send", "FILE.json", "any order, as TMF641 has it; - for standard input", 1, 1, "wait no-wait dry-run", order_send},
    {.name = NULL},
};
