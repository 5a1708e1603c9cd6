/* settle_effect.c: the lines `intend`, `outcome` and `compensated`: intent before effect.
   Invariants: `go` is said once for a key, after intent and `sent` are on disk; whoever asks again is told `known` (an outcome is
   on record) or `find` (ask the peer first). Only `absent` leads back to `go`, and the step's word that it looked, found nothing, and that
   its peer takes a second request with the key for the first. The same key with another digest is refused. */
#include "state/settle_line.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

enum {
    GENERATION = 1, /* raised only by a person's rerun, which is a new run */
    NAME_MAX_BYTES = 200,
};

static json_t *with_name(const char *name)
{
    json_t *data = json_object();
    json_put_text(data, "name", name);
    return data;
}

static char *reply_go(const char *name, const char *key)
{
    AUTO(free_json) json_t *reply = json_object();
    json_put_text(reply, "type", "go");
    json_put_text(reply, "name", name);
    json_put_text(reply, "key", key);
    return json_canonical(reply);
}

/* What a person says that it is at the peer is asked for by that. */
static char *reply_find(const struct effect_state *effect)
{
    AUTO(free_json) json_t *reply = json_object();
    json_put_text(reply, "type", "find");
    json_put_text(reply, "name", effect->name);
    json_put_text(reply, "key", effect->key);
    json_put_text(reply, "adopt", effect->adopt);
    effect_put_sending(effect, reply);
    return json_canonical(reply);
}

static char *reply_known(const struct effect_state *effect)
{
    AUTO(free_json) json_t *reply = json_object();
    json_put_text(reply, "type", "known");
    json_put_text(reply, "name", effect->name);
    json_put_text(reply, "seen", effect->status == EFFECT_failed ? "failed" : "done");
    json_put(reply, "outcome", effect->outcome ? json_incref(effect->outcome) : json_null());
    return json_canonical(reply);
}

static void add_intent(const struct line *line, const char *name, const char *key, const char *digest)
{
    json_t *data = with_name(name);
    json_put_text(data, "target", json_text(line->json, "target", NULL));
    json_put_text(data, "key", key);
    json_put_text(data, "digest", digest);
    json_put(data, "body", json_incref(json_object_get(line->json, "body")));
    json_put(data, "expects", json_incref(json_object_get(line->json, "expects")));
    line_add(line, EVENT_effect_intended, data);
    line_add(line, EVENT_effect_sent, with_name(name));
}

/* It stays open: what was sent before may arrive, and whoever comes next finds out. */
static char *go_again(const struct line *line, const struct effect_state *effect)
{
    json_t *data = with_name(effect->name);
    json_put_flag(data, "again", true);
    line_add(line, EVENT_effect_sent, data);
    return reply_go(effect->name, effect->key);
}

static char *answer_intent(
    const struct line *line, const struct effect_state *effect, const char *name, const char *key, const char *digest)
{
    enum effect_status status = effect ? effect->status : EFFECT_planned;
    switch (status) {
    case EFFECT_planned:
    case EFFECT_abandoned: add_intent(line, name, key, digest); return reply_go(name, key);
    case EFFECT_intended:
    case EFFECT_sent:
        if (json_flag(line->json, "again", false) && !effect->adopt) return go_again(line, effect);
        line_add(line, EVENT_effect_sent, with_name(name));
        return reply_find(effect);
    case EFFECT_acknowledged:
    case EFFECT_unknown: return reply_find(effect);
    case EFFECT_done:
    case EFFECT_failed:
    case EFFECT_compensated:
    case EFFECT_STATUS_COUNT: break;
    }
    return reply_known(effect);
}

static int check_intent(const struct line *line, const char *name, const char *target, struct error *err)
{
    if (!json_array_size(line->plan->effects)) {
        (void)line_refuse(err, line->plan->path, "its type has no effects, so it may intend none");
        return error_hint(err, "a step type names its effects in describe()");
    }
    if (!name || !*name || strlen(name) > NAME_MAX_BYTES || strchr(name, '\n'))
        return line_refuse(err, line->plan->path, "intend has a name of one line");
    if (!target || strchr(target, '\n')) return line_refuse(err, line->plan->path, "intend has a target of one line");
    json_t *expects = json_object_get(line->json, "expects");
    if (expects && !json_is_object(expects)) return line_refuse(err, line->plan->path, "intend: what it expects is an object");
    bool may_begin = line->step->status == STEP_running || (line->step->status == STEP_compensating && !line->step->ending);
    if (!may_begin) return line_refuse(err, line->plan->path, "it is being ended and may begin nothing new");
    return 0;
}

static int check_digest(const struct line *line, char ret_digest[65], struct error *err)
{
    const json_t *body = json_object_get(line->json, "body");
    const char *claimed = json_text(line->json, "digest", NULL);
    AUTO(free_json) json_t *nothing = json_null();
    json_digest(body ? body : nothing, ret_digest);
    if (!claimed || text_equal(claimed, ret_digest)) return 0;
    return line_refuse(err, line->plan->path, "intend: the digest is not that of the body's canonical JSON");
}

int settle_intend(const struct line *line, char **ret_reply, struct error *err)
{
    const char *name = json_text(line->json, "name", NULL);
    const char *target = json_text(line->json, "target", NULL);
    char digest[65], key[65];
    int result = check_intent(line, name, target, err);
    if (result) return result;
    result = check_digest(line, digest, err);
    if (result) return result;
    effect_key(line->state->run, line->plan->path, GENERATION, name, target, key);
    const struct effect_state *effect = effect_find(line->step, name);
    if (effect && !text_equal(effect->key, key))
        return error_set(err, ERROR_CONFLICT, NOWHERE,
            "%s intends %.60s for another target than before: each target needs a name of its own", line->plan->path, name);
    if (effect && !text_equal(effect->digest, digest))
        return error_set(err, ERROR_CONFLICT, NOWHERE, "%s intends %.60s again with another body: the key is bound to the first one",
            line->plan->path, name);
    *ret_reply = answer_intent(line, effect, name, key, digest);
    return 0;
}

static int outcome_event(const char *seen)
{
    if (text_equal(seen, "done")) return EVENT_effect_done;
    if (text_equal(seen, "absent")) return EVENT_effect_abandoned;
    if (text_equal(seen, "unsure")) return EVENT_effect_unknown;
    if (text_equal(seen, "failed")) return EVENT_effect_failed;
    return -1;
}

/* Said twice (a step that did not see our answer), an outcome is confirmed again and recorded once. */
static bool is_on_record(const struct effect_state *effect, int event)
{
    return (event == EVENT_effect_done && effect->status == EFFECT_done) ||
           (event == EVENT_effect_abandoned && effect->status == EFFECT_abandoned) ||
           (event == EVENT_effect_unknown && effect->status == EFFECT_unknown) ||
           (event == EVENT_effect_failed && effect->status == EFFECT_failed);
}

/* Where the step cannot tell either, the word of the person who looked counts. A step that does not know `adopt` ends with an error then,
   as the protocol asks of it, and is started once more (settle.c), to be told what is on record. */
int settle_outcome(const struct line *line, char **ret_reply, struct error *err)
{
    const char *name = json_text(line->json, "name", NULL);
    const struct effect_state *effect = name ? effect_find(line->step, name) : NULL;
    int event = outcome_event(json_text(line->json, "seen", "done"));
    if (!effect) return line_refuse(err, line->plan->path, "outcome names no effect that was intended");
    if (event < 0) return line_refuse(err, line->plan->path, "outcome: seen is done, absent, unsure or failed");
    bool is_adopted = event == EVENT_effect_unknown && effect->adopt;
    if (is_adopted) event = EVENT_effect_done;
    *ret_reply = NULL;
    if (!is_on_record(effect, event)) {
        if (effect_move(effect->status, (enum event_type)event) < 0)
            return line_refuse(err, line->plan->path, "outcome contradicts what is on record for the effect");
        json_t *data = with_name(name);
        json_put(data, "outcome",
            is_adopted ? effect_outcome_by_word(effect, effect->adopt) : json_incref(json_object_get(line->json, "outcome")));
        if (is_adopted) json_put_flag(data, "word", true);
        line_add(line, (enum event_type)event, data);
    }
    *ret_reply = line_reply("kept", name);
    return 0;
}

/* Undoing is an effect of its own, under a name that the plan does not know; while what came of it is open, nothing is undone. */
static bool is_undoing_open(const struct line *line)
{
    for (const struct effect_state *effect = line->step->effects; effect; effect = effect->next)
        if ((effect_is_open(effect) || effect_is_unknown(effect)) && !effect_planned(line->plan, effect->name)) return true;
    return false;
}

/* A compensating step has undone one of its effects. Said again after a crash, it is confirmed again. */
int settle_compensated(const struct line *line, char **ret_reply, struct error *err)
{
    const char *name = json_text(line->json, "name", NULL);
    const struct effect_state *effect = name ? effect_find(line->step, name) : NULL;
    if (line->step->status != STEP_compensating)
        return line_refuse(err, line->plan->path, "compensated is said by a step that was told to compensate");
    if (!effect) return line_refuse(err, line->plan->path, "compensated names no effect of this step");
    if (is_undoing_open(line)) return line_refuse(err, line->plan->path, "compensated is said while the outcome of an effect is open");
    bool is_due = undo_is_due(line->state, line->plan->index, effect);
    if (is_due && effect->status != EFFECT_done)
        return line_refuse(err, line->plan->path, "compensated is said before it was found out what became of the effect");
    if (is_due)
        line_add(line, EVENT_effect_compensated, with_name(name));
    else if (effect->status != EFFECT_compensated)
        return line_refuse(err, line->plan->path, "compensated names an effect that was not to be undone");
    *ret_reply = line_reply("kept", name);
    return 0;
}
