/* show.c: values of a plan for a person's eyes. */
#include "plan/show.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void show_text(struct text *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool high_control = byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (byte == '\t')
            text_add(out, "    ");
        else if (byte < 0x20 || byte == 0x7f)
            text_add_format(out, "\\x%02x", byte);
        else if (high_control)
            text_add_format(out, "\\x%02x", (unsigned char)text[++i]);
        else
            text_add_char(out, (char)byte);
    }
}

struct stage_names {
    const char *stage; /* where it is shown */
    const char *items[16];
    size_t count;
    bool more;
};

static int note_stage(void *context, const char *root, const char *const *parts, size_t part_count, struct location at)
{
    (void)at;
    struct stage_names *names = context;
    if (strcmp(root, "stages") != 0 || !part_count) return 0;
    const char *name = part_count > 1 && text_equal(names->stage, parts[0]) ? parts[1] : parts[0];
    for (size_t i = 0; i < names->count; i++)
        if (text_equal(names->items[i], name)) return 0;
    if (names->count < COUNT_OF(names->items))
        names->items[names->count++] = name;
    else
        names->more = true;
    return 0;
}

void show_unknown(struct text *out, const char *residual, const char *stage)
{
    AUTO(expression_free) struct expression *expression = NULL;
    struct stage_names names = {.stage = stage};
    struct error err;
    if (expression_parse(residual, NOWHERE, &expression, &err)) {
        text_add(out, "(known when it runs: ");
        show_text(out, residual, strlen(residual));
        text_add_char(out, ')');
        return;
    }
    (void)expression_references(expression, note_stage, &names);
    text_add(out, names.count ? "(known after " : "(not known yet");
    for (size_t i = 0; i < names.count; i++)
        text_add_format(out, "%s%s", i == 0 ? "" : i + 1 == names.count && !names.more ? " and " : ", ", names.items[i]);
    text_add(out, names.more ? " and others)" : ")");
}

void show_value(struct text *out, const json_t *value, const char *stage)
{
    const char *residual = json_text(value, "$unknown", NULL), *secret = json_text(value, "$secret", NULL);
    if (residual) {
        show_unknown(out, residual, stage);
    } else if (secret) {
        text_add(out, "(the secret ");
        show_text(out, secret, strlen(secret));
        text_add_char(out, ')');
    } else if (json_is_string(value) && json_string_length(value) && !strpbrk(json_string_value(value), "\r\n")) {
        show_text(out, json_string_value(value), json_string_length(value));
    } else if (json_is_array(value) && json_array_size(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i) text_add(out, ", ");
            show_value(out, json_array_get(value, i), stage);
        }
    } else if (json_is_real(value)) {
        text_add_format(out, "%.15g", json_real_value(value));
    } else {
        AUTO(free_text) char *json = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (!json) return;
        show_text(out, json, strlen(json));
    }
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

json_t *show_sorted(const json_t *value)
{
    json_t *sorted = json_object(), *member;
    const char **keys = mem_alloc_array(json_object_size(value), sizeof *keys), *key;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) keys[count++] = key;
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++)
        json_object_set(sorted, keys[i], json_object_get(value, keys[i]));
    free(keys);
    return sorted;
}

void show_groups(struct text *out, const struct plan_stage *stage)
{
    static const char *const queues[] = {[GROUP_FIFO] = "first in, first out",
        [GROUP_SUPERSEDE] = "a newer run takes the place of one that waits",
        [GROUP_REJECT] = "who comes meanwhile is rejected"};
    for (uint32_t i = 0; i < stage->group_count; i++) {
        text_add(out, "  one at a time: ");
        show_text(out, stage->groups[i].name, strlen(stage->groups[i].name));
        text_add_format(out, ", %s\n", queues[stage->groups[i].queue]);
    }
}

void show_duration(struct text *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    bool first = true;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (ms < units[i].ms && !(first && i + 1 == COUNT_OF(units))) continue;
        text_add_format(out, "%s%lld %s", first ? "" : " ", (long long)(ms / units[i].ms), units[i].name);
        ms %= units[i].ms;
        first = false;
    }
}
