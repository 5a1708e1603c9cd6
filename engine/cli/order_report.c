/* order_report.c: what is said of an order. */
#include "cli/order_report.h"

#include "base/json.h"
#include "base/mem.h"
#include "cli/display.h"
#include "cli/documents.h"
#include "net/tmf/characteristic.h"
#include "state/state.h"

#include <strings.h>

enum { EXIT_DENIED = 4, EXIT_PERSON = 7 };

struct resting {
    const char *state, *verb;
    int exit_code;
};

static const struct resting *resting_of(const json_t *order)
{
    static const struct resting all[] = {{"completed", "completed", 0}, {"failed", "failed", 1}, {"partial", "was done in part", 1},
        {"cancelled", "was cancelled", 1}, {"rejected", "was rejected", EXIT_DENIED},
        {"held", "is held: a person must look at it", EXIT_PERSON}};
    const char *state = json_text(order, "state", "");
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (text_equal(all[i].state, state)) return &all[i];
    return NULL;
}

int64_t order_ended_ms(const json_t *order)
{
    int64_t ended_ms = document_time(order, "completionDate");
    return ended_ms ? ended_ms : document_time(order, "cancellationDate");
}

bool order_is_at_rest(const json_t *order)
{
    return resting_of(order);
}

static const json_t *first_error(const json_t *document)
{
    return json_array_get(json_object_get(document, "errorMessage"), 0);
}

static bool is_denied(const json_t *error)
{
    return text_equal(json_text(error, "status", NULL), "403") || strcasecmp(json_text(error, "code", ""), "denied") == 0;
}

int order_exit_code(const json_t *order)
{
    const struct resting *resting = resting_of(order);
    if (!resting) return 0;
    return resting->exit_code == 1 && is_denied(first_error(order)) ? EXIT_DENIED : resting->exit_code;
}

static const char *error_words(const json_t *error)
{
    const char *message = json_text(error, "message", NULL);
    return message && *message ? message : json_text(error, "reason", NULL);
}

const char *order_item_message(const json_t *item)
{
    return error_words(first_error(item));
}

static bool is_failed(const json_t *item)
{
    const char *state = json_text(item, "state", "");
    return text_equal(state, "failed") || text_equal(state, "rejected");
}

const char *order_message(const json_t *order)
{
    const char *message = error_words(first_error(order));
    size_t i;
    json_t *item;
    if (message) return message;
    json_array_foreach(json_object_get(order, "serviceOrderItem"), i, item)
    {
        if (is_failed(item) && (message = order_item_message(item))) return message;
    }
    return NULL;
}

const char *order_author(const json_t *order)
{
    const char *name = name_by_role(json_object_get(order, "relatedParty"), "requester");
    return name ? name : "";
}

size_t order_items_done(const json_t *order)
{
    size_t i, done = 0;
    json_t *item;
    json_array_foreach(json_object_get(order, "serviceOrderItem"), i, item) done += text_equal(json_text(item, "state", ""), "completed");
    return done;
}

char *order_item_name(const json_t *item)
{
    const json_t *service = json_object_get(item, "service");
    char *component = document_value_text(service, "component");
    if (*component) return component;
    free_text(&component);
    const char *specification = json_text(json_object_get(service, "serviceSpecification"), "name", NULL);
    return mem_copy_text(json_text(service, "name", specification ? specification : json_text(service, "id", json_text(item, "id", "?"))));
}

/* Does the order's first error name this item? */
static bool is_decisive(const json_t *order, const json_t *item)
{
    const json_t *named = json_object_get(first_error(order), "serviceOrderItem");
    if (json_is_array(named)) named = json_array_get(named, 0);
    const char *id = json_text(named, "itemId", json_text(named, "id", NULL));
    return id && text_equal(id, json_text(item, "id", NULL));
}

void order_items_sort(const json_t *order, const json_t **items)
{
    const json_t *all = json_object_get(order, "serviceOrderItem");
    size_t count = 0, i;
    json_t *item;
    for (int rank = 0; rank < 3; rank++) {
        json_array_foreach(all, i, item)
        {
            int its = !is_failed(item) ? 2 : is_decisive(order, item) ? 0 : 1;
            if (its == rank) items[count++] = item;
        }
    }
}

static const json_t *same_item(const json_t *order, const json_t *item)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(order, "serviceOrderItem"), i, one)
    {
        if (text_equal(json_text(one, "id", NULL), json_text(item, "id", NULL))) return one;
    }
    return NULL;
}

static void add_line(const char *state, const char *line, const struct terminal *terminal, struct text *out)
{
    enum style style = style_of_state(state);
    text_add(out, style_open(style, terminal->colour));
    display_add(out, line, DISPLAY_LINE);
    text_add(out, style_close(style, terminal->colour));
    text_add_char(out, '\n');
}

static void add_item_news(const json_t *order, const json_t *before, const json_t *item, const struct terminal *terminal, struct text *out)
{
    const json_t *old = same_item(before, item);
    const char *state = json_text(item, "state", "?"), *message = order_item_message(item);
    bool moved = !text_equal(state, json_text(old, "state", NULL)) && !(text_equal(state, "acknowledged") && !old);
    if (!moved && (!message || text_equal(message, order_item_message(old)))) return;
    AUTO(free_text) char *name = order_item_name(item);
    AUTO(free_text)
    char *line = mem_format("order %s  %s %s: %s%s%s", json_text(order, "id", "?"), json_text(item, "action", "item"), name, state,
        message ? ": " : "", message ? message : "");
    add_line(state, line, terminal, out);
}

void order_add_news(const json_t *before, const json_t *order, const struct terminal *terminal, struct text *out)
{
    const char *state = json_text(order, "state", "?");
    size_t i;
    json_t *item;
    if (!text_equal(state, json_text(before, "state", NULL)) && !order_is_at_rest(order)) {
        AUTO(free_text) char *line = mem_format("order %s  %s", json_text(order, "id", "?"), state);
        add_line(state, line, terminal, out);
    }
    json_array_foreach(json_object_get(order, "serviceOrderItem"), i, item) add_item_news(order, before, item, terminal, out);
}

/* Is there something of which nobody can tell whether it happened? Else it could not be undone. */
static bool is_unknown(const json_t *order)
{
    size_t i;
    json_t *error;
    json_array_foreach(json_object_get(order, "errorMessage"), i, error)
    {
        if (text_equal(json_text(error, "code", NULL), reason_name(REASON_effect_unknown))) return true;
    }
    return false;
}

void order_add_way_on(const json_t *order, struct text *out)
{
    const char *id = json_text(order, "id", "?");
    if (!text_equal(json_text(order, "state", NULL), "held")) return;
    AUTO(free_text)
    char *line = is_unknown(order) ? mem_format("Look at the domain, then: crescendo order resolve %s --done SERVICE, or --not-done", id)
                                   : mem_format("Undo by hand what is left, then: crescendo order resolve %s --undone. "
                                                "To have it tried anew: crescendo order cancel %s",
                                         id, id);
    display_add(out, line, DISPLAY_LINE);
    text_add_char(out, '\n');
}

void order_add_end(const json_t *order, const struct terminal *terminal, struct text *out)
{
    const struct resting *resting = resting_of(order);
    const char *state = json_text(order, "state", "?"), *message = order_message(order);
    int64_t begin_ms = document_time(order, "orderDate"), end_ms = order_ended_ms(order);
    AUTO(text_release) struct text line = {0};
    text_add_format(&line, "order %s ", json_text(order, "id", "?"));
    if (resting)
        text_add(&line, resting->verb);
    else
        text_add_format(&line, "is %s", state);
    if (begin_ms && end_ms > begin_ms) {
        text_add(&line, " after ");
        text_add_duration(&line, end_ms - begin_ms);
    }
    if (message && order_exit_code(order)) text_add_format(&line, ": %s", message);
    add_line(state, text_view(&line), terminal, out);
    order_add_way_on(order, out);
}
