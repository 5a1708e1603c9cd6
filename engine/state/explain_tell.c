/* explain_tell.c: which links of the chain are told, and the whole as JSON. */
#include "state/explain_parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "state/parts.h"

#include <stdlib.h>
#include <string.h>

enum { ALIKE_MAX = 6, ALIKE_FIRST = 3 };

static const char *const kind_names[] = {[LINK_accepted] = "accepted",
    [LINK_went_well] = "went_well",
    [LINK_reused] = "reused",
    [LINK_left_out] = "left_out",
    [LINK_tried_again] = "tried_again",
    [LINK_ordered] = "ordered",
    [LINK_did] = "did",
    [LINK_shares] = "shares",
    [LINK_turn] = "turn",
    [LINK_vote] = "vote",
    [LINK_warned] = "warned",
    [LINK_verdict] = "verdict",
    [LINK_failed] = "failed",
    [LINK_also_failed] = "also_failed",
    [LINK_skipped] = "skipped",
    [LINK_stopped] = "stopped",
    [LINK_unknown] = "unknown",
    [LINK_resolved] = "resolved",
    [LINK_cancel] = "cancel",
    [LINK_goes_back] = "goes_back",
    [LINK_undone] = "undone",
    [LINK_not_undone] = "not_undone",
    [LINK_ended] = "ended"};

struct choice {
    const struct run_state *state;
    bool *steps;       /* by step: is it told of? */
    bool *told_stages; /* by stage: something of it is told by itself, so what went well there is not */
    bool is_whole;     /* of the run, not of one step */
    uint32_t asked;    /* the step, or the first one of the stage, that is asked for; NO_STEP = the run */
};

/* --- of what is told --- */

static void want_stage(struct choice *choice, uint32_t stage)
{
    const struct plan_stage *plan = &choice->state->plan->stages[stage];
    memset(choice->steps + plan->first_step, true, plan->step_count * sizeof *choice->steps);
}

/* The stages that it needs, and those that they need. */
static void want_needs(struct choice *choice, uint32_t stage)
{
    const struct plan *plan = choice->state->plan;
    bool *needed = mem_alloc_array(plan->stage_count, sizeof *needed);
    bool more = true;
    needed[stage] = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < plan->stage_count; i++)
            for (uint32_t j = 0; needed[i] && j < plan->stages[i].need_count; j++) {
                uint32_t need = plan->stages[i].needs[j];
                more |= !needed[need];
                needed[need] = true;
            }
    }
    for (uint32_t i = 0; i < plan->stage_count; i++)
        if (needed[i] && i != stage) want_stage(choice, i);
    free(needed);
}

static bool want_path(struct choice *choice, const char *path)
{
    const struct plan *plan = choice->state->plan;
    const struct plan_step *step = plan_find_step(plan, path);
    if (step) {
        for (uint32_t i = plan->stages[step->stage].first_step; i <= step->index; i++)
            choice->steps[i] = true; /* each waits for the one before it */
        choice->asked = step->index;
        want_needs(choice, step->stage);
        return true;
    }
    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (!text_equal(plan->stages[i].path, path)) continue;
        want_stage(choice, i);
        want_needs(choice, i);
        choice->asked = plan->stages[i].first_step;
        return true;
    }
    return false;
}

static bool choose(struct choice *choice, const struct run_state *state, const char *path)
{
    const struct plan *plan = state->plan;
    *choice = (struct choice){.state = state, .is_whole = !path, .asked = NO_STEP};
    choice->steps = mem_alloc_array(plan->step_count + 1, sizeof *choice->steps);
    choice->told_stages = mem_alloc_array(plan->stage_count + 1, sizeof *choice->told_stages);
    if (path) return want_path(choice, path);
    memset(choice->steps, true, plan->step_count * sizeof *choice->steps);
    return true;
}

static void choice_release(struct choice *choice)
{
    free(choice->steps);
    free(choice->told_stages);
}

static void note_told(struct choice *choice, const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->count; i++) {
        const struct link *link = &explanation->links[i];
        if (link->step != NO_STEP && choice->steps[link->step]) choice->told_stages[choice->state->plan->steps[link->step].stage] = true;
    }
}

/* --- which links --- */

static bool is_stage_left_out(const struct run_state *state, uint32_t stage)
{
    return !state->plan->stages[stage].condition_overrides && stage_status(state, stage) == STEP_skipped;
}

static bool is_step_told(const struct choice *choice, const struct link *link, uint32_t step)
{
    uint32_t stage = choice->state->plan->steps[step].stage;
    if (!choice->steps[step]) return false;
    if (link->kind == LINK_went_well) return !choice->told_stages[stage];
    return link->kind != LINK_left_out || !choice->is_whole || is_stage_left_out(choice->state, stage);
}

/* A copy of the link with those of its steps that are told; false: it is not told at all. facts are borrowed. */
static bool pick(const struct choice *choice, const struct link *link, struct link *ret)
{
    *ret = *link;
    if (!link->step_count) return link->step == NO_STEP || choice->steps[link->step];
    ret->step_count = 0;
    ret->steps = mem_alloc_array(link->step_count, sizeof *ret->steps);
    for (size_t i = 0; i < link->step_count; i++)
        if (is_step_told(choice, link, link->steps[i])) ret->steps[ret->step_count++] = link->steps[i];
    if (ret->step_count) return true;
    free(ret->steps);
    return false;
}

/* --- as JSON --- */

static json_t *paths_of(const struct plan *plan, const struct link *link)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < link->step_count; i++)
        json_array_append_new(paths, json_string(plan->steps[link->steps[i]].path));
    return paths;
}

static json_t *link_json(const struct choice *choice, const struct link *link)
{
    const struct plan *plan = choice->state->plan;
    struct text words = {0};
    json_t *object = json_object();
    json_put_whole(object, "at_ms", link->at_ms);
    if (link->last_at_ms != link->at_ms) json_put_whole(object, "last_at_ms", link->last_at_ms);
    json_put_text(object, "kind", kind_names[link->kind]);
    if (link->step != NO_STEP) json_put_text(object, "step", plan->steps[link->step].path);
    if (link->step_count) json_put(object, "steps", paths_of(plan, link));
    explain_words(choice->state, link, &words);
    json_put_text(object, "words", text_view(&words));
    json_object_update(object, link->facts);
    text_release(&words);
    return object;
}

/* Of very many that are alike the first ones and the last are told. */
static void add_alike(json_t *chain, const struct choice *choice, const struct link *links, size_t count)
{
    size_t hidden = count > ALIKE_MAX ? count - ALIKE_FIRST - 1 : 0;
    for (size_t i = 0; i < count; i++) {
        if (hidden && i == ALIKE_FIRST) {
            AUTO(free_text) char *words = mem_format("and %zu more like these", hidden);
            json_array_append_new(chain, json_pack("{s:I, s:s, s:s}", "at_ms", (json_int_t)links[i].at_ms, "kind", "more", "words", words));
            i += hidden;
        }
        json_array_append_new(chain, link_json(choice, &links[i]));
    }
}

static json_t *chain_json(const struct choice *choice, const struct link *links, size_t count)
{
    json_t *chain = json_array();
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && links[next].kind == links[i].kind;)
            next++;
        add_alike(chain, choice, &links[i], next - i);
    }
    return chain;
}

static json_t *tell_chain(const struct choice *choice, const struct explanation *explanation)
{
    struct link *links = mem_alloc_array(explanation->count + 1, sizeof *links);
    size_t count = 0;
    for (size_t i = 0; i < explanation->count; i++)
        if (pick(choice, &explanation->links[i], &links[count])) count++;
    json_t *chain = chain_json(choice, links, count);
    for (size_t i = 0; i < count; i++)
        if (links[i].step_count) free(links[i].steps);
    free(links);
    return chain;
}

json_t *explanation_tell(const struct explanation *explanation, const struct run_state *state, const char *path, int64_t now_ms)
{
    struct choice choice;
    if (!choose(&choice, state, path)) {
        choice_release(&choice);
        return NULL;
    }
    note_told(&choice, explanation);
    json_t *told = json_object();
    json_put_whole(told, "run", (int64_t)state->run);
    json_put_text(told, "state", run_status_name(state->status));
    if (state->reason) json_put_text(told, "reason", reason_name(state->reason));
    if (state->wait) json_put_text(told, "waiting_for", wait_name(state->wait));
    json_put_text(told, "message", state->message);
    json_put_text(told, "step", path);
    json_put(told, "chain", tell_chain(&choice, explanation));
    json_put(told, "now", explain_now(explanation, state, choice.steps, choice.asked, now_ms));
    choice_release(&choice);
    return told;
}
