/* compensate_perform.c: a step that is started to undo what an earlier process of it did. */
#include "protocol.h"

#include "base/json.h"

static int undo(const struct step_type *type, struct step *step, const json_t *effect, struct error *err)
{
    const char *name = json_text(effect, "name", "");
    if (!type->compensate) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "step type %s cannot undo %s", type->name, name);
        return error_hint(err, "undo it by hand; a type that names a compensation in describe() needs a compensate()");
    }
    int failed = type->compensate(step, effect, json_object_get(effect, "outcome"), err);
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
