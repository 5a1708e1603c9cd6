/* deactivate_perform.c: a service's share goes to the other one, its requests end, then its instances. */
#include "ask_perform.h"
#include "drivers.h"

#include "base/json.h"
#include "base/mem.h"

int deactivate_perform(struct step *step, struct error *err)
{
    enum { GONE_MS = 600 * 1000 };
    const char *service = json_text(step_with(step), "service", "");
    AUTO(free_json) json_t *fields = json_pack("{s:s}", "service", service);
    AUTO(free_json) json_t *outcome = NULL;
    int failed = keeper_effect(step, "stop", service, fields, &outcome, err);
    if (!failed) failed = keeper_wait_gone(step, service, GONE_MS, err);
    return driver_end(step, failed, NULL, err);
}
