/* activate_perform.c: a package is unpacked at its domain's keeper, started there, and waited for. */
#include "ask_perform.h"
#include "drivers.h"
#include "unpack_perform.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct activation {
    const json_t *with;
    char *service, *folder, *words; /* owned; words: of a service that does not come up */
    int64_t ready;
};

static void activation_release(struct activation *activation)
{
    free(activation->service);
    free(activation->folder);
    free(activation->words);
}

/* NAME=VALUE for each member; the port called http comes first, since the first takes the requests and JSON has no order. */
static json_t *pairs_of(const json_t *object)
{
    json_t *list = json_array(), *value;
    const char *name;
    json_object_foreach((json_t *)object, name, value)
    {
        AUTO(free_text)
        char *pair = json_is_integer(value) ? mem_format("%s=%lld", name, (long long)json_integer_value(value))
                                            : mem_format("%s=%s", name, json_is_string(value) ? json_string_value(value) : "");
        if (text_equal(name, "http"))
            json_array_insert_new(list, 0, json_string(pair));
        else
            json_array_append_new(list, json_string(pair));
    }
    return list;
}

/* The first word is a path in the package; a name without a slash that is not there is looked for in PATH by whoever starts it. */
static json_t *command_of(const struct activation *activation)
{
    json_t *words = json_copy(json_object_get(activation->with, "command"));
    const char *program = json_string_value(json_array_get(words, 0));
    if (!program || strchr(program, '/')) return words;
    AUTO(free_text) char *path = mem_format("%s/%s", activation->folder, program);
    if (file_exists(path)) json_array_set_new(words, 0, json_sprintf("./%s", program));
    return words;
}

static json_t *start_fields(const struct activation *activation)
{
    static const char *const copied[] = {
        "family", "version", "replicas", "health", "memory", "cpu", "disk", "start_ms", "drain_ms", "grace_ms"};
    const json_t *with = activation->with;
    json_t *fields = json_object();
    json_put_text(fields, "service", activation->service);
    json_put_text(fields, "folder", activation->folder);
    for (size_t i = 0; i < COUNT_OF(copied); i++)
        json_put(fields, copied[i], json_incref(json_object_get(with, copied[i])));
    json_put(fields, "command", command_of(activation));
    json_put(fields, "env", pairs_of(json_object_get(with, "env")));
    json_put(fields, "port", pairs_of(json_object_get(with, "ports")));
    json_put_whole(fields, "share", json_object_get(with, "lease_ms") ? 0 : json_whole(with, "share", 0)); /* what is lent comes later */
    return fields;
}

static int start(struct step *step, struct activation *activation, struct error *err)
{
    AUTO(free_json) json_t *fields = start_fields(activation);
    AUTO(free_json) json_t *outcome = NULL;
    int failed = keeper_effect(step, "start", activation->service, fields, &outcome, err);
    if (failed) return failed;
    step_output(step, "address", json_string(json_text(outcome, "address", "")));
    return keeper_wait_ready(
        step, activation->service, json_whole(activation->with, "start_ms", 0), &activation->ready, &activation->words, err);
}

static int lend(struct step *step, const struct activation *activation, struct error *err)
{
    AUTO(free_json)
    json_t *fields = json_pack("{s:s, s:I, s:I}", "service", activation->service, "share", json_whole(activation->with, "share", 0),
        "lease_ms", json_whole(activation->with, "lease_ms", 0));
    AUTO(free_json) json_t *outcome = NULL;
    return keeper_effect(step, "share", activation->service, fields, &outcome, err);
}

static int activate(struct step *step, struct activation *activation, struct error *err)
{
    const json_t *with = activation->with;
    AUTO(free_text) char *packages = mem_format("%s/packages", json_text(with, "keeper", ""));
    int failed = package_unpack(json_text(with, "artifact", ""), json_text(with, "digest", ""), packages, &activation->folder, err);
    if (!failed) failed = start(step, activation, err);
    if (!failed && json_object_get(with, "lease_ms")) failed = lend(step, activation, err);
    if (failed) return failed;
    step_output(step, "ready", json_integer(activation->ready));
    step_output(step, "share", json_real((double)json_whole(with, "share", 0) / 100));
    return 0;
}

int activate_perform(struct step *step, struct error *err)
{
    AUTO(activation_release) struct activation activation = {.with = step_with(step)};
    activation.service = mem_format("%lld.%s", (long long)json_whole(step_facts(step), "run", 0), json_text(activation.with, "item", ""));
    int failed = activate(step, &activation, err);
    return driver_end(step, failed, activation.words, err);
}
