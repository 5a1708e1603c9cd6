/* capacity.c: is there room on a site? */
#include "orchestrator/fulfil/site.h"

#include "base/json.h"

static int refuse(const struct measure *measure, const char *domain, double left, double asked, const json_t *capacity, struct error *err)
{
    struct text text = {0};
    json_t *left_value = json_real(left < 0 ? 0 : left), *asked_value = json_real(asked);
    measure_print(measure, left_value, &text);
    text_add(&text, " left of ");
    measure_print(measure, capacity, &text);
    text_add(&text, ", and this needs ");
    measure_print(measure, asked_value, &text);
    json_decref(left_value);
    json_decref(asked_value);
    error_set(err, ERROR_CONFLICT, NOWHERE, "%.60s is full: it has %s", domain, text_view(&text));
    text_release(&text);
    return error_hint(err, "order less, scale down or end what runs there, or take another domain");
}

int site_check_capacity(const json_t *site, const char *domain, const json_t *used, const json_t *more, struct error *err)
{
    const json_t *capacities = json_object_get(site, "capacity");
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        const json_t *capacity = json_object_get(capacities, measure->name), *asked = json_object_get(more, measure->name);
        if (!json_is_number(capacity) || !json_is_number(asked)) continue;
        double limit = json_number_value(capacity), wanted = json_number_value(asked);
        if (measure->rule == MEASURE_AT_MOST) { /* a floor: nobody gets a shorter latency than the site has */
            if (wanted >= limit) continue;
            return refuse(measure, domain, limit, wanted, capacity, err);
        }
        double left = limit - json_number_value(json_object_get(used, measure->name));
        if (measure->adds_up && wanted > 0 && wanted > left) return refuse(measure, domain, left, wanted, capacity, err);
    }
    return 0;
}
