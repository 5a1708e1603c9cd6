/* settle_line.c: a line of the step protocol → events, and what to answer. docs/formats/step-protocol.md tells the whole story;
   the lines about effects are in settle_effect.c. Nothing in a line is trusted: sizes, types and names are checked here. */
#include "state/settle_line.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"

#include <string.h>

int line_refuse(struct error *err, const char *path, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s broke the step protocol: %s", path, what);
}

void line_add(const struct line *line, enum event_type type, json_t *data)
{
    event_list_add(line->list, type, line->plan->index, line->now_ms, data);
}

char *line_reply(const char *type, const char *name)
{
    AUTO(free_json) json_t *reply = json_object();
    json_put_text(reply, "type", type);
    json_put_text(reply, "name", name);
    return json_canonical(reply);
}

/* It leaves an event, so that who went on after a crash knows that the step speaks. */
static int settle_hello(const struct line *line, struct error *err)
{
    int64_t version = json_whole(line->json, "protocol", STEP_PROTOCOL_VERSION);
    if (version != STEP_PROTOCOL_VERSION)
        return line_refuse(err, line->plan->path, "it speaks another version; this engine speaks version 1");
    if (!line->step->speaks) line_add(line, EVENT_step_progress, json_object());
    return 0;
}

static int settle_progress(const struct line *line, struct error *err)
{
    const char *message = json_text(line->json, "message", NULL);
    const json_t *fraction = json_object_get(line->json, "fraction");
    if (!message && !fraction) return line_refuse(err, line->plan->path, "progress has a message or a fraction");
    if (fraction && (!json_is_number(fraction) || json_number_value(fraction) < 0 || json_number_value(fraction) > 1))
        return line_refuse(err, line->plan->path, "progress: the fraction is a number from 0 to 1");
    json_t *data = json_object();
    json_put_text(data, "message", message);
    if (fraction) json_put(data, "fraction", json_real(json_number_value(fraction)));
    line_add(line, EVENT_step_progress, data);
    return 0;
}

static bool declares(const struct plan_step *plan, const char *name)
{
    for (const char *const *output = plan->outputs; output && *output; output++)
        if (text_equal(*output, name)) return true;
    return false;
}

static int settle_output(const struct line *line, struct error *err)
{
    const char *name = json_text(line->json, "name", NULL);
    json_t *value = json_object_get(line->json, "value");
    if (!name || !value) return line_refuse(err, line->plan->path, "output has a name and a value");
    if (line->step->status == STEP_compensating) return line_refuse(err, line->plan->path, "a step that compensates has no outputs");
    if (!declares(line->plan, name)) {
        (void)error_set(
            err, ERROR_PROTOCOL, NOWHERE, "%s broke the step protocol: it does not declare the output %.60s", line->plan->path, name);
        return error_hint(err, "name it in `outputs:` of the step, or in the outputs of its type");
    }
    AUTO(free_text) char *text = json_canonical(value);
    if (strlen(text) > LIMIT_OUTPUT_BYTES)
        return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s: its output %s is over the limit of %d bytes", line->plan->path, name,
            (int)LIMIT_OUTPUT_BYTES);
    json_t *data = json_object();
    json_put_text(data, "name", name);
    json_put(data, "value", json_incref(value));
    line_add(line, EVENT_step_output, data);
    return 0;
}

static int settle_annotate(const struct line *line, struct error *err)
{
    const char *level = json_text(line->json, "level", "notice");
    const char *message = json_text(line->json, "message", NULL);
    if (!message) return line_refuse(err, line->plan->path, "annotate has a message");
    if (!text_equal(level, "error") && !text_equal(level, "warning") && !text_equal(level, "notice"))
        return line_refuse(err, line->plan->path, "annotate: the level is error, warning or notice");
    json_t *data = json_object();
    json_put_text(data, "level", level);
    json_put_text(data, "message", message);
    json_put_text(data, "file", json_text(line->json, "file", NULL));
    int64_t number = json_whole(line->json, "line", 0);
    if (number > 0) json_put_whole(data, "line", number);
    line_add(line, EVENT_step_annotated, data);
    return 0;
}

/* What a step may end with other than "failed": a judgement. What became of its process only the engine can tell. */
static bool may_be_reason(const char *reason)
{
    int known = reason_from_name(reason);
    return known == REASON_kpi_harm || known == REASON_kpi_inconclusive || known == REASON_no_data;
}

/* What the person reads as the step's message, when it has ended with that. */
static int settle_complaint(const struct line *line, struct error *err)
{
    const char *message = json_text(line->json, "message", NULL), *reason = json_text(line->json, "reason", NULL);
    if (!message || !*message) return line_refuse(err, line->plan->path, "fault has a message");
    if (json_object_get(line->json, "reason") && !may_be_reason(reason))
        return line_refuse(err, line->plan->path, "fault: the reason is kpi_harm, kpi_inconclusive or no_data");
    json_t *data = json_object();
    json_put_text(data, "fault", message);
    json_put_text(data, "reason", reason);
    line_add(line, EVENT_step_progress, data);
    return 0;
}

static int settle_checkpoint(const struct line *line, char **ret_reply, struct error *err)
{
    json_t *checkpoint = json_object_get(line->json, "checkpoint");
    if (!checkpoint) return line_refuse(err, line->plan->path, "checkpoint has a member checkpoint");
    json_t *data = json_object();
    json_put(data, "checkpoint", json_incref(checkpoint));
    line_add(line, EVENT_step_checkpoint, data);
    *ret_reply = line_reply("kept", NULL);
    return 0;
}

/* until: a time; for: a number of milliseconds from now, or the name of what is waited for (then beside until).
   Not answered: the process ends at once, and its exit is settled behind this line. */
static int settle_park(const struct line *line, struct error *err)
{
    const json_t *pause = json_object_get(line->json, "for");
    int64_t until_ms = json_whole(line->json, "until", 0);
    int64_t pause_ms = json_is_integer(pause) ? (int64_t)json_integer_value(pause) : 0;
    if (!until_ms && pause_ms > 0 && pause_ms < INT64_MAX - line->now_ms) until_ms = line->now_ms + pause_ms;
    int wait = json_is_string(pause) ? wait_from_name(json_string_value(pause)) : WAIT_timer;
    if (until_ms <= 0) return line_refuse(err, line->plan->path, "park says until (a time) or for (milliseconds)");
    if (wait != WAIT_timer && wait != WAIT_window && wait != WAIT_peer)
        return line_refuse(err, line->plan->path, "park waits for a timer, a window or a peer");
    json_t *data = json_object();
    json_put(data, "checkpoint", json_incref(json_object_get(line->json, "checkpoint")));
    json_put_text(data, "for", wait_name((enum wait)wait));
    json_put_whole(data, "until", until_ms);
    line_add(line, EVENT_step_checkpoint, data);
    return 0;
}

static int settle_object(const struct line *line, char **ret_reply, struct error *err)
{
    const char *type = json_text(line->json, "type", NULL);
    if (!type) return line_refuse(err, line->plan->path, "a line is an object with a member type");
    if (!strcmp(type, "hello")) return settle_hello(line, err);
    if (!strcmp(type, "progress")) return settle_progress(line, err);
    if (!strcmp(type, "output")) return settle_output(line, err);
    if (!strcmp(type, "annotate")) return settle_annotate(line, err);
    if (!strcmp(type, "fault")) return settle_complaint(line, err);
    if (!strcmp(type, "checkpoint")) return settle_checkpoint(line, ret_reply, err);
    if (!strcmp(type, "park")) return settle_park(line, err);
    if (!strcmp(type, "intend")) return settle_intend(line, ret_reply, err);
    if (!strcmp(type, "outcome")) return settle_outcome(line, ret_reply, err);
    if (!strcmp(type, "compensated")) return settle_compensated(line, ret_reply, err);
    (void)error_set(err, ERROR_PROTOCOL, NOWHERE, "%s broke the step protocol: there is no line of type %.40s", line->plan->path, type);
    return error_hint(err, "hello, progress, output, annotate, fault, checkpoint, park, intend, outcome, compensated");
}

static int parse_line(const struct plan_step *plan, const char *text, json_t **ret_json, struct error *err)
{
    size_t size = strlen(text);
    if (size > LIMIT_STEP_LINE_BYTES) return line_refuse(err, plan->path, "a line is longer than 64 KiB");
    struct error fault = {0};
    if (json_parse(text, size, "line", ret_json, &fault))
        return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s broke the step protocol: %.160s", plan->path, fault.message);
    return json_is_object(*ret_json) ? 0 : line_refuse(err, plan->path, "a line is a JSON object");
}

int settle_line(const struct run_state *state, uint32_t step, const char *text, int64_t now_ms, struct event_list *list, char **ret_reply,
    struct error *err)
{
    if (step >= state->plan->step_count) return error_set(err, ERROR_PROTOCOL, NOWHERE, "the plan has no step %u", step);
    struct line line = {.state = state, .plan = &state->plan->steps[step], .step = &state->steps[step], .now_ms = now_ms, .list = list};
    *ret_reply = NULL;
    bool undoes = line.step->status == STEP_compensating && line.step->undoing;
    bool is_heard = line.step->status == STEP_running || line.step->status == STEP_cancelling || undoes;
    if (!is_heard || run_status_at_rest(state->status)) return 0;
    AUTO(free_json) json_t *json = NULL;
    int result = parse_line(line.plan, text, &json, err);
    if (result) return result;
    line.json = json;
    return settle_object(&line, ret_reply, err);
}
