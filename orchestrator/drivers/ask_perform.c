/* ask_perform.c: asking a domain's keeper, and waiting for what it was asked for. */
#include "ask_perform.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/keeper.h"
#include "net/keeper_lines.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 5, PAUSE_MS = 100, ABSENT_MS = 30 * 1000, ANSWER_MS = 10 * 1000, SPARE_MS = 10 * 1000 };

/* Patience is of this process alone: a wall clock that is put right shortens or lengthens none. */
static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void pause_ms(int64_t ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* Most instances are there within some milliseconds, others take long: each pause is half as long again as the one before. */
static void pause_longer(int *pause)
{
    pause_ms(*pause);
    *pause = *pause * 3 / 2 < PAUSE_MS ? *pause * 3 / 2 : PAUSE_MS;
}

static bool may_pass(const struct error *err)
{
    return err->code == ERROR_UNAVAILABLE || err->code == ERROR_TIMEOUT;
}

int keeper_say(struct step *step, const char *verb, const json_t *fields, json_t **ret, json_t **ret_lines, struct error *err)
{
    const char *folder = json_text(step_with(step), "keeper", "");
    int64_t end_ms = now_ms() + ABSENT_MS;
    for (;;) {
        int failed = keeper_ask(folder, verb, fields, ANSWER_MS, ret, ret_lines, err);
        if (!failed || !may_pass(err) || now_ms() >= end_ms) return failed;
        pause_ms(PAUSE_MS);
    }
}

/* --- effects ------------------------------------------------------------------------------------------------------------------ */

/* The keeper speaks in texts; what is a number becomes one. */
json_t *keeper_outcome(const json_t *answer)
{
    json_t *outcome = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)answer, name, value)
    {
        int64_t number;
        const char *text = json_string_value(value);
        if (text_equal(name, "line") || text_equal(name, "seen")) continue;
        json_put(outcome, name, text && text_to_integer(text, &number) ? json_integer(number) : json_incref(value));
    }
    return outcome;
}

static int send(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *fields = json_deep_copy(body);
    AUTO(free_json) json_t *answer = NULL;
    json_put_text(fields, "key", key);
    int failed = keeper_say(step, context, fields, &answer, NULL, err);
    if (!failed) *ret_outcome = keeper_outcome(answer);
    return failed;
}

int keeper_effect(struct step *step, const char *verb, const char *service, const json_t *fields, json_t **ret_outcome, struct error *err)
{
    AUTO(free_text) char *word = mem_copy_text(verb);
    return step_effect(step, verb, service, fields, send, word, ret_outcome, err);
}

/* --- waiting -------------------------------------------------------------------------------------------------------------------- */

/* *ret_lines is set on success, NULL where the service is not there. */
static int read_status(struct step *step, const char *service, json_t **ret_lines, struct error *err)
{
    AUTO(free_json) json_t *fields = json_pack("{s:s}", "service", service);
    int failed = keeper_say(step, "status", fields, NULL, ret_lines, err);
    if (failed != -ERROR_NOT_FOUND) return failed;
    *ret_lines = NULL;
    return 0;
}

static int not_ready(const json_t *line, const char *service, const char *what, char **ret_words, struct error *err)
{
    const char *message = json_text(line, "message", "");
    AUTO(free_text) char *words = mem_format("%s%s%s", what, *message ? ": " : "", message);
    int failed = error_set(err, ERROR_CONFLICT, NOWHERE, "service %.40s %s", service, words);
    *ret_words = mem_format("service %s %s", service, words);
    return failed;
}

/* 1: ready; 0: not yet; negative: it will not be. */
static int look(const json_t *line, const char *service, int64_t end_ms, char **ret_words, struct error *err)
{
    if (!line) return not_ready(line, service, "is not there any more", ret_words, err);
    int64_t ready = keeper_number(line, "ready"), replicas = keeper_number(line, "replicas");
    if (ready >= replicas) return 1;
    if (text_equal(json_text(line, "state", NULL), "failed")) return not_ready(line, service, "did not become healthy", ret_words, err);
    if (now_ms() < end_ms) return 0;
    AUTO(free_text)
    char *what = mem_format("has %lld of %lld instances healthy after its time to start", (long long)ready, (long long)replicas);
    return not_ready(line, service, what, ret_words, err);
}

static void tell_progress(struct step *step, const json_t *line, int64_t *last)
{
    int64_t ready = keeper_number(line, "ready"), replicas = keeper_number(line, "replicas");
    if (ready == *last || !line) return;
    *last = ready;
    step_progress(
        step, replicas ? (double)ready / (double)replicas : 1, "%lld of %lld instances are healthy", (long long)ready, (long long)replicas);
}

int keeper_wait_ready(struct step *step, const char *service, int64_t start_ms, int64_t *ret_ready, char **ret_words, struct error *err)
{
    int64_t end_ms = now_ms() + start_ms + SPARE_MS, told = -1;
    int pause = FIRST_PAUSE_MS;
    for (;;) {
        AUTO(free_json) json_t *lines = NULL;
        int failed = read_status(step, service, &lines, err);
        if (failed) return failed;
        const json_t *line = keeper_service(lines, service);
        int seen = look(line, service, end_ms, ret_words, err);
        if (seen < 0) return seen;
        tell_progress(step, line, &told);
        if (seen) {
            *ret_ready = keeper_number(line, "ready");
            return 0;
        }
        pause_longer(&pause);
    }
}

int keeper_count_ready(struct step *step, const char *service, int64_t *ret_ready, struct error *err)
{
    AUTO(free_json) json_t *lines = NULL;
    int failed = read_status(step, service, &lines, err);
    if (!failed) *ret_ready = keeper_number(keeper_service(lines, service), "ready");
    return failed;
}

int keeper_wait_gone(struct step *step, const char *service, int64_t limit_ms, struct error *err)
{
    int64_t end_ms = now_ms() + limit_ms;
    int pause = FIRST_PAUSE_MS;
    for (;;) {
        AUTO(free_json) json_t *lines = NULL;
        int failed = read_status(step, service, &lines, err);
        if (failed) return failed;
        if (!keeper_service(lines, service)) return 0;
        if (now_ms() >= end_ms) return error_set(err, ERROR_TIMEOUT, NOWHERE, "service %.40s does not end", service);
        pause_longer(&pause);
    }
}

int driver_end(struct step *step, int failed, const char *words, struct error *err)
{
    enum { WORDS_MAX = 4000 };
    AUTO(free_text) char *own = failed ? mem_format("%s%s%s", err->message, err->hint[0] ? "; " : "", err->hint) : NULL;
    if (!words) words = own;
    struct text cut = {0};
    text_add_bytes(&cut, words ? words : "", failed && words ? strnlen(words, WORDS_MAX) : 0);
    while (cut.size && !text_is_utf8(cut.bytes, cut.size))
        cut.size--; /* in the middle of a character */
    int told = step_output(step, "message", json_stringn(text_view(&cut), cut.size));
    text_release(&cut);
    if (failed) return failed;
    return told ? error_set(err, ERROR_PROTOCOL, NOWHERE, "the engine does not take the output `message`") : 0;
}
