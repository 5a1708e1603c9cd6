/* patch.c: JSON merge patch, RFC 7386. Pure. */
#include "orchestrator/tmf/patch.h"

json_t *tmf_merge(const json_t *target, const json_t *patch)
{
    if (!json_is_object(patch)) return json_deep_copy(patch);
    json_t *merged = json_is_object(target) ? json_deep_copy(target) : json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)patch, name, value)
    {
        if (json_is_null(value))
            json_object_del(merged, name);
        else
            json_object_set_new(merged, name, tmf_merge(json_object_get(merged, name), value));
    }
    return merged;
}
