/* modify_perform.c: more or fewer instances, then the share: requests go to instances that are there, so it is waited for them first (they
   may have died just now, or their keeper); away from a service they may go whatever it is like. */
#include "ask_perform.h"
#include "drivers.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

static int scale(struct step *step, const char *service, char **ret_words, struct error *err)
{
    const json_t *with = step_with(step);
    AUTO(free_json) json_t *fields = json_pack("{s:s, s:I}", "service", service, "replicas", json_whole(with, "replicas", 0));
    AUTO(free_json) json_t *outcome = NULL;
    int64_t ready = 0;
    int failed = keeper_effect(step, "replicas", service, fields, &outcome, err);
    if (!failed) failed = keeper_wait_ready(step, service, json_whole(with, "start_ms", 0), &ready, ret_words, err);
    return failed;
}

static int shift(struct step *step, const char *service, struct error *err)
{
    const json_t *with = step_with(step);
    AUTO(free_json) json_t *fields = json_pack("{s:s, s:I}", "service", service, "share", json_whole(with, "share", 0));
    AUTO(free_json) json_t *outcome = NULL;
    if (json_object_get(with, "lease_ms")) json_put_whole(fields, "lease_ms", json_whole(with, "lease_ms", 0));
    return keeper_effect(step, "share", service, fields, &outcome, err);
}

static int modify(struct step *step, char **ret_words, struct error *err)
{
    const json_t *with = step_with(step);
    const char *service = json_text(with, "service", "");
    int64_t start_ms = json_whole(with, "start_ms", 0), ready = 0;
    bool away = json_object_get(with, "share") && json_whole(with, "share", 0) == 0;
    int failed = json_object_get(with, "replicas") ? scale(step, service, ret_words, err) : 0;
    if (!failed && !away) failed = keeper_wait_ready(step, service, start_ms, &ready, ret_words, err);
    if (!failed && json_object_get(with, "share")) failed = shift(step, service, err);
    if (!failed) failed = away ? keeper_count_ready(step, service, &ready, err) : 0;
    if (!failed) step_output(step, "ready", json_integer(ready));
    return failed;
}

int modify_perform(struct step *step, struct error *err)
{
    AUTO(free_text) char *words = NULL;
    int failed = modify(step, &words, err);
    return driver_end(step, failed, words, err);
}
