/* protocol.c: a step's end of the step protocol (docs/formats/step-protocol.md): one JSON object a line, on one descriptor, both ways.
   Only what the engine must know before the step goes on is answered: checkpoint, intend, outcome. Nothing is sent while an answer is
   awaited, so one reader without a queue is enough. Effects are effects_perform.c's. */
#include "protocol_private.h"

#include "base/file.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096 };

/* --- lines ------------------------------------------------------------------------------------------------------ */

int step_broken(struct error *err, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "step protocol: %s", what);
}

/* Steals message. */
static int send_line(struct step *step, json_t *message, struct error *err)
{
    AUTO(free_json) json_t *owned = message;
    AUTO(free_text) char *line = json_dumps(owned, JSON_COMPACT);
    size_t size = line ? strlen(line) : 0;
    if (!line) return step_broken(err, "a value cannot be written as JSON");
    if (size >= LIMIT_STEP_LINE_BYTES)
        return error_set(err, ERROR_LIMIT, NOWHERE, "step protocol: a \"%s\" of %zu bytes; a line holds at most %d",
            json_text(owned, "type", "line"), size, LIMIT_STEP_LINE_BYTES);
    line[size] = '\n'; /* in place of the NUL: one write for one line */
    int failed = file_write_all(step->fd, line, size + 1);
    return failed ? error_set_errno(err, -failed, "step protocol: cannot write to the engine") : 0;
}

static int fill_buffer(struct step *step, struct error *err)
{
    if (step->got == sizeof step->buffer) return step_broken(err, "the engine sent a line of more than 64 KiB");
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

json_t *step_message(const char *type)
{
    json_t *message = json_object();
    json_put_text(message, "type", type);
    return message;
}

static bool is_answer(const json_t *line, const char *const *wanted, const char *name)
{
    const char *type = json_text(line, "type", "");
    if (name && !text_equal(json_text(line, "name", NULL), name)) return false;
    for (; *wanted; wanted++)
        if (text_equal(type, *wanted)) return true;
    return false;
}

static int await_answer(struct step *step, const char *const *wanted, const char *name, json_t **ret_answer, struct error *err)
{
    for (;;) {
        AUTO(free_json) json_t *answer = NULL;
        int failed = read_line(step, &answer, err);
        if (failed) return failed;
        if (!json_text(answer, "type", NULL)) return step_broken(err, "the engine sent a line without a type");
        if (!is_answer(answer, wanted, name)) continue;
        *ret_answer = take(&answer);
        return 0;
    }
}

int step_ask(struct step *step, json_t *message, const char *const *wanted, const char *name, json_t **ret_answer, struct error *err)
{
    int failed = send_line(step, message, err);
    return failed ? failed : await_answer(step, wanted, name, ret_answer, err);
}

/* After a restart the engine says again what is on record. That nobody could tell is no answer to who can. */
int step_ask_kept(struct step *step, json_t *message, const char *name, struct error *err)
{
    static const char *const kept[] = {"kept", NULL}, unsure[] = "unsure";
    bool is_unsure = text_equal(json_text(message, "seen", NULL), unsure), is_other;
    int failed = send_line(step, message, err);
    if (failed) return failed;
    do {
        AUTO(free_json) json_t *answer = NULL;
        failed = await_answer(step, kept, name, &answer, err);
        is_other = !failed && !is_unsure && text_equal(json_text(answer, "seen", NULL), unsure);
    } while (is_other);
    return failed;
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
    *step = (struct step){.type = type, .input = input, .fd = fd, .began_us = clock_monotonic_us()};
    json_t *checkpoint = json_object_get(input, "checkpoint");
    if (checkpoint && !json_is_null(checkpoint)) step->checkpoint = json_incref(checkpoint);
    json_t *hello = step_message("hello");
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
    json_t *message = step_message("progress");
    json_put(message, "message", message_text(text));
    json_put(message, "fraction", json_real(fraction));
    return send_line(step, message, NULL);
}

int step_annotate(struct step *step, const char *level, const char *file, unsigned line, const char *text)
{
    AUTO(free_text) char *copy = mem_copy_text(text);
    json_t *message = step_message("annotate");
    json_put_text(message, "level", level);
    json_put(message, "message", message_text(copy));
    json_put_text(message, "file", file);
    if (line) json_put_whole(message, "line", line);
    return send_line(step, message, NULL);
}

int step_fault(struct step *step, const struct error *fault)
{
    AUTO(free_text) char *text = mem_format("%s%s%s", fault->message, fault->hint[0] ? "; " : "", fault->hint);
    json_t *message = step_message("fault");
    json_put(message, "message", message_text(text));
    json_put_text(message, "reason", step->reason);
    return send_line(step, message, NULL);
}

void step_reason(struct step *step, const char *reason)
{
    step->reason = reason;
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
    json_t *message = step_message("output");
    json_put_text(message, "name", name);
    json_put(message, "value", value);
    return send_line(step, message, NULL);
}

/* --- what is answered --------------------------------------------------------------------------------------------- */

int step_checkpoint(struct step *step, json_t *checkpoint, struct error *err)
{
    AUTO(free_json) json_t *owned = checkpoint;
    json_t *message = step_message("checkpoint");
    json_put(message, "checkpoint", json_incref(owned));
    int failed = step_ask_kept(step, message, NULL, err);
    if (failed) return failed;
    json_decref(step->checkpoint);
    step->checkpoint = take(&owned);
    return 0;
}

int step_compensated(struct step *step, const char *name, struct error *err)
{
    json_t *message = step_message("compensated");
    json_put_text(message, "name", name);
    return step_ask_kept(step, message, name, err);
}

int step_park(struct step *step, int64_t until_ms, json_t *checkpoint, struct error *err)
{
    return step_park_for(step, until_ms, NULL, checkpoint, err);
}

int step_park_for(struct step *step, int64_t until_ms, const char *what, json_t *checkpoint, struct error *err)
{
    json_t *message = step_message("park");
    json_put_text(message, "for", what);
    json_put_whole(message, "until", until_ms);
    json_put(message, "checkpoint", checkpoint);
    int failed = send_line(step, message, err);
    if (failed) return failed;
    step->parked = true;
    return error_set(err, ERROR_PARKED, NOWHERE, "the step parks");
}
