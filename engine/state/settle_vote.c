/* settle_vote.c: a person's decision on an approval → events. */
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static int check_waits(const struct run_state *state, uint32_t step, struct error *err)
{
    bool waits = step < state->plan->step_count && state->steps[step].status == STEP_parked && state->steps[step].wait == WAIT_approval &&
                 !run_status_at_rest(state->status);
    if (waits) return 0;
    const char *path = step < state->plan->step_count ? state->plan->steps[step].path : "the run";
    return error_set(err, ERROR_CONFLICT, NOWHERE, "%s does not wait for an approval", path);
}

/* No `by` means: anybody who may use this engine. */
static bool is_asked(const json_t *by, const char *const *groups)
{
    if (!json_array_size(by)) return true;
    size_t index;
    json_t *name;
    json_array_foreach(by, index, name) for (const char *const *group = groups; group && *group;
                                             group++) if (text_equal(json_string_value(name), *group)) return true;
    return false;
}

static void add_names(struct text *text, const json_t *by)
{
    size_t index;
    json_t *name;
    json_array_foreach(by, index, name)
    {
        if (index) text_add(text, ", ");
        text_add(text, json_string_value(name) ? json_string_value(name) : "?");
    }
}

static int refuse_stranger(const char *by, const char *path, const json_t *asked, struct error *err)
{
    struct text names = {0};
    add_names(&names, asked);
    (void)error_set(err, ERROR_DENIED, NOWHERE, "%s may not decide on %s: it asks %.120s", by, path, text_view(&names));
    text_release(&names);
    return error_hint(err, "somebody of those named in `by` has to decide");
}

static int check_voter(const struct run_state *state, uint32_t step, const char *by, const char *const *groups, struct error *err)
{
    const struct plan_step *plan = &state->plan->steps[step];
    const json_t *asked = json_object_get(plan->with, "by");
    if (!is_asked(asked, groups)) return refuse_stranger(by, plan->path, asked, err);
    if (json_flag(plan->with, "not-author", false) && text_equal(by, state->author)) {
        (void)error_set(err, ERROR_DENIED, NOWHERE, "%s started this run and may not approve it", by);
        return error_hint(err, "the approval says not-author: somebody else has to decide");
    }
    for (const struct vote *vote = state->steps[step].votes; vote; vote = vote->next)
        if (text_equal(vote->by, by)) return error_set(err, ERROR_DENIED, NOWHERE, "%s has decided on %s before", by, plan->path);
    return 0;
}

static int64_t approvals(const struct step_state *step)
{
    int64_t count = 0;
    for (const struct vote *vote = step->votes; vote; vote = vote->next)
        count += vote->approve;
    return count;
}

static json_t *rejection(const char *by, const char *comment)
{
    bool has_comment = comment && *comment;
    AUTO(free_text) char *message = mem_format("rejected by %s%s%s", by, has_comment ? ": " : "", has_comment ? comment : "");
    json_t *data = json_object();
    json_put_text(data, "reason", reason_name(REASON_rejected));
    json_put_text(data, "message", message);
    return data;
}

int settle_vote(const struct run_state *state, uint32_t step, const char *by, const char *const *groups, bool approve, const char *comment,
    int64_t now_ms, struct event_list *list, struct error *err)
{
    int result = check_waits(state, step, err);
    if (result) return result;
    result = check_voter(state, step, by, groups, err);
    if (result) return result;
    json_t *data = json_object();
    json_put_text(data, "by", by);
    json_put_text(data, "decision", approve ? "approve" : "reject");
    json_put_text(data, "comment", comment);
    event_list_add(list, EVENT_step_vote, step, now_ms, data);
    if (!approve)
        event_list_add(list, EVENT_step_failed, step, now_ms, rejection(by, comment));
    else if (approvals(&state->steps[step]) + 1 >= json_whole(state->plan->steps[step].with, "quorum", 1))
        event_list_add(list, EVENT_step_succeeded, step, now_ms, NULL);
    return 0;
}
