/* observe.c: a keeper's status against a service's document. */
#include "orchestrator/fulfil/observe.h"

#include "base/json.h"
#include "base/text.h"
#include "net/keeper_lines.h"
#include "net/tmf/characteristic.h"

static void observe_lease(json_t *list, const json_t *line)
{
    if (keeper_number(line, "lost")) {
        characteristic_set(list, "traffic.lost", json_true());
        characteristic_set(list, "traffic.lease", NULL);
    } else if (!keeper_number(line, "lease_ms")) {
        characteristic_set(list, "traffic.lease", NULL);
    }
}

json_t *inventory_observe(const json_t *service, const json_t *lines)
{
    const json_t *line = keeper_service(lines, json_text(service, "id", NULL));
    if (!text_equal(json_text(service, "state", NULL), "active") || !json_array_size(lines)) return NULL;
    json_t *seen = json_deep_copy(service), *list = json_object_get(seen, "serviceCharacteristic");
    characteristic_set(list, "ready", json_integer(keeper_number(line, "ready")));
    if (line) {
        double share = (double)keeper_number(line, "share") / 100;
        if (share != characteristic_number(list, "traffic.share", -1)) characteristic_set(list, "traffic.share", json_real(share));
        observe_lease(list, line);
    }
    if (!json_equal(seen, service)) return seen;
    json_decref(seen);
    return NULL;
}
