/* services.c: services of the inventory as one who ordered them looks at them. */
#include "net/tmf/services.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"

int tmf_service_get(const struct tmf_client *client, const char *id, json_t **ret, struct error *err)
{
    return tmf_get(client, TMF_SERVICE, id, ret, err);
}

enum tmf_service_state tmf_service_state_of(const json_t *service)
{
    return tmf_service_state_read(json_text(service, "state", NULL));
}

int tmf_service_await_active(const struct tmf_client *client, const char *id, int64_t wait_ms, json_t **ret, struct error *err)
{
    int64_t end = clock_monotonic_us() / 1000 + wait_ms;
    for (int pause = 0;;) {
        AUTO(free_json) json_t *service = NULL;
        int failed = tmf_service_get(client, id, &service, err);
        if (failed) return failed;
        enum tmf_service_state state = tmf_service_state_of(service);
        const char *word = json_text(service, "state", "without a state");
        if (state == TMF_SERVICE_ACTIVE) {
            *ret = take(&service);
            return 0;
        }
        if (state == TMF_SERVICE_TERMINATED)
            return error_set(
                err, ERROR_CONFLICT, NOWHERE, "%.40s: the order is completed, but its service %.60s is %s", client->name, id, word);
        if (clock_monotonic_us() / 1000 >= end)
            return error_set(
                err, ERROR_TIMEOUT, NOWHERE, "%.40s: the order is completed, but its service %.60s is still %.40s", client->name, id, word);
        tmf_pause(&pause);
    }
}

/* --- what a service says ----------------------------------------------------------------------------------------------------------------
 */

static const json_t *characteristics(const json_t *service)
{
    return json_object_get(service, "serviceCharacteristic");
}

double tmf_service_share(const json_t *service)
{
    if (tmf_service_state_of(service) == TMF_SERVICE_TERMINATED) return 0;
    return characteristic_number(characteristics(service), "traffic.share", 100);
}

int64_t tmf_service_replicas(const json_t *service)
{
    int64_t replicas = characteristic_whole(characteristics(service), "replicas", 1);
    return replicas >= 0 && replicas < 1000 * 1000 ? replicas : 1;
}

const char *tmf_service_address(const json_t *service)
{
    return characteristic_text(characteristics(service), "address", NULL);
}

const char *tmf_service_specification(const json_t *service)
{
    return json_text(json_object_get(service, "serviceSpecification"), "name", "");
}

const char *tmf_service_version(const json_t *service)
{
    return json_text(json_object_get(service, "serviceSpecification"), "version", NULL);
}

/* --- its family -------------------------------------------------------------------------------------------------------------------------
 */

/* The domain that a service is on; "" where its peer has only one. */
static const char *domain_of(const json_t *service)
{
    const char *domain = name_by_role(json_object_get(service, "place"), "domain");
    return domain ? domain : "";
}

static const char *component_of(const json_t *service)
{
    return characteristic_text(characteristics(service), "component", "");
}

static bool is_other(void *context, const json_t *one)
{
    const json_t *service = context;
    return tmf_service_state_of(one) == TMF_SERVICE_ACTIVE && *tmf_service_specification(one) &&
           text_equal(tmf_service_specification(one), tmf_service_specification(service)) &&
           text_equal(domain_of(one), domain_of(service)) && text_equal(component_of(one), component_of(service)) &&
           !text_equal(json_text(one, "id", ""), json_text(service, "id", ""));
}

/* Of those that are kept, the one with the most requests. */
static int list_best(const struct tmf_client *client, const char *name, bool (*keep)(void *context, const json_t *one), void *context,
    json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *found = NULL;
    const struct tmf_filter filter = {"serviceSpecification.name", name};
    int failed = tmf_list(client, TMF_SERVICE, &filter, keep, context, &found, err);
    if (failed) return failed;
    json_t *best = NULL, *one;
    size_t index;
    json_array_foreach(found, index, one) if (!best || tmf_service_share(one) > tmf_service_share(best)) best = one;
    *ret = best ? json_incref(best) : NULL;
    return 0;
}

int tmf_service_other(const struct tmf_client *client, const json_t *service, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *mine = json_deep_copy(service);
    return list_best(client, tmf_service_specification(service), is_other, mine, ret, err);
}

static bool is_wanted(void *context, const json_t *one)
{
    const struct tmf_wanted *wanted = context;
    return tmf_service_state_of(one) == TMF_SERVICE_ACTIVE && text_equal(component_of(one), wanted->component) &&
           (!*domain_of(one) || text_equal(domain_of(one), wanted->domain)) &&
           text_equal(json_text(json_object_get(one, "serviceSpecification"), "id", NULL), wanted->specification);
}

int tmf_service_of(const struct tmf_client *client, const struct tmf_wanted *wanted, json_t **ret, struct error *err)
{
    struct tmf_wanted mine = *wanted;
    return list_best(client, wanted->name, is_wanted, &mine, ret, err);
}
