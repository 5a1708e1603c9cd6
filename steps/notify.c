/* notify.c: the step type `notify`: tells somebody, by a POST to a webhook. Performed by notify_perform.c. */
#include "registry.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "describe.h"

#include <string.h>

int notify_perform(struct step *step, struct error *err) __attribute__((weak)); /* NULL outside crescendo-step: README.md */
int notify_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
    __attribute__((weak));

static const struct field fields[] = {
    {.name = "webhook", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SHORT, .help = "The http or https URL that is told"},
    {.name = "message", .type = FIELD_TEXT, .help = "What it is told; the default names the run"},
    {.name = "body", .type = FIELD_ANY, .help = "The JSON body that is sent in place of {text, run, stage, step}"},
    FIELD_END,
};
static const struct field outputs[] = {{.name = "status", .type = FIELD_INTEGER, .help = "The status of its answer"}, FIELD_END};

static int check(const json_t *with, struct location at, struct diagnostics *list)
{
    const char *url = json_string_value(json_object_get(with, "webhook"));
    int failed = 0;
    if (url && !text_starts(url, "http://") && !text_starts(url, "https://")) {
        diagnostics_add(list, "wrong-url", at, 0, "write it like https://chat.example.org/hooks/1",
            "notify: a webhook is an http or https URL, not \"%.100s\"", url);
        failed = -ERROR_INVALID;
    }
    if (!json_object_get(with, "message") || !json_object_get(with, "body")) return failed;
    diagnostics_add(list, "misplaced-key", at, 0, "put the text into the body", "notify: a body of its own leaves no place for a message");
    return -ERROR_INVALID;
}

/* "https://host:port" of a URL: the rest of a webhook is often a secret. Caller frees. */
static char *origin_of(const json_t *webhook)
{
    AUTO(free_text) char *url = planned_text(webhook, "?");
    const char *host = strstr(url, "://");
    return host ? mem_copy_bytes(url, (size_t)(host - url) + 3 + strcspn(host + 3, "/?#")) : take(&url);
}

static int describe(const struct planned *planned, json_t **ret_effects, struct error *err)
{
    AUTO(free_text) char *origin = origin_of(json_object_get(planned->with, "webhook"));
    AUTO(free_json) json_t *target = json_string(origin);
    json_t *body = json_object_get(planned->with, "body"), *message = json_object_get(planned->with, "message");
    json_t *sent = body ? json_deep_copy(body) : json_object();
    (void)err;
    if (!body && message) json_put(sent, "text", json_deep_copy(message));
    *ret_effects = json_array();
    effect_add(*ret_effects, "notification", target, mem_format("tells %s", origin), sent, NULL);
    return 0;
}

const struct step_type notify_step_type = {
    .name = "notify",
    .summary = "Tells somebody, by a POST to a webhook; at least once",
    .fields = fields,
    .outputs = outputs,
    .check = check,
    .describe = describe,
    .reaches_out = true,
    .perform = notify_perform,
    .find = notify_find,
};
