/* explain_words.c: the links of an explanation as words. */
#include "state/explain_parts.h"
#include "state/parts.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 3, COMMIT_COLUMNS = 8 };

struct teller {
    const struct run_state *state;
    const struct link *link;
    const json_t *facts;
    struct text *out;
};

static const char *fact(const struct teller *teller, const char *name)
{
    return json_text(teller->facts, name, NULL);
}

void explain_add_names(struct text *out, const char *const *names, size_t count, const char *what)
{
    size_t shown = count > NAMES_MAX + 1 ? NAMES_MAX : count;
    for (size_t i = 0; i < shown; i++) {
        bool is_last = i + 1 == count;
        text_add_format(out, "%s%s", !i ? "" : is_last ? " and " : ", ", names[i]);
    }
    if (shown < count) text_add_format(out, " and %zu more %ss", count - shown, what);
}

void explain_add_percent(struct text *out, const json_t *share)
{
    text_add_format(out, "%.10g %%", json_number_value(share));
}

static void add_path(const struct teller *teller)
{
    text_add_format(teller->out, "%s ", teller->state->plan->steps[teller->link->step].path);
}

static void add_order(const struct teller *teller, const json_t *facts)
{
    const char *order = json_text(facts, "order", NULL);
    if (order) text_add_format(teller->out, ", order %s", order);
}

/* A list of steps: one as itself, several as their stages, each once. in_part: what is told is no whole stage, and that
   matters. Returns how many were named. */
static size_t add_steps(const struct teller *teller, bool in_part)
{
    const struct plan *plan = teller->state->plan;
    const struct link *link = teller->link;
    const char **names = mem_alloc_array(link->step_count + 1, sizeof *names);
    uint32_t *told = mem_alloc_array(plan->stage_count + 1, sizeof *told);
    size_t count = 0;
    for (size_t i = 0; i < link->step_count; i++) {
        const struct plan_step *step = &plan->steps[link->steps[i]];
        if (!told[step->stage]++) names[count++] = link->step_count == 1 ? step->path : plan->stages[step->stage].path;
    }
    uint32_t first = plan->steps[link->steps[0]].stage;
    if (in_part && link->step_count > 1 && told[first] < plan->stages[first].step_count) text_add(teller->out, "the rest of ");
    explain_add_names(teller->out, names, count, "stage");
    free(told);
    free(names);
    return count;
}

/* --- how it began --- */

static const char *branch_of(const char *ref)
{
    static const char *const prefixes[] = {"refs/heads/", "refs/tags/"};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (text_starts(ref, prefixes[i])) return ref + strlen(prefixes[i]);
    return ref;
}

static void tell_accepted(const struct teller *teller)
{
    const char *author = fact(teller, "author"), *repository = fact(teller, "repository"), *commit = fact(teller, "commit");
    const char *ref = fact(teller, "ref"), *title = fact(teller, "title"), *trigger = fact(teller, "trigger");
    bool is_push = text_equal(trigger, "push");
    text_add_format(teller->out, "%s %s ", author ? author : "somebody", is_push ? "pushed" : "started");
    if (!is_push) text_add(teller->out, text_equal(trigger, "manual") ? "it by hand" : "it");
    if (commit) text_add_format(teller->out, "%s%.*s", is_push ? "" : " at ", COMMIT_COLUMNS, commit);
    if (ref && *ref) text_add_format(teller->out, "%s%s", is_push ? " to " : commit ? " of " : " at ", branch_of(ref));
    if (repository && *repository) text_add_format(teller->out, "%s%s", is_push ? " of " : " in ", repository);
    if (title && *title) text_add_format(teller->out, ": %s", title);
}

/* --- what was done --- */

static void tell_went_well(const struct teller *teller)
{
    size_t count = teller->link->step_count;
    add_steps(teller, false);
    text_add(teller->out, " went well");
    if (count > 1) text_add_format(teller->out, ": %zu steps", count);
}

static void tell_steps(const struct teller *teller, const char *one, const char *several)
{
    size_t count = add_steps(teller, teller->link->kind == LINK_skipped);
    text_add(teller->out, count > 1 ? several : one);
}

static void tell_tried_again(const struct teller *teller)
{
    int64_t times = json_whole(teller->facts, "times", 1);
    const char *message = fact(teller, "message");
    add_path(teller);
    text_add(teller->out, times == 1 ? "failed and was tried again" : "failed and was tried again, ");
    if (times > 1) text_add_format(teller->out, "%lld times", (long long)times);
    if (message) text_add_format(teller->out, ": %s", message);
    if (teller->state->steps[teller->link->step].status == STEP_succeeded) text_add(teller->out, "; then it went well");
}

static const char *service_of(const struct teller *teller)
{
    const char *service = json_text(teller->state->steps[teller->link->step].outputs, "service", NULL);
    return fact(teller, "service") ? fact(teller, "service") : service;
}

static void add_change(const struct teller *teller, const json_t *facts, const char *service)
{
    const json_t *share = json_object_get(facts, "share"), *replicas = json_object_get(facts, "replicas");
    if (json_flag(facts, "promotion", false))
        text_add_format(teller->out, "promoted service %s to all requests", service);
    else if (share)
        explain_add_percent(teller->out, share);
    if (share && !json_flag(facts, "promotion", false)) text_add_format(teller->out, " of the requests for service %s", service);
    long long count = json_integer_value(replicas);
    if (replicas) text_add_format(teller->out, "%s%lld instance%s", share ? ", " : "", count, count == 1 ? "" : "s");
    if (replicas && !share) text_add_format(teller->out, " of service %s", service);
}

static void tell_ordered(const struct teller *teller)
{
    const char *did = fact(teller, "did"), *name = fact(teller, "name"), *version = fact(teller, "version"),
               *target = fact(teller, "target");
    const char *service = service_of(teller);
    bool is_new = text_equal(did, "add");
    add_path(teller);
    if (is_new)
        text_add_format(teller->out, "ordered %s%s%s", name ? name : "a service", version ? " " : "", version ? version : "");
    else if (text_equal(did, "delete"))
        text_add_format(teller->out, json_flag(teller->facts, "gone", false) ? "found that service %s had ended" : "ended service %s",
            service ? service : "?");
    else {
        if (!json_flag(teller->facts, "promotion", false)) text_add(teller->out, "ordered ");
        add_change(teller, teller->facts, service ? service : "?");
    }
    if (target) text_add_format(teller->out, " on %s", target);
    if (is_new && service) text_add_format(teller->out, ", service %s", service);
    add_order(teller, teller->facts);
}

static void tell_effects(const struct teller *teller)
{
    const json_t *effects = json_object_get(teller->facts, "effects");
    const char *target = json_text(json_array_get(effects, 0), "target", NULL);
    size_t count = json_array_size(effects);
    const char **names = mem_alloc_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = json_text(json_array_get(effects, i), "name", "?");
    add_path(teller);
    text_add(teller->out, "did ");
    explain_add_names(teller->out, names, count, "effect");
    if (target) text_add_format(teller->out, " on %s", target);
    free(names);
}

static void tell_did(const struct teller *teller)
{
    const json_t *outputs = teller->state->steps[teller->link->step].outputs;
    const char *name = json_text(outputs, "name", NULL),
               *target = json_text(json_array_get(json_object_get(teller->facts, "effects"), 0), "target", "?");
    bool is_publication = text_equal(teller->state->plan->steps[teller->link->step].type, "publish");
    if (!is_publication || !name) return tell_effects(teller);
    add_path(teller);
    text_add_format(teller->out, "published %s %s in the catalogue of %s", name, json_text(outputs, "version", ""), target);
}

static void add_shares(const struct teller *teller)
{
    const json_t *shares = json_object_get(teller->facts, "shares");
    size_t count = json_array_size(shares);
    for (size_t i = 0; i < count; i++) {
        text_add(teller->out, !i ? "" : i + 1 == count ? ", then " : ", ");
        explain_add_percent(teller->out, json_object_get(json_array_get(shares, i), "share"));
    }
}

static void add_orders(const struct teller *teller)
{
    const json_t *shares = json_object_get(teller->facts, "shares");
    size_t count = json_array_size(shares);
    for (size_t i = 0; i < count; i++) {
        const char *order = json_text(json_array_get(shares, i), "order", "?");
        text_add_format(teller->out, "%s%s", !i ? count > 1 ? ", orders " : ", order " : i + 1 == count ? " and " : ", ", order);
    }
}

static bool is_taken_back(const json_t *shares)
{
    return json_array_size(shares) == 1 && json_number_value(json_object_get(json_array_get(shares, 0), "share")) == 0;
}

static void tell_shares(const struct teller *teller)
{
    const char *service = fact(teller, "service"), *target = fact(teller, "target");
    add_path(teller);
    if (is_taken_back(json_object_get(teller->facts, "shares"))) {
        text_add_format(teller->out, "took all requests from service %s", service ? service : "?");
    } else {
        text_add_format(teller->out, "gave service %s ", service ? service : "?");
        add_shares(teller);
        text_add(teller->out, " of the requests");
    }
    if (target) text_add_format(teller->out, " on %s", target);
    add_orders(teller);
}

/* --- what was decided --- */

static void tell_vote(const struct teller *teller)
{
    bool is_approval = text_equal(fact(teller, "decision"), "approve");
    const char *comment = fact(teller, "comment"), *by = fact(teller, "by");
    int64_t quorum = json_whole(teller->facts, "quorum", 0), waited_ms = json_whole(teller->facts, "waited_ms", 0);
    text_add_format(teller->out, "%s: %s %s", teller->state->plan->stages[teller->state->plan->steps[teller->link->step].stage].path,
        by ? by : "?", is_approval ? "approved" : "rejected it");
    if (quorum) text_add_format(teller->out, " (%lld of %lld)", (long long)json_whole(teller->facts, "count", 0), (long long)quorum);
    text_add(teller->out, " after ");
    text_add_duration(teller->out, waited_ms);
    if (comment && *comment) text_add_format(teller->out, ": %s", comment);
}

static void tell_turn(const struct teller *teller)
{
    const struct plan *plan = teller->state->plan;
    text_add_format(teller->out, "%s had its turn after ", plan->stages[plan->steps[teller->link->step].stage].path);
    text_add_duration(teller->out, json_whole(teller->facts, "waited_ms", 0));
}

static void tell_verdict(const struct teller *teller)
{
    const json_t *verdict = json_object_get(teller->facts, "verdict");
    const char *kind = json_text(verdict, "verdict", "?"), *words = json_text(verdict, "words", NULL);
    text_add_format(teller->out, "%s: ", teller->state->plan->steps[teller->link->step].path);
    text_add_format(teller->out, "the verdict is %s", text_equal(kind, "no_data") ? "no data" : kind);
    if (json_whole(verdict, "tick", 0)) text_add_format(teller->out, " at tick %lld", (long long)json_whole(verdict, "tick", 0));
    if (json_is_number(json_object_get(verdict, "share"))) {
        text_add(teller->out, ", on ");
        explain_add_percent(teller->out, json_object_get(verdict, "share"));
    }
    if (words) text_add_format(teller->out, ": %s", words);
}

static const char *reason_words(const struct teller *teller)
{
    int reason = reason_from_name(fact(teller, "reason"));
    return reason < 0 ? "no reason is on record" : reason_help((enum reason)reason);
}

static void tell_failed(const struct teller *teller)
{
    const char *message = fact(teller, "message");
    add_path(teller);
    text_add_format(teller->out, "failed: %s", message ? message : reason_words(teller));
    if (json_flag(teller->facts, "allowed", false)) text_add(teller->out, " (allowed)");
}

static void tell_message(const struct teller *teller, const char *words)
{
    const char *message = fact(teller, "message");
    add_path(teller);
    text_add(teller->out, words);
    if (message) text_add_format(teller->out, ": %s", message);
}

static void tell_cancel(const struct teller *teller)
{
    const char *by = fact(teller, "by"), *comment = fact(teller, "comment");
    bool frees = json_flag(teller->facts, "frees_groups", false);
    if (by)
        text_add_format(teller->out, "%s %s", by, frees ? "let other runs into its groups" : "cancelled the run");
    else
        text_add(teller->out, frees ? "other runs were let into its groups" : "the run was cancelled");
    if (!frees && json_flag(teller->facts, "late", false)) text_add(teller->out, ", which went back already");
    if (comment && *comment)
        text_add_format(teller->out, ": %s", comment);
    else if (!by)
        text_add_format(teller->out, ": %s", reason_words(teller));
}

/* --- what came of it --- */

static void add_how(const struct teller *teller, const json_t *how)
{
    const char *service = json_text(how, "service", "?");
    if (text_equal(json_text(how, "did", ""), "delete"))
        text_add_format(teller->out, json_flag(how, "gone", false) ? "service %s had ended" : "service %s ended", service);
    else {
        add_change(teller, how, service);
        text_add(teller->out, " again");
    }
    if (json_text(how, "target", NULL)) text_add_format(teller->out, " on %s", json_text(how, "target", ""));
    add_order(teller, how);
}

static void tell_undone(const struct teller *teller)
{
    const json_t *how = json_object_get(teller->facts, "how"), *names = json_object_get(teller->facts, "names");
    text_add_format(teller->out, "%s was undone", teller->state->plan->steps[teller->link->step].path);
    for (size_t i = 0; i < json_array_size(how); i++) {
        text_add(teller->out, i ? "; " : ": ");
        add_how(teller, json_array_get(how, i));
    }
    bool judged = text_equal(teller->state->plan->steps[teller->link->step].type, "kpi");
    if (json_flag(teller->facts, "settled", false))
        text_add(teller->out, judged ? ": its share was back already" : ": nothing of it was left");
    if (json_array_size(how) || json_flag(teller->facts, "settled", false)) return;
    for (size_t i = 0; i < json_array_size(names); i++)
        text_add_format(teller->out, "%s%s", i ? ", " : ": ", json_string_value(json_array_get(names, i)));
}

static void tell_ended(const struct teller *teller)
{
    static const struct {
        const char *state, *words;
    } ends[] = {{"succeeded", "succeeded"}, {"failed", "failed"}, {"cancelled", "was cancelled"}, {"rolled_back", "was rolled back"},
        {"rollback_failed", "could not be rolled back"}};
    const char *state = fact(teller, "state"), *words = state, *message = fact(teller, "message");
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (text_equal(ends[i].state, state)) words = ends[i].words;
    text_add_format(teller->out, "the run %s after ", words ? words : "ended");
    text_add_duration(teller->out, json_whole(teller->facts, "took_ms", 0));
    if (message) text_add_format(teller->out, ": %s", message);
}

static void tell_resolved(const struct teller *teller)
{
    AUTO(free_text) char *words = resolution_words(teller->facts);
    text_add_format(teller->out, "%s: %s", teller->state->plan->steps[teller->link->step].path, words);
}

void explain_words(const struct run_state *state, const struct link *link, struct text *out)
{
    const struct teller teller = {state, link, link->facts, out};
    switch (link->kind) {
    case LINK_accepted: return tell_accepted(&teller);
    case LINK_went_well: return tell_went_well(&teller);
    case LINK_reused: return tell_steps(&teller, " was kept from an earlier run", " were kept from an earlier run");
    case LINK_left_out: return tell_steps(&teller, " was left out: its condition is false", " were left out: their conditions are false");
    case LINK_tried_again: return tell_tried_again(&teller);
    case LINK_ordered: return tell_ordered(&teller);
    case LINK_did: return tell_did(&teller);
    case LINK_shares: return tell_shares(&teller);
    case LINK_turn: return tell_turn(&teller);
    case LINK_vote: return tell_vote(&teller);
    case LINK_warned: return tell_message(&teller, "warned");
    case LINK_verdict: return tell_verdict(&teller);
    case LINK_failed: return tell_failed(&teller);
    case LINK_also_failed: return tell_steps(&teller, " failed, too", " failed, too");
    case LINK_skipped: return tell_steps(&teller, " was not begun, because of that", " were not begun, because of that");
    case LINK_stopped: return tell_steps(&teller, " was ended", " were ended");
    case LINK_unknown: return tell_message(&teller, "had an effect that nobody can confirm");
    case LINK_resolved: return tell_resolved(&teller);
    case LINK_cancel: return tell_cancel(&teller);
    case LINK_goes_back: return text_add(out, "so the run goes back: what it did is undone, newest first");
    case LINK_undone: return tell_undone(&teller);
    case LINK_not_undone: return tell_message(&teller, "could not be undone");
    case LINK_ended: return tell_ended(&teller);
    case LINK_KIND_COUNT: return;
    }
}
