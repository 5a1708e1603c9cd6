/* notify_perform.c: POSTs to a webhook. Nobody can ask a webhook what it was told, so after a crash it is told again: at least once. */
#include "perform.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http.h"

#include <string.h>

enum { WORDS_MAX = 120 };

/* {text, run, stage, step}, unless the pipeline says it all. */
static json_t *make_body(const json_t *with, const json_t *facts)
{
    const json_t *given = json_object_get(with, "body");
    if (given) return json_deep_copy(given);
    AUTO(free_text)
    char *text = mem_format("Run %lld of %s: %s", (long long)json_whole(facts, "run", 0), json_text(facts, "repository", "a pipeline"),
        json_text(facts, "step", "notify"));
    json_t *body = json_object();
    json_put_text(body, "text", json_text(with, "message", text));
    json_put_whole(body, "run", json_whole(facts, "run", 0));
    json_put_text(body, "stage", json_text(facts, "stage", NULL));
    json_put_text(body, "step", json_text(facts, "step", NULL));
    return body;
}

/* "https://chat.example.org": the rest of a webhook's URL is often its secret. Caller frees. */
static char *origin_of(const char *url)
{
    size_t scheme = (size_t)(strstr(url, "://") - url) + 3;
    return mem_copy_bytes(url, scheme + strcspn(url + scheme, "/?#"));
}

static int refuse(const char *origin, const struct http_response *response, struct error *err)
{
    int words = (int)strcspn(response->body, "\r\n");
    enum error_code code = response->status >= 500 ? ERROR_UNAVAILABLE : response->status >= 400 ? ERROR_INVALID : ERROR_PROTOCOL;
    return error_set(err, code, NOWHERE, "the webhook at %.80s answered %d: %.*s", origin, response->status,
        words < WORDS_MAX ? words : WORDS_MAX, response->body);
}

/* context: the URL. */
static int send(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    AUTO(http_response_release) struct http_response response = {0};
    AUTO(free_text) char *text = json_canonical(body), *key_header = mem_format("Idempotency-Key: %s", key);
    AUTO(free_text) char *origin = origin_of(context);
    const char *const headers[] = {"Content-Type: application/json", key_header, NULL};
    const struct http_request request = {
        .method = "POST", .url = context, .headers = headers, .body = text, .body_size = strlen(text), .limit_bytes = 1024 * 1024};
    struct error problem = {0};
    (void)step;
    if (http_send(&request, &response, &problem) < 0) /* its own message holds the URL */
        return error_set(err, problem.code, NOWHERE, "the webhook at %.80s cannot be reached, or does not answer", origin);
    if (response.status < 200 || response.status > 299) return refuse(origin, &response, err);
    *ret_outcome = json_pack("{s:i}", "status", response.status);
    return 0;
}

int notify_perform(struct step *step, struct error *err)
{
    const json_t *with = step_with(step);
    AUTO(free_text) char *url = mem_copy_text(json_text(with, "webhook", ""));
    AUTO(free_json) json_t *body = make_body(with, step_facts(step)), *outcome = NULL;
    if (!text_starts(url, "http://") && !text_starts(url, "https://")) {
        error_set(err, ERROR_INVALID, NOWHERE, "notify: the webhook is no http or https URL");
        return error_hint(err, "write it like https://chat.example.org/hooks/1");
    }
    AUTO(free_text) char *origin = origin_of(url);
    int failed = step_effect(step, "notification", origin, body, send, url, &outcome, err);
    return failed ? failed : step_output(step, "status", json_integer(json_whole(outcome, "status", 0)));
}

int notify_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    (void)step, (void)intent, (void)ret_outcome, (void)err;
    *ret_seen = EFFECT_SEEN_ABSENT;
    return 0;
}
