/* promotions.c: what takes all requests is judged first, where the domain's owner wants it: each frame by what is known of its steps now.
 */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"
#include "spec/judged.h"

/* What each step of the stage has; nothing of one that never runs, or was not planned since the plan is too large. New. */
static json_t *known_of(const struct frame *frame, size_t number)
{
    const struct pipeline_stage *stage = &frame->pipeline->stages[number];
    const struct plan_stage *planned = frame->used[number] ? NULL : &frame->build->stages[frame->indices[number]];
    json_t *known = json_array();
    bool runs = planned && planned->step_count >= stage->step_count && !text_equal(planned->condition, "false");
    for (size_t i = 0; runs && i < stage->step_count; i++) {
        const struct plan_step *step = &frame->build->steps[planned->first_step + planned->step_count - stage->step_count + i];
        bool never = text_equal(step->condition, "false");
        json_array_append_new(known, never ? json_object() : json_incref(step->with));
    }
    return known;
}

void promotions_check(const struct frame *frame)
{
    const struct pipeline *pipeline = frame->pipeline;
    AUTO(free_json) json_t *steps = json_array();
    const struct judged_facts facts = {frame->build->domains, steps, frame->condition_overrides};
    for (size_t i = 0; i < pipeline->stage_count; i++) {
        json_array_append_new(steps, known_of(frame, i));
        if (frame->used[i]) promotions_check(frame->used[i]);
    }
    judged_check(pipeline, &facts, frame->build->list);
}
