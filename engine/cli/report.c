/* report.c: what is said of a run when it is over or waits. */
#include "cli/report.h"

#include "base/mem.h"
#include "cli/display.h"
#include "cli/shell_words.h"
#include "state/state.h"

#include <stdlib.h>
#include <string.h>

static void report_approval(const json_t *approval, const char *server, const struct terminal *terminal, struct text *out)
{
    struct text line = {0};
    text_add_format(&line, "%s waits for approval", json_text(approval, "step", "?"));
    const char *ask = json_text(approval, "ask", NULL);
    if (ask) text_add_format(&line, ": %s", ask);
    size_t i;
    json_t *by;
    json_array_foreach(json_object_get(approval, "by"), i, by)
    {
        if (json_is_string(by)) text_add_format(&line, "%s%s", i ? ", " : "  [one of: ", json_string_value(by));
    }
    if (json_array_size(json_object_get(approval, "by"))) text_add(&line, "]");
    text_add(out, style_open(STYLE_WAIT, terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(STYLE_WAIT, terminal->colour));
    text_release(&line);
    long long run = (long long)json_whole(approval, "run", 0);
    AUTO(free_text) char *step = shell_word(json_text(approval, "step", "?"));
    AUTO(free_text)
    char *answers = mem_format("\n  crescendo approve%s %lld %s\n  crescendo reject%s %lld %s\n", server, run, step, server, run, step);
    display_add(out, answers, DISPLAY_LINES);
}

void report_approvals(struct client *client, const json_t *run, const struct terminal *terminal, struct text *out)
{
    AUTO(free_json) json_t *answer = NULL;
    AUTO(free_text) char *server = report_server_words(client);
    if (client_get(client, &answer, NULL, "/v1/approvals")) return;
    size_t i;
    json_t *approval;
    json_array_foreach(json_object_get(answer, "approvals"), i, approval)
    {
        if (json_whole(approval, "run", -1) == json_whole(run, "run", 0)) report_approval(approval, server, terminal, out);
    }
}

/* A canary's step waits for its next tick by a timer; of a run the server says so. */
static bool is_judging(const json_t *run, const char *state)
{
    if (text_equal(state, "parked")) return text_equal(json_text(run, "type", NULL), "kpi");
    bool goes_on = text_equal(state, "waiting") || text_equal(state, "running");
    return goes_on && !json_text(run, "type", NULL) && text_equal(json_text(run, "message", NULL), "judging");
}

char *report_state(const json_t *run)
{
    const char *state = json_text(run, "state", "?"), *reason = json_text(run, "reason", NULL), *wait = json_text(run, "waiting_for", NULL);
    if (is_judging(run, state)) return mem_copy_text("judging");
    if (wait && !text_equal(wait, "none") && (text_equal(state, "waiting") || text_equal(state, "parked")))
        return mem_format("%s for %s", state, wait);
    if (reason && !text_equal(reason, "ok") && !text_equal(reason, state)) return mem_format("%s (%s)", state, reason);
    return mem_copy_text(state);
}

char *report_verb(const json_t *run)
{
    static const struct {
        const char *state, *words;
    } verbs[] = {{"succeeded", "succeeded"}, {"failed", "failed"}, {"cancelled", "was cancelled"}, {"cancelling", "is being cancelled"},
        {"rolling_back", "is being rolled back"}, {"rolled_back", "was rolled back"}, {"rollback_failed", "could not be rolled back"},
        {"needs_person", "needs a person"}};
    AUTO(free_text) char *state = report_state(run);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        size_t size = strlen(verbs[i].state);
        if (strncmp(state, verbs[i].state, size) == 0 && (!state[size] || state[size] == ' '))
            return mem_format("%s%s", verbs[i].words, state + size);
    }
    return mem_format("is %s", state);
}

const char *report_ref(const char *ref)
{
    if (!ref) return "";
    if (text_starts(ref, "refs/heads/")) return ref + strlen("refs/heads/");
    return text_starts(ref, "refs/tags/") ? ref + strlen("refs/tags/") : ref;
}

void report_end(const json_t *run, bool explained, const struct terminal *terminal, struct text *out)
{
    AUTO(free_text) char *verb = report_verb(run);
    const char *message = json_text(run, "message", NULL);
    int64_t begin_ms = json_whole(run, "accepted_ms", 0), end_ms = json_whole(run, "ended_ms", 0);
    struct text line = {0};
    text_add_format(&line, "run %lld %s", (long long)json_whole(run, "run", 0), verb);
    if (begin_ms && end_ms > begin_ms) {
        text_add(&line, " after ");
        text_add_duration(&line, end_ms - begin_ms);
    }
    if (message && *message && !explained) text_add_format(&line, ": %s", message);
    text_add(out, style_open(style_of_state(json_text(run, "state", "")), terminal->colour));
    display_add(out, text_view(&line), DISPLAY_LINE);
    text_add(out, style_close(style_of_state(json_text(run, "state", "")), terminal->colour));
    text_add_char(out, '\n');
    text_release(&line);
}

int report_exit_code(const json_t *run)
{
    const char *state = json_text(run, "state", "");
    if (text_equal(state, "succeeded")) return 0;
    if (text_equal(state, "needs_person") || text_equal(state, "rollback_failed")) return 7;
    if (text_equal(state, "waiting") && text_equal(json_text(run, "waiting_for", ""), "approval")) return 3;
    int status = run_status_from_name(state), reason = reason_from_name(json_text(run, "reason", ""));
    if (status >= 0 && !run_status_at_rest((enum run_status)status)) return 0;
    int code = reason < 0 ? 1 : reason_exit_code((enum reason)reason);
    return code ? code : 1; /* at rest and not succeeded is never 0 */
}

char *report_server_words(const struct client *client)
{
    if (client->local) return mem_copy_text(" --local");
    if (!client->typed) return mem_copy_text("");
    if (client->core) {
        AUTO(free_text) char *core = shell_word(client->server);
        return mem_format(" --core %s", core);
    }
    AUTO(free_text) char *word = shell_word(client->data ? client->data : client->server);
    return mem_format(client->data ? " --data %s" : " --server %s", word);
}
