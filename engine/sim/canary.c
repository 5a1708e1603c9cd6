/* canary.c: a step that gives a version its shares one by one, looks at it at every tick and parks in between, as steps/kpi_perform.c. What
   it sees is the scenario's verdict: no KPI is computed here. */
#include "sim/sim.h"

#include <string.h>

enum { TICKS_A_SHARE = 2, SHORTEST_MS = 60 * 1000, HARM_PERCENT = 40 };

bool is_canary(const struct world *world, uint32_t step)
{
    return !strcmp(world->plan->steps[step].type, "kpi") && json_array_size(world->plan->steps[step].effects) > 0;
}

static int64_t share_count(const struct world *world, uint32_t step)
{
    int64_t count = 0;
    while (text_starts(effect_name(world, step, (uint32_t)count), "share "))
        count++;
    return count;
}

/* --- its place -------------------------------------------------------------------------------------------------------------------------
 */

void canary_read(struct world *world, struct process *process)
{
    const json_t *checkpoint = world->engine.state->steps[process->step].checkpoint, *at = json_object_get(checkpoint, "at");
    const char *verdict = json_text(json_object_get(checkpoint, "verdict"), "verdict", NULL);
    process->canary = (struct canary_place){.has_begun = checkpoint != NULL,
        .share = json_whole(at, "share", 0),
        .ticks = json_whole(at, "ticks", 0),
        .is_back = json_is_true(json_object_get(at, "back")),
        .has_verdict = verdict != NULL,
        .is_harm = verdict && !strcmp(verdict, "harm")};
}

static const char *verdict_name(enum verdict verdict)
{
    return verdict == VERDICT_HARM ? "harm" : verdict == VERDICT_NO_DATA ? "no-data" : "promote";
}

static const char *verdict_words(enum verdict verdict)
{
    if (verdict == VERDICT_HARM) return "the scenario has it that the canary does harm";
    return verdict == VERDICT_NO_DATA ? "the scenario has it that the KPIs have no data" : "no harm was seen";
}

static json_t *checkpoint_of(const struct world *world, const struct process *process)
{
    const struct canary_place *place = &process->canary;
    const char *version = json_text(world->plan->service_descriptor, "version", process->service);
    json_t *json = json_pack("{s:i, s:s, s:s, s:{s:s}, s:{s:I, s:I, s:b}, s:[]}", "evidence", 1, "canary", process->service, "baseline",
        "the version before", "versions", "canary", version, "at", "share", (json_int_t)place->share, "ticks", (json_int_t)place->ticks,
        "back", place->is_back ? 1 : 0, "ticks");
    enum verdict verdict = world->odds ? world->odds->verdict : VERDICT_PROMOTE;
    if (place->has_verdict)
        json_put(json, "verdict", json_pack("{s:s, s:s}", "verdict", verdict_name(verdict), "words", verdict_words(verdict)));
    if (place->has_verdict) json_array_append_new(json_object_get(json, "ticks"), json_object());
    return json;
}

static void say(struct world *world, struct process *process, json_t *line)
{
    AUTO(free_text) char *text = json_canonical(line);
    shim_line(world, process, text);
    json_decref(line);
}

/* --- between ticks ---------------------------------------------------------------------------------------------------------------------
 */

/* As often as the domain's policy needs it for its shortest time at a share. */
static int64_t every_ms(const struct world *world, uint32_t step)
{
    const json_t *domain = json_object_get(world->plan->domains, json_text(world->plan->steps[step].with, "domain", ""));
    const json_t *budget = json_object_get(json_object_get(domain, "policy"), "budget");
    int64_t shortest_ms = json_whole(budget, "shortest", SHORTEST_MS);
    return shortest_ms > TICKS_A_SHARE ? shortest_ms / TICKS_A_SHARE : 1;
}

static void park(struct world *world, struct process *process)
{
    int64_t until_ms = world_clock(world) + every_ms(world, process->step);
    say(world, process,
        json_pack("{s:s, s:I, s:o}", "type", "park", "until", (json_int_t)until_ms, "checkpoint", checkpoint_of(world, process)));
    process->is_parking = true;
    process->phase = PHASE_OVER;
    process->next_ms = world->now_ms;
}

/* --- the verdict -----------------------------------------------------------------------------------------------------------------------
 */

static void keep(struct world *world, struct process *process)
{
    say(world, process, json_pack("{s:s, s:o}", "type", "checkpoint", "checkpoint", checkpoint_of(world, process)));
    process->phase = PHASE_KEEPS;
    process->next_ms = INT64_MAX;
}

static void conclude(struct world *world, struct process *process, enum verdict verdict)
{
    process->canary.has_verdict = true;
    process->canary.is_harm = verdict == VERDICT_HARM;
    keep(world, process);
}

static void fail(struct world *world, struct process *process)
{
    enum verdict verdict = world->odds->verdict;
    const char *reason = verdict == VERDICT_HARM ? "kpi_harm" : "no_data";
    say(world, process, json_pack("{s:s, s:s, s:s}", "type", "fault", "message", verdict_words(verdict), "reason", reason));
    process_end(world, process, 1);
}

/* No request more goes to a version that does harm; the rest is undone behind the step. */
static void finish(struct world *world, struct process *process)
{
    if (!world->odds || world->odds->verdict == VERDICT_PROMOTE) return process_end(world, process, 0);
    if (!process->canary.is_harm || process->canary.is_back) return fail(world, process);
    process->effect = effect_by_name(world, process->step, "back");
    effect_begin(process);
    effect_intend(world, process, false);
}

void canary_went_well(struct world *world, struct process *process)
{
    if (process->canary.has_verdict) {
        process->canary.is_back = true;
        return fail(world, process);
    }
    process->canary.share = process->effect + 1;
    process->canary.ticks = 0;
    park(world, process);
}

/* --- a tick ----------------------------------------------------------------------------------------------------------------------------
 */

static void order_share(struct world *world, struct process *process)
{
    process->effect = (uint32_t)process->canary.share;
    effect_begin(process);
    effect_intend(world, process, false);
}

void canary_kept(struct world *world, struct process *process)
{
    if (process->canary.has_verdict) return finish(world, process);
    process->canary.has_begun = true;
    order_share(world, process);
}

static bool is_seen(struct world *world, const struct canary_place *place, int64_t shares)
{
    enum verdict verdict = world->odds ? world->odds->verdict : VERDICT_PROMOTE;
    bool is_last = place->ticks >= TICKS_A_SHARE && place->share >= shares;
    if (verdict == VERDICT_PROMOTE || is_last) return is_last;
    return verdict == VERDICT_NO_DATA ? place->ticks >= TICKS_A_SHARE : chance_percent(&world->chance, HARM_PERCENT);
}

void canary_work(struct world *world, struct process *process)
{
    struct canary_place *place = &process->canary;
    int64_t shares = share_count(world, process->step);
    if (place->has_verdict) return finish(world, process);
    if (!place->share) return place->has_begun ? order_share(world, process) : keep(world, process);
    place->ticks++;
    if (is_seen(world, place, shares)) return conclude(world, process, world->odds ? world->odds->verdict : VERDICT_PROMOTE);
    if (place->ticks >= TICKS_A_SHARE) return order_share(world, process);
    park(world, process);
}
