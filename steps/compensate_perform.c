/* compensate_perform.c: a step that is started to undo what an earlier process of it did. */
#include "protocol.h"

#include "base/json.h"
#include "base/mem.h"

/* What an earlier process began, and nobody knows what became of it: the peer is asked. *ret_done: it is to be undone. One that nobody can
   tell of is left, since the run is to end. */
static int find_out(struct step *step, const json_t *effect, bool *ret_done, json_t **ret_outcome, struct error *err)
{
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    int failed = step_find_out(step, effect, &seen, ret_outcome, err);
    *ret_done = seen == EFFECT_SEEN_DONE && !json_flag(effect, "keep", false);
    return failed;
}

static int undo(const struct step_type *type, struct step *step, const json_t *effect, struct error *err)
{
    const char *name = json_text(effect, "name", "");
    AUTO(free_json) json_t *found = NULL;
    bool is_done = true;
    int failed = json_flag(effect, "find", false) ? find_out(step, effect, &is_done, &found, err) : 0;
    if (failed || !is_done) return failed;
    if (!type->compensate) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "step type %s cannot undo %s", type->name, name);
        return error_hint(err, "undo it by hand; a type that names a compensation in describe() needs a compensate()");
    }
    failed = type->compensate(step, effect, found ? found : json_object_get(effect, "outcome"), err);
    return failed ? failed : step_compensated(step, name, err);
}

int step_compensate(const struct step_type *type, struct step *step, struct error *err)
{
    size_t index;
    json_t *effect;
    json_array_foreach(step_to_compensate(step), index, effect)
    {
        int failed = undo(type, step, effect, err);
        if (failed) return failed;
    }
    return 0;
}
