/* part.c: finding a component in a descriptor, and checking it. */
#include "orchestrator/fulfil/part.h"

#include "base/json.h"
#include "base/text.h"
#include "orchestrator/fulfil/site.h"

#include <string.h>

enum { COMPONENTS_MAX = 100, WORDS_MAX = 256, WORDS_BYTES_MAX = 32 * 1024 };

static int wrong(const struct part *part, const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, NOWHERE, "descriptor: %s '%.60s': %s", part->kind, part->name, what);
}

static bool is_environment_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t size = strlen(name);
    return size > 0 && size < 200 && strspn(name, allowed) == size && !(name[0] >= '0' && name[0] <= '9');
}

static int check_command(const struct part *part, struct error *err)
{
    const json_t *command = json_object_get(part->json, "command"), *word;
    size_t index, bytes = 0;
    if (!json_is_array(command) || !json_array_size(command)) return wrong(part, "`command` is a list of at least one word", err);
    if (json_array_size(command) > WORDS_MAX) return wrong(part, "`command` has more than 256 words", err);
    json_array_foreach(command, index, word)
    {
        if (!json_is_string(word)) return wrong(part, "`command` holds texts", err);
        bytes += json_string_length(word);
    }
    return bytes > WORDS_BYTES_MAX ? wrong(part, "`command` is longer than 32 KiB", err) : 0;
}

static int check_environment(const struct part *part, struct error *err)
{
    const json_t *env = json_object_get(part->json, "env");
    const char *name;
    json_t *value;
    size_t bytes = 0;
    if (env && !json_is_object(env)) return wrong(part, "`env` is an object of texts", err);
    if (json_object_size(env) > WORDS_MAX) return wrong(part, "`env` has more than 256 variables", err);
    json_object_foreach((json_t *)env, name, value)
    {
        if (!is_environment_name(name) || !json_is_string(value)) return wrong(part, "`env` holds texts by names of variables", err);
        bytes += strlen(name) + json_string_length(value);
    }
    return bytes > WORDS_BYTES_MAX ? wrong(part, "`env` is larger than 32 KiB", err) : 0;
}

static int check_ports(const struct part *part, struct error *err)
{
    const json_t *ports = json_object_get(part->json, "ports");
    const char *name;
    json_t *port;
    if (ports && !json_is_object(ports)) return wrong(part, "`ports` is an object: name to number", err);
    if (json_object_size(ports) > 16) return wrong(part, "it has more than 16 ports", err);
    json_object_foreach((json_t *)ports, name, port)
    {
        int64_t number = json_is_integer(port) ? json_integer_value(port) : 0;
        if (!text_is_name(name) || number < 1 || number > 65535) return wrong(part, "`ports` holds numbers from 1 to 65535 by names", err);
    }
    return 0;
}

static int check_health(const struct part *part, struct error *err)
{
    const json_t *health = json_object_get(part->json, "health");
    const char *path = json_is_string(health) ? json_string_value(health) : json_text(health, "http", NULL);
    if (!health || (path && path[0] == '/' && strlen(path) < 1024 && !strpbrk(path, " \t\r\n?#"))) return 0;
    return wrong(part, "`health` is {http: PATH}, a path that begins with /", err);
}

/* Measures: numbers that are not negative and that a double holds exactly. */
static int check_measures(const struct part *part, struct error *err)
{
    for (const struct measure *measure = site_measures; measure->name; measure++) {
        const json_t *value = json_object_get(part->json, measure->name);
        if (!value || !text_equal(measure->kind, part->kind)) continue;
        bool is_word = measure->unit == UNIT_WORD;
        bool fits =
            is_word ? json_is_string(value) : json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) < 9e15;
        if (fits) continue;
        return error_set(err, ERROR_INVALID, NOWHERE, "descriptor: %s '%.60s': `%s` is not %s", part->kind, part->name, measure->name,
            is_word ? "a word" : "a number that it may have");
    }
    return 0;
}

static int check_part(const struct part *part, struct error *err)
{
    const json_t *flavour = json_object_get(part->json, "flavour");
    int failed = check_measures(part, err);
    if (failed) return failed;
    if (flavour && !json_is_string(flavour)) return wrong(part, "`flavour` is a name", err);
    if (!text_equal(part->kind, "compute")) return 0;
    if ((failed = check_command(part, err)) || (failed = check_environment(part, err)) || (failed = check_ports(part, err))) return failed;
    return check_health(part, err);
}

/* A component is an object of one member: its kind. */
static bool read_component(const json_t *component, struct part *ret)
{
    static const char *const kinds[] = {"compute", "network", "user", NULL};
    for (size_t i = 0; kinds[i]; i++) {
        const json_t *json = json_object_get(component, kinds[i]);
        const char *name = json_text(json, "name", NULL);
        if (!json_is_object(json) || !name) continue;
        *ret = (struct part){.kind = kinds[i], .name = name, .json = json};
        return true;
    }
    return false;
}

static int no_component(const json_t *components, const char *component, struct error *err)
{
    const char *names[COMPONENTS_MAX + 1] = {NULL};
    struct part part;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(components) && count < COMPONENTS_MAX; i++)
        if (read_component(json_array_get(components, i), &part)) names[count++] = part.name;
    if (!component) return error_set(err, ERROR_INVALID, NOWHERE, "the descriptor has no compute that an item could mean");
    error_set(err, ERROR_INVALID, NOWHERE, "the descriptor has no component '%.60s'", component);
    const char *near = text_nearest(component, names);
    return near ? error_hint(err, "did you mean %.60s?", near) : error_hint(err, "its first one is %.60s", names[0] ? names[0] : "missing");
}

int part_find(const json_t *descriptor, const char *component, struct part *ret, struct error *err)
{
    const json_t *components = json_object_get(descriptor, "components");
    bool seen_compute = false;
    if (json_array_size(components) > COMPONENTS_MAX)
        return error_set(err, ERROR_LIMIT, NOWHERE, "the descriptor has more than %d components", COMPONENTS_MAX);
    for (size_t i = 0; i < json_array_size(components); i++) {
        struct part part;
        if (!read_component(json_array_get(components, i), &part)) continue;
        bool is_compute = text_equal(part.kind, "compute");
        part.is_first_compute = is_compute && !seen_compute;
        seen_compute |= is_compute;
        if (component ? !text_equal(part.name, component) : !is_compute) continue;
        int failed = check_part(&part, err);
        if (!failed) *ret = part;
        return failed;
    }
    return no_component(components, component, err);
}

json_t *part_needs(const struct part *part)
{
    json_t *needs = json_object();
    for (const struct measure *measure = site_measures; measure->name; measure++)
        if (text_equal(measure->kind, part->kind) && !text_equal(measure->name, "instances"))
            json_put(needs, measure->name, json_incref(json_object_get(part->json, measure->name)));
    if (text_equal(part->kind, "user")) json_put_whole(needs, "users", json_whole(part->json, "count", 1));
    return needs;
}

json_t *part_copy(const struct part *part)
{
    static const char *const kept[] = {"name", "command", "env", "ports", "start", "drain", "grace"};
    json_t *copy = json_object();
    const json_t *health = json_object_get(part->json, "health");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        json_put(copy, kept[i], json_deep_copy(json_object_get(part->json, kept[i])));
    json_put_text(copy, "health", json_is_string(health) ? json_string_value(health) : json_text(health, "http", NULL));
    return copy;
}
