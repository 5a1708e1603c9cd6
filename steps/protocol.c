/* protocol.c: a step's end of the step protocol (docs/formats/step-protocol.md): one JSON object a line, on one descriptor, both ways.
   Only what the engine must know before the step goes on is answered: checkpoint, intend, outcome. Nothing is sent while an answer is
   awaited, so one reader without a queue is enough. A type without describe has no effects. */
#include "protocol.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096, PAUSE_FIRST_MS = 100, PAUSE_LAST_MS = 1600 };

struct step {
    const struct step_type *type;
    const json_t *input;
    json_t *checkpoint; /* the latest; owned */
    int fd;
    bool parked;
    size_t got; /* bytes in buffer that are not consumed yet */
    char buffer[LIMIT_STEP_LINE_BYTES];
};

/* --- lines ------------------------------------------------------------------------------------------------------ */

static int broken(struct error *err, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "step protocol: %s", what);
}

/* Steals message. */
static int send_line(struct step *step, json_t *message, struct error *err)
{
    AUTO(free_json) json_t *owned = message;
    AUTO(free_text) char *line = json_dumps(owned, JSON_COMPACT);
    size_t size = line ? strlen(line) : 0;
    if (!line) return broken(err, "a value cannot be written as JSON");
    if (size >= LIMIT_STEP_LINE_BYTES)
        return error_set(err, ERROR_LIMIT, NOWHERE, "step protocol: a \"%s\" of %zu bytes; a line holds at most %d",
            json_text(owned, "type", "line"), size, LIMIT_STEP_LINE_BYTES);
    line[size] = '\n'; /* in place of the NUL: one write for one line */
    int failed = file_write_all(step->fd, line, size + 1);
    return failed ? error_set_errno(err, -failed, "step protocol: cannot write to the engine") : 0;
}

static int fill_buffer(struct step *step, struct error *err)
{
    if (step->got == sizeof step->buffer) return broken(err, "the engine sent a line of more than 64 KiB");
    for (;;) {
        ssize_t got = read(step->fd, step->buffer + step->got, sizeof step->buffer - step->got);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "step protocol: cannot read from the engine");
        if (got == 0) return error_set(err, ERROR_UNAVAILABLE, NOWHERE, "step protocol: the engine's end was closed");
        step->got += (size_t)got;
        return 0;
    }
}

static int read_line(struct step *step, json_t **ret, struct error *err)
{
    size_t seen = 0;
    char *end;
    while (!(end = memchr(step->buffer + seen, '\n', step->got - seen))) {
        seen = step->got;
        int failed = fill_buffer(step, err);
        if (failed) return failed;
    }
    size_t size = (size_t)(end - step->buffer);
    int failed = json_parse(step->buffer, size, "step protocol", ret, err);
    step->got -= size + 1;
    memmove(step->buffer, end + 1, step->got);
    return failed;
}

static json_t *message_new(const char *type)
{
    json_t *message = json_object();
    json_put_text(message, "type", type);
    return message;
}

/* What a question may be answered with; NULL-ended. */
static const char *const kept_answers[] = {"kept", NULL};
static const char *const intend_answers[] = {"go", "known", "find", NULL};

static bool is_answer(const json_t *line, const char *const *wanted, const char *name)
{
    const char *type = json_text(line, "type", "");
    if (name && !text_equal(json_text(line, "name", NULL), name)) return false;
    for (; *wanted; wanted++)
        if (text_equal(type, *wanted)) return true;
    return false;
}

/* Sends (stealing) and waits for one of the wanted answers, about the effect `name` where there is one. Other lines are passed over: an
   engine that was started again repeats what it cannot know to have been heard (docs/adr/0006). */
static int ask(struct step *step, json_t *message, const char *const *wanted, const char *name, json_t **ret_answer, struct error *err)
{
    int failed = send_line(step, message, err);
    while (!failed) {
        AUTO(free_json) json_t *answer = NULL;
        failed = read_line(step, &answer, err);
        if (failed) break;
        if (!json_text(answer, "type", NULL)) return broken(err, "the engine sent a line without a type");
        if (!is_answer(answer, wanted, name)) continue;
        *ret_answer = take(&answer);
        return 0;
    }
    return failed;
}

static int ask_kept(struct step *step, json_t *message, const char *name, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    return ask(step, message, kept_answers, name, &answer, err);
}

/* --- a step's life ---------------------------------------------------------------------------------------------- */

int step_open(const struct step_type *type, const json_t *input, int fd, struct step **ret, struct error *err)
{
    if (!json_is_object(json_object_get(input, "with")) || !json_is_object(json_object_get(input, "facts")))
        return error_set(err, ERROR_INVALID, NOWHERE, "a step's input needs the objects \"with\" and \"facts\"");
    if (json_whole(input, "protocol", 0) != STEP_PROTOCOL_VERSION) {
        error_set(err, ERROR_UNSUPPORTED, NOWHERE, "the engine speaks another version of the step protocol than 1");
        return error_hint(err, "install crescendo-step and the engine from the same release");
    }
    struct step *step = mem_alloc(sizeof *step);
    *step = (struct step){.type = type, .input = input, .fd = fd};
    json_t *checkpoint = json_object_get(input, "checkpoint");
    if (checkpoint && !json_is_null(checkpoint)) step->checkpoint = json_incref(checkpoint);
    json_t *hello = message_new("hello");
    json_put_whole(hello, "protocol", STEP_PROTOCOL_VERSION);
    int failed = send_line(step, hello, err);
    if (failed)
        step_close(&step);
    else
        *ret = step;
    return failed;
}

void step_close(struct step **step)
{
    if (!*step) return;
    json_decref((*step)->checkpoint);
    free(*step);
    *step = NULL;
}

bool step_is_parked(const struct step *step)
{
    return step->parked;
}

const json_t *step_with(const struct step *step)
{
    return json_object_get(step->input, "with");
}

const json_t *step_facts(const struct step *step)
{
    return json_object_get(step->input, "facts");
}

const json_t *step_checkpoint_read(const struct step *step)
{
    return step->checkpoint;
}

const json_t *step_to_compensate(const struct step *step)
{
    return json_object_get(step->input, "compensate");
}

/* --- what is told without an answer ------------------------------------------------------------------------------- */

/* A message for people: cut rather than refused. Bytes that are not UTF-8 become '?', as JSON cannot hold them. */
static json_t *message_text(char *text)
{
    size_t size = strnlen(text, MESSAGE_MAX);
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    text[size] = '\0';
    if (!text_is_utf8(text, size))
        for (char *at = text; *at; at++)
            if ((unsigned char)*at >= 0x80) *at = '?';
    return json_string(text);
}

int step_progress(struct step *step, double fraction, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *text = mem_format_list(format, arguments);
    va_end(arguments);
    json_t *message = message_new("progress");
    json_put(message, "message", message_text(text));
    json_put(message, "fraction", json_real(fraction));
    return send_line(step, message, NULL);
}

int step_annotate(struct step *step, const char *level, const char *file, unsigned line, const char *text)
{
    AUTO(free_text) char *copy = mem_copy_text(text);
    json_t *message = message_new("annotate");
    json_put_text(message, "level", level);
    json_put(message, "message", message_text(copy));
    json_put_text(message, "file", file);
    if (line) json_put_whole(message, "line", line);
    return send_line(step, message, NULL);
}

int step_fault(struct step *step, const struct error *fault)
{
    AUTO(free_text) char *text = mem_format("%s%s%s", fault->message, fault->hint[0] ? "; " : "", fault->hint);
    json_t *message = message_new("fault");
    json_put(message, "message", message_text(text));
    return send_line(step, message, NULL);
}

static bool value_fits(const json_t *value, enum field_type type)
{
    switch ((int)type) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_PATH:
    case FIELD_CHOICE: return json_is_string(value);
    case FIELD_BOOLEAN: return json_is_boolean(value);
    case FIELD_INTEGER:
    case FIELD_DURATION:
    case FIELD_SIZE: return json_is_integer(value);
    case FIELD_NUMBER: return json_is_number(value);
    case FIELD_TEXT_LIST:
    case FIELD_NAME_LIST: return json_is_array(value);
    case FIELD_TEXT_MAP: return json_is_object(value);
    default: return true;
    }
}

/* Later steps rely on what the type's table promises; a value of another type is this type's own mistake. */
static int check_output(const struct step *step, const char *name, const json_t *value)
{
    for (const struct field *output = step->type->outputs; output && output->name; output++)
        if (strcmp(output->name, name) == 0 && !value_fits(value, output->type)) return -ERROR_INTERNAL;
    return 0;
}

int step_output(struct step *step, const char *name, json_t *value)
{
    int failed = check_output(step, name, value);
    if (failed) {
        json_decref(value);
        AUTO(free_text) char *mistake = mem_format("the output %s is not of the type that its table says", name);
        (void)!step_annotate(step, "error", NULL, 0, mistake);
        return failed;
    }
    json_t *message = message_new("output");
    json_put_text(message, "name", name);
    json_put(message, "value", value);
    return send_line(step, message, NULL);
}

/* --- what is answered --------------------------------------------------------------------------------------------- */

int step_checkpoint(struct step *step, json_t *checkpoint, struct error *err)
{
    AUTO(free_json) json_t *owned = checkpoint;
    json_t *message = message_new("checkpoint");
    json_put(message, "checkpoint", json_incref(owned));
    int failed = ask_kept(step, message, NULL, err);
    if (failed) return failed;
    json_decref(step->checkpoint);
    step->checkpoint = take(&owned);
    return 0;
}

int step_compensated(struct step *step, const char *name, struct error *err)
{
    json_t *message = message_new("compensated");
    json_put_text(message, "name", name);
    return ask_kept(step, message, name, err);
}

int step_park(struct step *step, int64_t until_ms, json_t *checkpoint, struct error *err)
{
    json_t *message = message_new("park");
    json_put_whole(message, "until", until_ms);
    json_put(message, "checkpoint", checkpoint);
    int failed = send_line(step, message, err);
    if (failed) return failed;
    step->parked = true;
    return error_set(err, ERROR_PARKED, NOWHERE, "the step parks");
}

/* --- effects: intent before effect ---------------------------------------------------------------------------------- */

typedef int send_function(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err);

struct effect {
    const char *name, *target;
    const json_t *body;
    send_function *send;
    void *context;
    bool may_pass; /* the last send failed for a reason that may pass, and the peer knows that nothing was done */
};

static json_t *intent_new(const struct effect *effect, const char *type, const char *key)
{
    char digest[65];
    json_t *intent = type ? message_new(type) : json_object();
    json_digest(effect->body, digest);
    json_put_text(intent, "name", effect->name);
    json_put_text(intent, "target", effect->target);
    json_put_text(intent, "key", key);
    json_put_text(intent, "digest", digest);
    json_put(intent, "body", json_deep_copy(effect->body));
    return intent;
}

static const char *seen_name(enum effect_seen seen)
{
    switch (seen) {
    case EFFECT_SEEN_DONE: return "done";
    case EFFECT_SEEN_ABSENT: return "absent";
    case EFFECT_SEEN_UNSURE: break;
    }
    return "unsure";
}

/* outcome is borrowed; may be NULL. */
static int record(struct step *step, const struct effect *effect, const char *seen, json_t *outcome, struct error *err)
{
    json_t *message = message_new("outcome");
    json_put_text(message, "name", effect->name);
    json_put_text(message, "seen", seen);
    json_put(message, "outcome", outcome ? json_incref(outcome) : json_null());
    return ask_kept(step, message, effect->name, err);
}

/* Asks the peer by key and records what was seen. */
static int look_up(
    struct step *step, const struct effect *effect, const char *key, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *intent = intent_new(effect, NULL, key);
    AUTO(free_json) json_t *outcome = NULL;
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    int failed = step->type->find ? step->type->find(step, intent, &seen, &outcome, err) : 0;
    if (failed) return failed;
    failed = record(step, effect, seen_name(seen), outcome, err);
    if (failed) return failed;
    *ret_seen = seen;
    *ret_outcome = outcome ? take(&outcome) : json_null();
    return 0;
}

static int nobody_can_tell(const struct effect *effect, struct error *err)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "nobody can tell whether %s was done at %s", effect->name, effect->target);
    return error_hint(err, "a person must look there and settle it");
}

/* Did the peer decide against it, so that nothing happened? All other failures leave the question open. */
static bool is_refusal(const struct error *err)
{
    switch (err->code) {
    case ERROR_INVALID:
    case ERROR_NOT_FOUND:
    case ERROR_CONFLICT:
    case ERROR_DENIED:
    case ERROR_UNAUTHENTICATED:
    case ERROR_LIMIT:
    case ERROR_UNSUPPORTED: return true;
    case ERROR_NONE:
    case ERROR_IO:
    case ERROR_NO_SPACE:
    case ERROR_UNAVAILABLE:
    case ERROR_TIMEOUT:
    case ERROR_PROTOCOL:
    case ERROR_STATE:
    case ERROR_PARKED:
    case ERROR_INTERNAL:
    case ERROR_CODE_COUNT: break;
    }
    return false;
}

/* The send failed. A refusal is on record as failed; for anything else the peer is asked at once, while it is near: done counts as
   done, absent leaves the failure, which may pass, and unsure needs a person. */
static int settle_failure(
    struct step *step, struct effect *effect, const char *key, const struct error *failure, json_t **ret_outcome, struct error *err)
{
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    AUTO(free_json) json_t *outcome = NULL;
    if (is_refusal(failure)) {
        outcome = json_pack("{s:s, s:s}", "error", error_code_name(failure->code), "message", failure->message);
        int failed = record(step, effect, "failed", outcome, err);
        if (failed) return failed;
    } else {
        int failed = look_up(step, effect, key, &seen, &outcome, err);
        if (failed) return failed;
        if (seen == EFFECT_SEEN_UNSURE) return nobody_can_tell(effect, err);
        if (seen == EFFECT_SEEN_DONE) {
            *ret_outcome = take(&outcome);
            return 0;
        }
        effect->may_pass = failure->retryable;
    }
    if (err) *err = *failure;
    return -(int)failure->code;
}

static int send_effect(struct step *step, struct effect *effect, const char *key, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *outcome = NULL;
    struct error failure = {0};
    if (effect->send(step, key, effect->body, effect->context, &outcome, &failure) < 0)
        return settle_failure(step, effect, key, &failure, ret_outcome, err);
    int failed = record(step, effect, "done", outcome, err);
    if (failed) return failed;
    *ret_outcome = outcome ? take(&outcome) : json_null();
    return 0;
}

/* A known outcome is handed back; one that is on record as refused stays refused. */
static int take_known(const struct effect *effect, const json_t *answer, json_t **ret_outcome, struct error *err)
{
    json_t *outcome = json_object_get(answer, "outcome");
    if (text_equal(json_text(answer, "seen", "done"), "failed"))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%s was refused by %s before: %s", effect->name, effect->target,
            json_text(outcome, "message", "no reason is on record"));
    *ret_outcome = outcome ? json_incref(outcome) : json_null();
    return 0;
}

/* One round of intend. *ret_again: it was found absent and may be intended anew. */
static int intend(struct step *step, struct effect *effect, bool *ret_again, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *answer = NULL;
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    *ret_again = false;
    int failed = ask(step, intent_new(effect, "intend", NULL), intend_answers, effect->name, &answer, err);
    if (failed) return failed;
    const char *type = json_text(answer, "type", ""), *key = json_text(answer, "key", NULL);
    if (text_equal(type, "known")) return take_known(effect, answer, ret_outcome, err);
    if (!key) return broken(err, "the engine gave no key for an effect");
    if (text_equal(type, "go")) return send_effect(step, effect, key, ret_outcome, err);
    AUTO(free_json) json_t *outcome = NULL;
    failed = look_up(step, effect, key, &seen, &outcome, err);
    if (failed) return failed;
    if (seen == EFFECT_SEEN_UNSURE) return nobody_can_tell(effect, err);
    *ret_again = seen == EFFECT_SEEN_ABSENT;
    if (seen == EFFECT_SEEN_DONE) *ret_outcome = take(&outcome);
    return 0;
}

/* Found absent after a crash, it is intended once more. */
static int intend_anew(struct step *step, struct effect *effect, json_t **ret_outcome, struct error *err)
{
    bool again = false;
    effect->may_pass = false;
    int failed = intend(step, effect, &again, ret_outcome, err);
    if (failed || !again) return failed;
    failed = intend(step, effect, &again, ret_outcome, err);
    if (!failed && again) return broken(err, "the engine asks a second time to find what was found absent");
    return failed;
}

int step_effect(struct step *step, const char *name, const char *target, const json_t *body, send_function *send, void *context,
    json_t **ret_outcome, struct error *err)
{
    struct effect effect = {.name = name, .target = target, .body = body, .send = send, .context = context};
    if (!step->type->describe)
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "step type %s has no describe, so it may have no effects", step->type->name);
    int failed = intend_anew(step, &effect, ret_outcome, err);
    for (int pause_ms = PAUSE_FIRST_MS; failed && effect.may_pass && pause_ms <= PAUSE_LAST_MS; pause_ms *= 2) {
        nanosleep(&(struct timespec){.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L}, NULL);
        failed = intend_anew(step, &effect, ret_outcome, err);
    }
    return failed;
}
