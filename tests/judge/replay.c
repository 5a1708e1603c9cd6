/* replay.c: a stored decision computed again from its ticks as text, and a state that went through text at every tick. */
#include "tests/judge/judge.h"

#include "base/json.h"
#include "base/mem.h"

#include <string.h>

static json_t *through_text(json_t *json)
{
    AUTO(free_json) json_t *mine = json;
    AUTO(free_text) char *text = json_canonical(mine);
    return json_loads(text, 0, NULL);
}

static bool is_fed_alike(const struct scenario *scenario, struct evidence *live, struct evidence *stored, const struct kpi_tick *tick)
{
    struct kpi_tick again;
    AUTO(free_json) json_t *tick_json = through_text(kpi_tick_to_json(&scenario->rules, tick));
    AUTO(free_json) json_t *state_json = through_text(evidence_to_json(stored));
    if (kpi_tick_from_json(tick_json, &scenario->rules, &again, NULL) < 0) return false;
    if (evidence_from_json(state_json, &scenario->rules, stored, NULL) < 0) return false;
    evidence_feed(live, &scenario->rules, tick);
    evidence_feed(stored, &scenario->rules, &again);
    double a[] = {evidence_harm(live, &scenario->rules), evidence_clear(live, &scenario->rules)};
    double b[] = {evidence_harm(stored, &scenario->rules), evidence_clear(stored, &scenario->rules)};
    return memcmp(a, b, sizeof a) == 0;
}

static bool replay_once(const struct scenario *scenario, uint64_t seed)
{
    struct stream stream;
    struct evidence live, stored;
    struct kpi_tick tick;
    stream_begin(&stream, &scenario->truth, seed);
    evidence_init(&live, &scenario->rules);
    evidence_init(&stored, &scenario->rules);
    for (unsigned i = 0; i < TICKS; i++) {
        stream_next(&stream);
        evidence_measure(&scenario->rules, &stream.sample, seed + i, &tick);
        if (!is_fed_alike(scenario, &live, &stored, &tick)) return false;
    }
    return true;
}

bool replay_is_identical(unsigned runs)
{
    for (unsigned i = 0; i < scenario_count; i++)
        for (unsigned run = 0; run < runs; run++)
            if (!replay_once(&scenarios[i], run)) return false;
    return true;
}
