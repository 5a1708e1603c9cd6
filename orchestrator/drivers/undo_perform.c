/* undo_perform.c: find and compensate of the types that speak with a keeper: what became of a key there, and the way back. */
#include "ask_perform.h"
#include "drivers.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

int driver_find(struct step *step, const json_t *intent, enum effect_seen *ret_seen, json_t **ret_outcome, struct error *err)
{
    AUTO(free_json) json_t *fields = json_pack("{s:s}", "key", json_text(intent, "key", ""));
    AUTO(free_json) json_t *answer = NULL;
    int failed = keeper_say(step, "find", fields, &answer, NULL, err);
    if (failed) return failed;
    bool done = text_equal(json_text(answer, "seen", NULL), "done");
    *ret_seen = done ? EFFECT_SEEN_DONE : EFFECT_SEEN_ABSENT;
    if (done) *ret_outcome = keeper_outcome(answer);
    return 0;
}

struct undoing {
    const char *verb;
};

/* A service that is gone has nothing to go back to, and one whose lease was lost went back by itself. */
static int send_undo(struct step *step, const char *key, const json_t *body, void *context, json_t **ret_outcome, struct error *err)
{
    const struct undoing *undoing = context;
    AUTO(free_json) json_t *fields = json_deep_copy(body);
    AUTO(free_json) json_t *answer = NULL;
    json_put_text(fields, "key", key);
    int failed = keeper_say(step, undoing->verb, fields, &answer, NULL, err);
    bool by_itself = failed == -ERROR_NOT_FOUND || (failed == -ERROR_CONFLICT && text_equal(undoing->verb, "share"));
    if (failed && !by_itself) return failed;
    *ret_outcome = failed ? json_pack("{s:b}", "already", 1) : keeper_outcome(answer);
    return 0;
}

int driver_compensate(struct step *step, const json_t *intent, const json_t *outcome, struct error *err)
{
    const char *name = json_text(intent, "name", ""), *service = json_text(json_object_get(intent, "body"), "service", "");
    bool is_start = text_equal(name, "start");
    struct undoing undoing = {is_start ? "stop" : name};
    AUTO(free_json) json_t *fields = json_pack("{s:s}", "service", service);
    AUTO(free_json) json_t *undone = NULL;
    AUTO(free_text) char *undo = mem_format("undo %s", name);
    if (!is_start) json_put_whole(fields, name, json_whole(outcome, "previous", 0));
    int failed = step_effect(step, undo, service, fields, send_undo, &undoing, &undone, err);
    if (failed || !is_start) return failed;
    enum { GONE_MS = 60 * 1000 };
    return keeper_wait_gone(step, service, GONE_MS, err);
}
