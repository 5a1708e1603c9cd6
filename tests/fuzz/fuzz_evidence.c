/* fuzz_evidence.c: a KPI's stored state and ticks: refused with a message, or written and read to the same bits, and fed without a NaN. The
   first byte says which kind of KPI; then {"state": ..., "tick": ...}, either of them missing. */
#include "base/json.h"
#include "base/mem.h"
#include "steps/kpi/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct kpi_rules RULES[] = {
    {.measure = KPI_LATENCY, .tolerate = 1.05, .clear = 1.2, .critical = true, .alpha = 0.005, .beta = 0.05},
    {.measure = KPI_ERRORS, .tolerate = 1.25, .clear = 2.5, .negligible = 0.01, .critical = true, .alpha = 0.005, .beta = 0.05},
};
enum { REQUESTS_MOST = 20000 }; /* more only takes longer */

static bool read_state(const json_t *json, const struct kpi_rules *rules, struct evidence *ret)
{
    struct error err = {0};
    struct evidence again;
    int failed = evidence_from_json(json, rules, ret, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed) return false;
    AUTO(free_json) json_t *written = evidence_to_json(ret);
    AUTO(free_text) char *text = json_canonical(written);
    AUTO(free_json) json_t *parsed = json_loads(text, 0, NULL);
    if (evidence_from_json(parsed, rules, &again, &err) < 0 || memcmp(&again, ret, sizeof again) != 0) abort();
    return true;
}

static bool read_tick(const json_t *json, const struct kpi_rules *rules, struct kpi_tick *ret)
{
    struct error err = {0};
    struct kpi_tick again;
    int failed = kpi_tick_from_json(json, rules, ret, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed) return false;
    AUTO(free_json) json_t *written = kpi_tick_to_json(rules, ret);
    if (kpi_tick_from_json(written, rules, &again, &err) < 0 || memcmp(&again, ret, sizeof again) != 0) abort();
    return ret->m <= REQUESTS_MOST && ret->n <= REQUESTS_MOST;
}

static void look(const struct evidence *evidence, const struct kpi_rules *rules)
{
    double effect, low, high;
    if (!isfinite(evidence_harm(evidence, rules)) || !isfinite(evidence_clear(evidence, rules))) abort();
    if (evidence_effect(evidence, rules, &effect, &low, &high) && !(low <= effect && effect <= high)) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct evidence evidence;
    struct kpi_tick tick;
    json_t *parsed = NULL;
    if (!size) return 0;
    const struct kpi_rules *rules = &RULES[bytes[0] % 2];
    if (json_parse((const char *)bytes + 1, size - 1, "input", &parsed, NULL)) return 0;
    AUTO(free_json) json_t *json = parsed;
    if (!read_state(json_object_get(json, "state"), rules, &evidence)) evidence_init(&evidence, rules);
    look(&evidence, rules);
    if (!read_tick(json_object_get(json, "tick"), rules, &tick)) return 0;
    for (int i = 0; i < 3; i++)
        evidence_feed(&evidence, rules, &tick);
    look(&evidence, rules);
    return 0;
}
