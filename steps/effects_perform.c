/* effects_perform.c: effects on the world, by intent before effect: what is to be done is on record before it is sent, and what became of
   it before the step goes on. A type without describe has no effects.
   A step that is being ended gets SIGTERM. It waits until the outcome is on record, as far as the grace allows: a person who cancels
   should not have to find out what became of an effect that was half a second from its end. */
#include "protocol_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <signal.h>
#include <time.h>

enum {
    PAUSE_FIRST_MS = 100,
    PAUSE_LAST_MS = 1600,
    SENDS_MAX = 6,  /* of one effect, over all processes of the step: so often the engine says go */
    ROUNDS_MAX = 5, /* of intending: no more than that are needed, where the engine tells how often it said go */
};

typedef int send_function(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err);

struct effect {
    const char *name, *target;
    const json_t *body;
    send_function *send;
    void *context;
    const char *adopt; /* a person says that it was done, as this one at the peer; NULL = nobody says so */
    struct sending sending;
    int64_t sends; /* so often the engine told it to go */
    bool repeats;  /* the peer has nothing, and takes a second one for the first: it is intended again while it is open */
    bool is_last;  /* where this send fails, there will be no other */
    bool may_pass; /* the last send failed for a reason that may pass, and the peer knows that nothing was done */
};

static json_t *expect(const struct step *step, const json_t *body)
{
    return step->type->expect ? step->type->expect(step, body) : NULL;
}

/* What a person's word makes of it. */
static json_t *outcome_by_word(const struct step *step, const struct effect *effect)
{
    json_t *expected = expect(step, effect->body), *outcome = expected ? expected : json_object();
    json_put_text(outcome, "order", effect->adopt);
    return outcome;
}

static json_t *intent_new(const struct step *step, const struct effect *effect, const char *type, const char *key)
{
    char digest[65];
    json_t *intent = type ? step_message(type) : json_object();
    json_digest(effect->body, digest);
    json_put_text(intent, "name", effect->name);
    json_put_text(intent, "target", effect->target);
    json_put_text(intent, "key", key);
    json_put_text(intent, "digest", digest);
    json_put(intent, "body", json_deep_copy(effect->body));
    json_put(intent, "expects", expect(step, effect->body));
    if (effect->repeats) json_put_flag(intent, "again", true);
    return intent;
}

static const char *seen_name(enum effect_seen seen)
{
    switch (seen) {
    case EFFECT_SEEN_DONE: return "done";
    case EFFECT_SEEN_ABSENT: return "absent";
    case EFFECT_SEEN_UNSURE:
    case EFFECT_SEEN_NOTHING: break;
    }
    return "unsure";
}

/* outcome is borrowed; may be NULL. */
static int record(struct step *step, const struct effect *effect, const char *seen, json_t *outcome, struct error *err)
{
    json_t *message = step_message("outcome");
    json_put_text(message, "name", effect->name);
    json_put_text(message, "seen", seen);
    json_put(message, "outcome", outcome ? json_incref(outcome) : json_null());
    return step_ask_kept(step, message, effect->name, err);
}

static int find(
    struct step *step, const struct effect *effect, const char *key, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *intent = intent_new(step, effect, NULL, key);
    json_put_text(intent, "adopt", effect->adopt);
    json_decref(*ret_outcome);
    *ret_outcome = NULL;
    *ret_seen = EFFECT_SEEN_UNSURE;
    return step->type->find ? step->type->find(step, intent, ret_seen, ret_outcome, err) : 0;
}

/* Nothing is there: it is absent once what was sent cannot arrive any more. Whoever sends the same order again need not wait for that. */
static int find_late(struct step *step, const struct effect *effect, const char *key, bool will_send, enum effect_seen *ret_seen,
    json_t **ret_outcome, struct error *err)
{
    int failed = find(step, effect, key, ret_seen, ret_outcome, err);
    while (!failed && *ret_seen == EFFECT_SEEN_NOTHING) {
        if (will_send && late_may_repeat(step)) return 0;
        int64_t left_ms = late_left_ms(step, &effect->sending);
        if (left_ms <= 0) {
            *ret_seen = EFFECT_SEEN_ABSENT;
            return 0;
        }
        failed = late_wait(step, &effect->sending, effect->name, left_ms, err);
        if (!failed) failed = find(step, effect, key, ret_seen, ret_outcome, err);
    }
    return failed;
}

/* Asks the peer by key and records what was seen. will_send: it will be sent again where it is not there; NOTHING is not recorded then. */
static int look_up(struct step *step, const struct effect *effect, const char *key, bool will_send, enum effect_seen *ret_seen,
    json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *outcome = NULL;
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    int failed = find_late(step, effect, key, will_send, &seen, &outcome, err);
    if (failed) return failed;
    if (seen == EFFECT_SEEN_UNSURE && effect->adopt) { /* the word of the person who looked counts */
        seen = EFFECT_SEEN_DONE;
        json_decref(outcome);
        outcome = outcome_by_word(step, effect);
    }
    if (seen != EFFECT_SEEN_NOTHING) failed = record(step, effect, seen_name(seen), outcome, err);
    if (failed) return failed;
    *ret_seen = seen;
    *ret_outcome = outcome ? take(&outcome) : json_null();
    return 0;
}

int step_find_out(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    const struct effect effect = {.name = json_text(intent, "name", ""),
        .target = json_text(intent, "target", ""),
        .body = json_object_get(intent, "body"),
        .adopt = json_text(intent, "adopt", NULL),
        .sending = {.told_ms = json_whole(intent, "sent", 0)}};
    return look_up(step, &effect, json_text(intent, "key", ""), false, ret_seen, ret_outcome, err);
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
    case ERROR_STALE:
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
   done, absent and nothing leave the failure, which may pass, and unsure needs a person. */
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
        bool will_send = failure->retryable && !effect->is_last;
        int failed = look_up(step, effect, key, will_send, &seen, &outcome, err);
        if (failed) return failed;
        if (seen == EFFECT_SEEN_UNSURE) return nobody_can_tell(effect, err);
        effect->repeats = seen == EFFECT_SEEN_NOTHING;
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
    effect->sends++;
    effect->repeats = false;
    effect->sending.told_ms = clock_now_ms();
    int unsent = effect->send(step, key, effect->body, effect->context, &outcome, &failure);
    effect->sending.left_us = clock_monotonic_us();
    if (unsent) return settle_failure(step, effect, key, &failure, ret_outcome, err);
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

static int was_lost(const struct effect *effect, struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, NOWHERE, "%s was let go to %s %lld times, and it never arrived", effect->name, effect->target,
        (long long)effect->sends);
    return error_hint(err, "look at what lies between; run it again when that is mended");
}

/* An earlier process had its `go`. *ret_again: it is not there, and is to be sent. */
static int find_first(struct step *step, struct effect *effect, const json_t *answer, const char *key, bool *ret_again,
    json_t **ret_outcome, struct error *err)
{
    enum effect_seen seen = EFFECT_SEEN_UNSURE;
    AUTO(free_json) json_t *outcome = NULL;
    if (!effect->sending.left_us) effect->sending.told_ms = json_whole(answer, "sent", 0);
    effect->sends = json_whole(answer, "sends", effect->sends);
    effect->adopt = json_text(answer, "adopt", NULL);
    int failed = look_up(step, effect, key, effect->sends < SENDS_MAX, &seen, &outcome, err);
    effect->adopt = NULL;
    if (failed) return failed;
    if (seen == EFFECT_SEEN_UNSURE) return nobody_can_tell(effect, err);
    effect->repeats = seen == EFFECT_SEEN_NOTHING;
    *ret_again = seen != EFFECT_SEEN_DONE;
    if (seen == EFFECT_SEEN_DONE) *ret_outcome = take(&outcome);
    return *ret_again && effect->sends >= SENDS_MAX ? was_lost(effect, err) : 0;
}

/* One round of intend. *ret_again: it was found absent, or not there, and may be intended anew. */
static int intend(struct step *step, struct effect *effect, bool *ret_again, json_t **ret_outcome, struct error *err)
{
    static const char *const answers[] = {"go", "known", "find", NULL};
    AUTO(free_json) json_t *answer = NULL;
    *ret_again = false;
    int failed = step_ask(step, intent_new(step, effect, "intend", NULL), answers, effect->name, &answer, err);
    if (failed) return failed;
    const char *type = json_text(answer, "type", ""), *key = json_text(answer, "key", NULL);
    if (text_equal(type, "known")) return take_known(effect, answer, ret_outcome, err);
    if (!key) return step_broken(err, "the engine gave no key for an effect");
    if (text_equal(type, "go")) return send_effect(step, effect, key, ret_outcome, err);
    return find_first(step, effect, answer, key, ret_again, ret_outcome, err);
}

/* Found absent, or not there, after a crash, it is intended once more, as often as the server is killed before it says go: only how often
   it was let go is bounded (find_first). Not by a step that is being ended, which may begin nothing. */
static int intend_anew(struct step *step, struct effect *effect, json_t **ret_outcome, struct error *err)
{
    bool again = true;
    int failed = 0;
    effect->may_pass = false;
    for (int round = 0; !failed && again; round++) {
        if (round && late_is_ended()) return error_set(err, ERROR_STATE, NOWHERE, "it is ended before %s is sent again", effect->name);
        failed = intend(step, effect, &again, ret_outcome, err);
        if (!failed && again && round == ROUNDS_MAX)
            return step_broken(err, "the engine asks to find what is not there, and does not count");
    }
    return failed;
}

static void hold_end(sigset_t *ret_before)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, ret_before);
}

static int intend_unbroken(struct step *step, struct effect *effect, json_t **ret_outcome, struct error *err)
{
    sigset_t before;
    hold_end(&before);
    int failed = intend_anew(step, effect, ret_outcome, err);
    sigprocmask(SIG_SETMASK, &before, NULL); /* what came meanwhile ends it here */
    return failed;
}

int step_effect(struct step *step, const char *name, const char *target, const json_t *body, send_function *send, void *context,
    json_t **ret_outcome, struct error *err)
{
    struct effect effect = {.name = name, .target = target, .body = body, .send = send, .context = context};
    if (!step->type->describe)
        return error_set(err, ERROR_UNSUPPORTED, NOWHERE, "step type %s has no describe, so it may have no effects", step->type->name);
    int failed = intend_unbroken(step, &effect, ret_outcome, err);
    for (int pause_ms = PAUSE_FIRST_MS; failed && effect.may_pass && pause_ms <= PAUSE_LAST_MS; pause_ms *= 2) {
        effect.is_last = pause_ms == PAUSE_LAST_MS || effect.sends + 1 >= SENDS_MAX;
        nanosleep(&(struct timespec){.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000L}, NULL);
        failed = intend_unbroken(step, &effect, ret_outcome, err);
    }
    return failed;
}
