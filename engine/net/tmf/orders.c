/* orders.c: service orders as one who orders uses them. */
#include "net/tmf/orders.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum { WORDS_MAX = 170 };

enum tmf_order_state tmf_order_state_of(const json_t *order)
{
    return tmf_order_state_read(json_text(order, "state", NULL));
}

static const char *id_of(const json_t *order)
{
    return json_text(order, "id", "?");
}

/* --- sending and finding ---------------------------------------------------------------------------------------------------------------
 */

static const json_t *item_with_id(const json_t *items, const char *id)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)items, index, item) if (text_equal(json_text(item, "id", NULL), id)) return item;
    return NULL;
}

int tmf_order_check_echo(const struct tmf_client *client, const json_t *asked, const json_t *order, struct error *err)
{
    const json_t *wanted = json_object_get(asked, "serviceOrderItem"), *items = tmf_order_items(client->dialect, order);
    size_t index;
    json_t *item;
    if (json_array_size(wanted) && !json_array_size(items)) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "%.40s: order %.60s was taken without its items, so it will do nothing", client->name,
            id_of(order));
        return error_hint(err, "the peer speaks another dialect than %s; cancel the order there", client->dialect->name);
    }
    json_array_foreach((json_t *)wanted, index, item)
    {
        const char *id = json_text(item, "id", "");
        if (item_with_id(items, id)) continue;
        return error_set(
            err, ERROR_PROTOCOL, NOWHERE, "%.40s: order %.60s was taken without its item %.20s", client->name, id_of(order), id);
    }
    return 0;
}

int tmf_order_send(const struct tmf_client *client, const json_t *body, const char *key, json_t **ret_order, struct error *err)
{
    AUTO(free_json) json_t *sent = json_deep_copy(body), *order = NULL;
    json_put_text(sent, "externalId", key);
    int failed = tmf_create(client, TMF_SERVICE_ORDER, sent, &order, err);
    if (!failed) failed = tmf_order_check_echo(client, body, order, err);
    if (!failed) *ret_order = take(&order);
    return failed;
}

static bool has_key(void *context, const json_t *order)
{
    return text_equal(json_text(order, "externalId", NULL), context);
}

int tmf_order_find(const struct tmf_client *client, const char *key, json_t **ret_orders, struct error *err)
{
    AUTO(free_text) char *own_key = mem_copy_text(key);
    const struct tmf_filter filter = {"externalId", key};
    return tmf_list(client, TMF_SERVICE_ORDER, &filter, has_key, own_key, ret_orders, err);
}

/* --- waiting ---------------------------------------------------------------------------------------------------------------------------
 */

static int late(const struct tmf_client *client, const char *id, const char *state, int64_t wait_ms, struct error *err)
{
    AUTO(text_release) struct text time = {0};
    text_add_duration(&time, wait_ms);
    error_set(err, ERROR_TIMEOUT, NOWHERE, "%.40s: order %.60s is still %.40s after %s", client->name, id, state, text_view(&time));
    return error_hint(err, "look at the order there; the domain may wait for a person, or for something that never comes");
}

int tmf_order_wait(
    const struct tmf_client *client, const char *id, int64_t wait_ms, const struct tmf_watch *watch, json_t **ret_order, struct error *err)
{
    int64_t end = clock_monotonic_us() / 1000 + wait_ms;
    for (int pause = 0;;) {
        AUTO(free_json) json_t *order = NULL;
        int failed = tmf_get(client, TMF_SERVICE_ORDER, id, &order, err);
        if (failed) return failed;
        if (watch) watch->tell(watch->context, order);
        if (tmf_order_is_at_rest(tmf_order_state_of(order))) {
            *ret_order = take(&order);
            return 0;
        }
        if (clock_monotonic_us() / 1000 >= end) return late(client, id, json_text(order, "state", "without a state"), wait_ms, err);
        tmf_pause(&pause);
    }
}

/* --- judging ---------------------------------------------------------------------------------------------------------------------------
 */

/* Appends the messages of one errorMessage list that are not there yet. */
static void add_messages(struct text *words, const json_t *list)
{
    size_t index;
    json_t *one;
    if (json_is_object(list)) add_messages(words, json_object_get(list, "errorMessage"));
    json_array_foreach((json_t *)list, index, one)
    {
        const char *message = json_text(one, "message", json_text(one, "reason", NULL));
        if (message && words->size <= WORDS_MAX && !strstr(text_view(words), message))
            text_add_format(words, "%s%s", words->size ? "; " : "", message);
    }
}

/* How many bytes of what is too long for a message are one: up to the last "; " that leaves it short enough, if there is one. */
static size_t message_size(const char *words)
{
    size_t size = strlen(words), fits = 0;
    if (size <= WORDS_MAX) return size;
    for (const char *at = words; (at = strstr(at, "; ")) && at - words <= WORDS_MAX; at += 2)
        fits = (size_t)(at - words);
    return fits ? fits : size;
}

int tmf_order_judge(const struct tmf_client *client, const json_t *order, struct error *err)
{
    AUTO(text_release) struct text words = {0};
    const json_t *items = tmf_order_items(client->dialect, order);
    size_t index;
    json_t *item;
    if (tmf_order_state_of(order) == TMF_ORDER_COMPLETED) return 0;
    add_messages(&words, order);
    json_array_foreach((json_t *)items, index, item) add_messages(&words, item);
    if (!words.size) text_add(&words, "it gives no reason");
    size_t size = message_size(text_view(&words));
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.40s: order %.40s %.24s: %.*s", client->name, id_of(order),
        json_text(order, "state", "has no state"), (int)size, text_view(&words));
    if (size < words.size) error_hint(err, "%s", text_view(&words) + size + 2);
    return -ERROR_CONFLICT;
}

int tmf_order_cancel(const struct tmf_client *client, const char *id, const char *reason, struct error *err)
{
    AUTO(free_json) json_t *task = NULL;
    AUTO(free_json)
    json_t *body = json_pack("{s:{s:s, s:s}, s:s}", "serviceOrder", "id", id, "@type", "ServiceOrderRef", "cancellationReason", reason);
    struct error problem = {0};
    int failed = tmf_create(client, TMF_CANCEL_SERVICE_ORDER, body, &task, &problem);
    if (!failed || problem.code == ERROR_CONFLICT) return 0;
    if (err) *err = problem;
    return failed;
}
