/* order_report.h: what is said of an order: how it stands, why it failed, what a person sees change. Pure: documents in, text out. */
#ifndef CRESCENDO_CLI_ORDER_REPORT_H
#define CRESCENDO_CLI_ORDER_REPORT_H

#include "cli/terminal.h"

#include <jansson.h>

bool order_is_at_rest(const json_t *order); /* it ended, or a person must look at it */
/* 0 completed, or goes on; 4 rejected, or failed because it was not allowed; 7 held; 1 else. A cancel that succeeded: 1, as for runs. */
int order_exit_code(const json_t *order);
/* Why it failed: the order's first error, else that of its first failed item; borrowed, NULL = it does not say. */
const char *order_message(const json_t *order);
const char *order_author(const json_t *order); /* its requester; "" = unknown */
int64_t order_ended_ms(const json_t *order);   /* 0: it goes on, or does not say */
size_t order_items_done(const json_t *order);

/* The item's component, else what it is called, else its id; caller frees. */
char *order_item_name(const json_t *item);
const char *order_item_message(const json_t *item); /* NULL = none */
/* The items of an order, borrowed: those that failed first, of which the one that the order's error names is the first. items: room for
   all of them. */
void order_items_sort(const json_t *order, const json_t **items);

/* Adds a line for each thing that is new since before (NULL = all is): the order's state, its items' states and messages. */
void order_add_news(const json_t *before, const json_t *order, const struct terminal *terminal, struct text *out);
/* Adds the closing line: "order 17 failed after 3 s: hello: exited with status 1"; of one that is held what a person may do, too. */
void order_add_end(const json_t *order, const struct terminal *terminal, struct text *out);

/* Adds what a person may do about an order that is held; nothing for others. */
void order_add_way_on(const json_t *order, struct text *out);

#endif
