/* observe.c: a keeper's status against a service's document. */
#include "orchestrator/fulfil/observe.h"

#include "base/json.h"
#include "base/text.h"
#include "net/tmf/characteristic.h"

static const json_t *find_line(const json_t *lines, const char *id)
{
    const json_t *line;
    size_t index;
    json_array_foreach(lines, index, line)
    {
        if (text_equal(json_text(line, "line", NULL), "service") && text_equal(json_text(line, "service", NULL), id)) return line;
    }
    return NULL;
}

static int64_t number_of(const json_t *line, const char *name, int64_t fallback)
{
    int64_t number;
    return text_to_integer(json_text(line, name, ""), &number) ? number : json_whole(line, name, fallback);
}

static void observe_lease(json_t *list, const json_t *line)
{
    if (number_of(line, "lost", 0)) {
        characteristic_set(list, "traffic.lost", json_true());
        characteristic_set(list, "traffic.lease", NULL);
    } else if (!number_of(line, "lease_ms", 0)) {
        characteristic_set(list, "traffic.lease", NULL);
    }
}

json_t *inventory_observe(const json_t *service, const json_t *lines)
{
    const json_t *line = find_line(lines, json_text(service, "id", NULL));
    if (!text_equal(json_text(service, "state", NULL), "active") || !json_array_size(lines)) return NULL;
    json_t *seen = json_deep_copy(service), *list = json_object_get(seen, "serviceCharacteristic");
    characteristic_set(list, "ready", json_integer(number_of(line, "ready", 0)));
    if (line) {
        double share = (double)number_of(line, "share", 0) / 100;
        if (share != characteristic_number(list, "traffic.share", -1)) characteristic_set(list, "traffic.share", json_real(share));
        observe_lease(list, line);
    }
    if (!json_equal(seen, service)) return seen;
    json_decref(seen);
    return NULL;
}
