/* simulate.c: runs of a scenario: a look at every tick, as the step takes it. */
#include "tests/judge/judge.h"

enum { LOOKED_AT = 50, CONTROLLED = 8 }; /* runs whose values are looked at closely; of so many runs, two are the control's too */

enum verdict { NONE, HARM, PROMOTE };

/* Mixed, since a generator that begins at the state of another is its sequence a step later. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    struct chance chance = {a};
    chance.state = chance_next(&chance) + b;
    return chance_next(&chance);
}

static enum verdict look(const struct scenario *scenario, struct evidence *evidence, const struct stream *stream, uint64_t seed)
{
    struct kpi_tick tick;
    evidence_measure(&scenario->rules, &stream->sample, mix(seed, stream->tick), &tick);
    evidence_feed(evidence, &scenario->rules, &tick);
    if (evidence_harm(evidence, &scenario->rules) >= evidence_harm_bar(&scenario->rules)) return HARM;
    if (scenario->clears && evidence_clear(evidence, &scenario->rules) >= evidence_clear_bar(&scenario->rules)) return PROMOTE;
    return NONE;
}

static void run_once(const struct scenario *scenario, unsigned place, unsigned run, struct control *control, struct tally *tally)
{
    struct stream stream;
    struct evidence evidence;
    enum verdict verdict = NONE;
    bool is_controlled = control && run % CONTROLLED < 2, is_rejected = false;
    uint64_t seed = mix(place, run);
    stream_begin(&stream, &scenario->truth, seed);
    evidence_init(&evidence, &scenario->rules);
    if (control) control_begin(control);
    for (unsigned tick = 0; tick < TICKS && (verdict == NONE || (is_controlled && !is_rejected)); tick++) {
        stream_next(&stream);
        if (run < LOOKED_AT) realised_add(&tally->realised, &stream);
        if (verdict == NONE) {
            verdict = look(scenario, &evidence, &stream, ~seed);
            tally->harm[tick] += verdict == HARM;
            tally->promoted[tick] += verdict == PROMOTE;
        }
        if (is_controlled) is_rejected = is_rejected || control_rejects(control, &stream.sample);
    }
    tally->runs++;
    tally->control_runs += is_controlled;
    tally->control_rejected += is_rejected;
}

void simulate(const struct scenario *scenario, unsigned place, unsigned first, unsigned step, unsigned runs, struct tally *ret)
{
    struct control control;
    *ret = (struct tally){.runs = 0};
    if (scenario->has_control) control_init(&control);
    for (unsigned run = first; run < runs; run += step)
        run_once(scenario, place, run, scenario->has_control ? &control : NULL, ret);
    if (scenario->has_control) control_release(&control);
}
