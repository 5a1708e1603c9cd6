/* place.c: follows the key at the beginning of a message through the tree of the file. */
#include "spec/place.h"

#include "base/json.h"
#include "base/text.h"
#include "spec/beside.h"

#include <string.h>

static bool is_word(const struct yaml_node *node, const char *word, size_t size)
{
    return node->kind == YAML_TEXT && strlen(node->text) == size && strncmp(node->text, word, size) == 0;
}

/* { kpi: latency, ... } is called latency. */
static bool is_called(const struct yaml_node *item, const char *word, size_t size)
{
    if (item->kind != YAML_MAP) return is_word(item, word, size);
    for (size_t i = 0; i < item->count; i++)
        if (is_word(item->entries[i].value, word, size)) return true;
    return false;
}

/* The value of the key word, or the item that is called so. */
static const struct yaml_node *step_into(const struct yaml_node *node, const char *word, size_t size)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (entry->key ? is_word(entry->key, word, size) : is_called(entry->value, word, size)) return entry->value;
    }
    return NULL;
}

const struct yaml_node *place_of(const struct yaml_node *map, const char *message)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const struct yaml_node *found = NULL;
    while (map) {
        size_t size = strspn(message, letters);
        map = size && strchr(".,:", message[size]) ? step_into(map, message, size) : NULL;
        if (map) found = map;
        if (message[size] != '.') break;
        message += size + 1;
    }
    return found;
}

struct location place_of_domain(const struct pipeline_step *step, const struct pipeline_stage *use)
{
    const char *key = step_type_domain_key(step->type);
    const char *expression = key ? json_text(json_object_get(step->with, key), "$expression", "") : "";
    if (!use || !use->with_node || !text_starts(expression, "params.")) return step->domain_at;
    const struct yaml_node *node = yaml_find(use->with_node, expression + strlen("params."));
    return node ? node->at : step->domain_at;
}
