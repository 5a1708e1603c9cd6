/* select.c: what a list or a single answer is asked for: filters, and the members that it shows. Pure. */
#include "orchestrator/tmf/select.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct select_filter {
    char *path;
    char **values;
    size_t value_count;
};

static char **split(const char *list, size_t *ret_count)
{
    char **parts = NULL;
    size_t count = 0, capacity = 0;
    for (const char *at = list;; at++) {
        size_t size = strcspn(at, ",");
        parts = mem_grow(parts, &capacity, count + 1, sizeof *parts);
        parts[count++] = mem_copy_bytes(at, size);
        at += size;
        if (!*at) break;
    }
    *ret_count = count;
    return parts;
}

static void free_parts(char **parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(parts[i]);
    free(parts);
}

static int check_path(const char *path, struct error *err)
{
    size_t depth = 1;
    for (const char *at = path; *at; at++)
        depth += *at == '.';
    if (strlen(path) <= SELECT_PATH_BYTES && depth <= SELECT_DEPTH_MAX) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "the attribute %.100s... of the query is too long or too deep", path);
}

int select_add_fields(struct selection *selection, const char *list, struct error *err)
{
    size_t count = 0;
    char **fields = split(list, &count);
    int failed = 0;
    if (selection->field_count + count > SELECT_FIELDS_MAX)
        failed = error_set(err, ERROR_INVALID, NOWHERE, "`fields` names more than %d attributes", SELECT_FIELDS_MAX);
    for (size_t i = 0; i < count && !failed; i++)
        failed = check_path(fields[i], err);
    size_t capacity = 0;
    char **all = failed ? NULL : mem_grow(NULL, &capacity, selection->field_count + count, sizeof *all);
    if (selection->field_count && !failed) memcpy(all, selection->fields, selection->field_count * sizeof *all);
    for (size_t i = 0; i < count && !failed; i++)
        if (*fields[i]) all[selection->field_count++] = mem_copy_text(fields[i]);
    free_parts(fields, count);
    if (failed) return failed;
    free(selection->fields);
    selection->fields = all;
    return 0;
}

/* TMF630's operators look like an attribute; taken for one they would match nothing, which is a wrong answer. */
static int check_operator(const char *path, struct error *err)
{
    static const char *const operators[] = {"eq", "ne", "gt", "gte", "lt", "lte", "regex", NULL};
    const char *last = strrchr(path, '.');
    for (const char *const *one = operators; last && *one; one++) {
        if (strcmp(last + 1, *one) != 0) continue;
        error_set(err, ERROR_INVALID, NOWHERE, "%.100s: filters with an operator are not in this version", path);
        return error_hint(err, "a filter is ATTRIBUTE=VALUE, with commas between values that will do");
    }
    return 0;
}

int select_add_filter(struct selection *selection, const char *path, const char *values, struct error *err)
{
    int failed = check_path(path, err);
    if (!failed) failed = check_operator(path, err);
    if (failed) return failed;
    if (selection->filter_count == SELECT_FILTERS_MAX)
        return error_set(err, ERROR_INVALID, NOWHERE, "the query has more than %d filters", SELECT_FILTERS_MAX);
    if (!selection->filters) selection->filters = mem_alloc_array(SELECT_FILTERS_MAX, sizeof *selection->filters);
    struct select_filter *filter = &selection->filters[selection->filter_count++];
    filter->path = mem_copy_text(path);
    filter->values = split(values, &filter->value_count);
    return 0;
}

void select_release(struct selection *selection)
{
    for (size_t i = 0; i < selection->filter_count; i++) {
        free(selection->filters[i].path);
        free_parts(selection->filters[i].values, selection->filters[i].value_count);
    }
    free(selection->filters);
    free_parts(selection->fields, selection->field_count);
    *selection = (struct selection){0};
}

/* A scalar as it is written, for comparing; NULL for what is none. Caller frees. */
static char *scalar_text(const json_t *value)
{
    if (json_is_string(value)) return mem_copy_text(json_string_value(value));
    if (json_is_object(value) || json_is_array(value) || json_is_null(value)) return NULL;
    return json_canonical(value);
}

static bool is_one_of(const json_t *value, const struct select_filter *filter)
{
    AUTO(free_text) char *text = scalar_text(value);
    for (size_t i = 0; i < filter->value_count && text; i++)
        if (text_equal(text, filter->values[i])) return true;
    return false;
}

/* Does what rest leads to from value hold? Through an array: for any of its items. */
static bool holds(const json_t *value, const char *rest, const struct select_filter *filter)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) if (holds(item, rest, filter)) return true;
    if (json_is_array(value)) return false;
    if (!*rest) return is_one_of(value, filter);
    size_t size = strcspn(rest, ".");
    AUTO(free_text) char *name = mem_copy_bytes(rest, size);
    const json_t *member = json_object_get(value, name);
    return member && holds(member, rest[size] ? rest + size + 1 : rest + size, filter);
}

bool select_matches(const struct selection *selection, const json_t *document)
{
    for (size_t i = 0; i < selection->filter_count; i++)
        if (!holds(document, selection->filters[i].path, &selection->filters[i])) return false;
    return true;
}

/* The paths that lead into the member of this name, without it. -1: one of them ends here, so that all of it is shown. */
static int enter(const char *const *paths, size_t count, const char *name, const char **ret_rest)
{
    size_t size = strlen(name);
    int entered = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(paths[i], name, size) != 0) continue;
        if (!paths[i][size]) return -1;
        if (paths[i][size] == '.') ret_rest[entered++] = paths[i] + size + 1;
    }
    return entered;
}

static json_t *show(const json_t *value, const char *const *paths, size_t count);

static json_t *show_items(const json_t *list, const char *const *paths, size_t count)
{
    json_t *shown = json_array(), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        json_t *part = show(item, paths, count);
        if (part) json_array_append_new(shown, part);
    }
    return shown;
}

/* NULL: it has no members to enter. */
static json_t *show(const json_t *value, const char *const *paths, size_t count)
{
    if (json_is_array(value)) return show_items(value, paths, count);
    if (!json_is_object(value)) return NULL;
    json_t *shown = json_object(), *member;
    const char *name, *rest[SELECT_FIELDS_MAX + 2];
    json_object_foreach((json_t *)value, name, member)
    {
        int entered = enter(paths, count, name, rest);
        json_t *part = entered < 0 ? json_incref(member) : entered > 0 ? show(member, rest, (size_t)entered) : NULL;
        if (part) json_object_set_new(shown, name, part);
    }
    return shown;
}

json_t *select_show(const struct selection *selection, const json_t *document)
{
    if (selection->field_count == 0) return json_incref((json_t *)document);
    const char *paths[SELECT_FIELDS_MAX + 2] = {"id", "href"};
    for (size_t i = 0; i < selection->field_count; i++)
        paths[i + 2] = selection->fields[i];
    return show(document, paths, selection->field_count + 2);
}

/* Is it the text of a number or a boolean, too? Then it may stand without quotes. */
static bool may_be_bare(const char *value)
{
    AUTO(free_json) json_t *json = json_loads(value, JSON_DECODE_ANY, NULL);
    return json && !json_is_string(json);
}

char *select_hint(const struct selection *selection)
{
    const char *longest = NULL;
    for (size_t i = 0; i < selection->filter_count; i++) {
        const struct select_filter *filter = &selection->filters[i];
        if (filter->value_count != 1 || !*filter->values[0]) continue;
        if (!longest || strlen(filter->values[0]) > strlen(longest)) longest = filter->values[0];
    }
    AUTO(free_json) json_t *text = longest ? json_string(longest) : NULL;
    if (!text) return NULL;
    AUTO(free_text) char *quoted = json_canonical(text);
    return may_be_bare(longest) ? mem_copy_bytes(quoted + 1, strlen(quoted) - 2) : take(&quoted);
}
