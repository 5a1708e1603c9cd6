/* refer.c: what a document refers to must be there: a candidate's specification, an offering's candidate. */
#include "orchestrator/tmf/parts.h"

#include "base/json.h"
#include "base/mem.h"

enum { REFERENCES_MAX = 100 }; /* of one member; each is a read */

static int check_one(struct journal *journal, const struct tmf_field *field, const json_t *reference, struct error *err)
{
    AUTO(free_json) json_t *found = NULL;
    const char *id = json_text(reference, "id", ""), *name = json_text(reference, "name", NULL);
    int failed = tmf_read(journal, field->refers, id, &found, err);
    if (failed != -ERROR_NOT_FOUND) return failed;
    error_set(err, ERROR_INVALID, NOWHERE, "%s: there is no %s %.60s%s%.60s%s", field->name, field->refers, id, name ? " (" : "",
        name ? name : "", name ? ")" : "");
    return error_hint(err, "make that one first, and refer to the id that it was answered with");
}

static int check_field(struct journal *journal, const struct tmf_field *field, const json_t *value, struct error *err)
{
    const json_t *reference;
    size_t index;
    if (json_is_object(value)) return check_one(journal, field, value, err);
    if (json_array_size(value) > REFERENCES_MAX)
        return error_set(err, ERROR_LIMIT, NOWHERE, "%s refers to more than %d", field->name, REFERENCES_MAX);
    json_array_foreach(value, index, reference)
    {
        int failed = check_one(journal, field, reference, err);
        if (failed) return failed;
    }
    return 0;
}

/* Only what a patch changes: what was there may have been deleted meanwhile. */
int refer_check(
    struct journal *journal, const struct tmf_resource *resource, const json_t *stored, const json_t *document, struct error *err)
{
    for (const struct tmf_field *field = resource->fields; field && field->name; field++) {
        const json_t *value = json_object_get(document, field->name), *before = json_object_get(stored, field->name);
        if (!field->refers || !value || (before && json_equal(before, value))) continue;
        int failed = check_field(journal, field, value, err);
        if (failed) return failed;
    }
    return 0;
}
