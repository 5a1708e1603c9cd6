/* reference_types.c: does an expression give what its place wants? A reference's type is known where it is declared: a param's, an
   output's of a typed step, text of a run step and of the facts of the run. */
#include "spec/reference_types.h"

#include "base/mem.h"
#include "base/text.h"
#include "spec/expression_node.h"
#include "spec/value.h"

#include <string.h>

static enum value_kind kind_of_field(enum field_type type)
{
    switch (type) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_CHOICE: return VALUE_TEXT;
    case FIELD_BOOLEAN:
    case FIELD_CONDITION: return VALUE_BOOLEAN;
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_DURATION:
    case FIELD_SIZE:
    case FIELD_PERCENT:
    case FIELD_CPU:
    case FIELD_BITRATE:
    case FIELD_RATE:
    case FIELD_LATENCY: return VALUE_NUMBER;
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST:
    case FIELD_PERCENT_LIST:
    case FIELD_OBJECT_LIST: return VALUE_LIST;
    case FIELD_TEXT_MAP:
    case FIELD_OBJECT:
    case FIELD_OBJECT_MAP: return VALUE_OBJECT;
    case FIELD_ANY: return VALUE_ANY;
    }
    return VALUE_ANY;
}

static enum value_kind kind_of_output(struct file *file, uint32_t stage, const char *id, const char *output)
{
    uint32_t index;
    if (!step_find(file, stage, id, &index) || !file->stages[stage].steps[index].type) return VALUE_ANY;
    const struct field *field = field_find(file->stages[stage].steps[index].type->outputs, output);
    return field ? kind_of_field(field->type) : VALUE_TEXT;
}

static enum value_kind kind_of_reference(struct file *file, const struct site *site, const struct node *node)
{
    uint32_t stage;
    if (strcmp(node->root, "run") == 0 || strcmp(node->root, "secrets") == 0) return VALUE_TEXT;
    if (strcmp(node->root, "params") == 0) {
        for (size_t i = 0; i < file->pipeline->param_count; i++)
            if (strcmp(file->pipeline->params[i].name, node->parts[0]) == 0) return kind_of_field(file->pipeline->params[i].type);
    } else if (strcmp(node->root, "steps") == 0) {
        return kind_of_output(file, site->stage, node->parts[0], node->parts[1]);
    } else if (strcmp(node->root, "stages") == 0 && node->part_count == 3 && names_find(&file->stage_names, node->parts[0], &stage)) {
        return kind_of_output(file, stage, node->parts[1], node->parts[2]);
    }
    return VALUE_ANY;
}

/* May a value of this kind stand here? What text says is converted when it is known, so text may stand almost everywhere. */
static bool fits(const struct site *site, enum value_kind kind)
{
    if (kind == VALUE_ANY || (site->type == FIELD_ANY && !site->within_text)) return true;
    bool is_plain = kind == VALUE_TEXT || kind == VALUE_NUMBER || kind == VALUE_BOOLEAN;
    if (site->within_text) return is_plain;
    switch (kind_of_field(site->type)) {
    case VALUE_TEXT: return is_plain;
    case VALUE_BOOLEAN: return kind == VALUE_BOOLEAN || (kind == VALUE_TEXT && site->type != FIELD_CONDITION);
    case VALUE_NUMBER: return kind == VALUE_NUMBER || kind == VALUE_TEXT;
    case VALUE_LIST: return kind == VALUE_LIST || kind == VALUE_TEXT;
    case VALUE_OBJECT: return kind == VALUE_OBJECT;
    case VALUE_ANY:
    case VALUE_NULL: return true;
    }
    return true;
}

static const char *wanted_phrase(const struct site *site)
{
    if (site->within_text) return "text, a number or a boolean, because text stands beside it";
    return site->type == FIELD_CONDITION ? "true or false" : value_type_phrase(site->type);
}

static const char *hint_for(const struct site *site, enum value_kind kind)
{
    if (site->type == FIELD_CONDITION) return "compare it: run.branch == 'main'";
    if (kind == VALUE_LIST) return "join(list, ' ') makes text of a list";
    if (kind == VALUE_NULL) return "default(value, 'text') gives something where a value is null";
    return NULL;
}

/* Every reference is unknown and stays what it is: the evaluator then finds what no value could make right. */
static enum lookup keep_reference(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    struct text residual = {0};
    (void)context, (void)ret_value, (void)err;
    text_add(&residual, root);
    for (size_t i = 0; i < part_count; i++)
        text_add_format(&residual, ".%s", parts[i]);
    if (!part_count) text_add(&residual, "()");
    *ret_residual = text_take(&residual);
    return LOOKUP_UNKNOWN;
}

static bool evaluates(struct file *file, const struct expression *expression)
{
    const struct scope scope = {.look_up = keep_reference};
    AUTO(free_text) char *residual = NULL;
    json_t *value = NULL;
    struct error err;
    if (expression_evaluate(expression, &scope, &value, &residual, &err) == 0) {
        json_decref(value);
        return true;
    }
    diagnostics_add(file->reader.list, "expression", err.at, 0, err.hint[0] ? err.hint : NULL, "%s", err.message);
    return false;
}

void check_expression_type(struct file *file, const struct site *site, const struct expression *expression)
{
    const struct node *root = expression->root;
    bool is_reference = root->kind == NODE_REFERENCE && root->part_count > 0;
    if (!evaluates(file, expression)) return;
    enum value_kind kind = is_reference ? kind_of_reference(file, site, root) : node_value_kind(root);
    if (fits(site, kind)) return;
    diagnostics_add(file->reader.list, "wrong-type", root->at, 0, hint_for(site, kind), "this must be %s, and it is %s",
        wanted_phrase(site), value_kind_name(kind));
}
