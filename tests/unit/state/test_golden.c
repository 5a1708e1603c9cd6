/* test_golden.c: tests/golden/state/NAME/scenario → events: what is folded, and what a watcher is told of it ("| ").
   A scenario is a plan (tests/support/make_plan.h), a line `---`, then what happens, a line each; see tests/golden/state/README.md.
   UPDATE=1 in the environment writes the files anew. */
#include "tests/unit/state/fixture.h"

#include "base/file.h"
#include "state/explain.h"

#include <dirent.h>

static const char folder[] = "tests/golden/state";

struct play {
    struct fixture fixture;
    struct explanation *explanation;
    struct text out;
    const char *name;
};

static void flush(struct play *play, struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        struct event_list one = {.items = &events->items[i], .count = 1};
        struct error err = {0};
        if (reduce(play->fixture.state, &one.items[0], &err)) fail_msg("%s: refused: %s", play->name, err.message);
        fixture_note(&play->fixture, &one.items[0]);
        explanation_add(play->explanation, play->fixture.state, &one.items[0]);
        text_add(&play->out, text_view(&play->fixture.log));
        text_release(&play->fixture.log);
        AUTO(free_text) char *told = narrate(play->fixture.state, &one.items[0], false);
        if (told) text_add_format(&play->out, "    | %s\n", told);
    }
    event_list_release(events);
}

static void decide_all(struct play *play)
{
    for (;;) {
        struct event_list events = {0};
        const struct run_state *state = play->fixture.state;
        uint32_t slots = play->fixture.slots, live = state->live_stage_count;
        decide(play->fixture.state, &(struct decide_input){play->fixture.now_ms, live < slots ? slots - live : 0}, &events);
        if (!events.count) return;
        flush(play, &events);
    }
}

static void report(struct play *play, const char *path, struct report report)
{
    struct event_list events = {0};
    report.step = fixture_index(&play->fixture, path);
    report.attempt = fixture_step(&play->fixture, path)->attempt;
    report.time_ms = play->fixture.now_ms;
    settle(play->fixture.state, &report, &events);
    flush(play, &events);
}

static void say(struct play *play, const char *path, const char *line)
{
    struct event_list events = {0};
    struct error err = {0};
    AUTO(free_text) char *reply = NULL;
    if (settle_line(play->fixture.state, fixture_index(&play->fixture, path), line, play->fixture.now_ms, &events, &reply, &err))
        text_add_format(&play->out, "    ! %s\n", err.message);
    flush(play, &events);
    if (reply) text_add_format(&play->out, "    < %s\n", reply);
}

static void vote(struct play *play, const char *path, const char *by, bool approve)
{
    const char *const groups[] = {by, NULL};
    struct event_list events = {0};
    struct error err = {0};
    uint32_t step = fixture_index(&play->fixture, path);
    if (settle_vote(play->fixture.state, step, by, groups, approve, NULL, play->fixture.now_ms, &events, &err))
        text_add_format(&play->out, "    ! %s\n", err.message);
    flush(play, &events);
}

/* done=ID, not_done or undone */
static void resolve(struct play *play, const char *path, const char *as)
{
    struct event_list events = {0};
    struct error err = {0};
    bool is_done = text_starts(as, "done=");
    const struct resolution resolution = {.as = is_done ? RESOLVED_done : (enum resolved)resolved_from_name(as),
        .by = "bob",
        .id = is_done ? as + strlen("done=") : NULL,
        .comment = "looked there"};
    uint32_t step = fixture_index(&play->fixture, path);
    if (settle_resolve(play->fixture.state, step, &resolution, play->fixture.now_ms, &events, &err))
        text_add_format(&play->out, "    ! %s\n", err.message);
    flush(play, &events);
}

static void explain_times(struct play *play, const json_t *item)
{
    int64_t since_ms = json_whole(item, "since_ms", 0), until_ms = json_whole(item, "until_ms", 0);
    if (since_ms) text_add_format(&play->out, ", since %lld", (long long)since_ms);
    if (until_ms) text_add_format(&play->out, ", until %lld", (long long)until_ms);
    text_add_char(&play->out, '\n');
}

/* The chain, a line each ("= "), and what is waited for ("~ ") with what to do. */
static void explain(struct play *play, const char *path)
{
    AUTO(free_json)
    json_t *told = explanation_tell(play->explanation, play->fixture.state, path && *path ? path : NULL, play->fixture.now_ms);
    size_t index, place;
    json_t *item, *command;
    if (!told) fail_msg("%s: no step %s", play->name, path);
    json_array_foreach(json_object_get(told, "chain"), index, item)
    {
        text_add_format(&play->out, "    = %lld %s\n", (long long)json_whole(item, "at_ms", 0), json_text(item, "words", "?"));
    }
    json_array_foreach(json_object_get(told, "now"), index, item)
    {
        text_add_format(&play->out, "    ~ %s", json_text(item, "words", "?"));
        explain_times(play, item);
        json_array_foreach(json_object_get(item, "commands"), place, command)
        {
            AUTO(free_text) char *words = json_canonical(command);
            text_add_format(&play->out, "    ~   crescendo %s\n", words);
        }
    }
}

static enum exit_cause cause_of(const char *word)
{
    static const char *const causes[] = {"exit", "signal", "timeout", "cancelled", "memory", "disk", "processes"};
    for (size_t i = 0; i < COUNT_OF(causes); i++)
        if (text_equal(causes[i], word)) return (enum exit_cause)i;
    fail_msg("no cause %s", word);
    return CAUSE_EXIT;
}

static void act(struct play *play, const char *verb, const char *path, char *rest)
{
    int64_t number = 0;
    if (rest) (void)text_to_integer(rest, &number);
    if (!strcmp(verb, "at"))
        (void)text_to_integer(path, &play->fixture.now_ms);
    else if (!strcmp(verb, "started"))
        report(play, path, (struct report){.type = REPORT_STARTED});
    else if (!strcmp(verb, "exited"))
        report(play, path, (struct report){.type = REPORT_EXITED, .exit_code = (int)number});
    else if (!strcmp(verb, "ended"))
        report(play, path, (struct report){.type = REPORT_EXITED, .cause = cause_of(rest), .signal = text_equal(rest, "signal") ? 9 : 0});
    else if (!strcmp(verb, "dropped"))
        report(play, path, (struct report){.type = REPORT_DROPPED});
    else if (!strcmp(verb, "lost"))
        report(play, path, (struct report){.type = REPORT_LOST, .started = true});
    else if (!strcmp(verb, "refused"))
        report(play, path, (struct report){.type = REPORT_REFUSED, .message = rest});
    else if (!strcmp(verb, "resolve"))
        resolve(play, path, rest);
    else if (!strcmp(verb, "line"))
        say(play, path, rest);
    else if (!strcmp(verb, "approve") || !strcmp(verb, "reject"))
        vote(play, path, rest, !strcmp(verb, "approve"));
    else if (!strcmp(verb, "explain"))
        explain(play, path);
    else if (!strcmp(verb, "cancel")) {
        struct event_list events = {0};
        event_list_add(&events, EVENT_cancel_requested, NO_STEP, play->fixture.now_ms, json_pack("{s:s}", "by", path));
        flush(play, &events);
    } else
        fail_msg("%s: cannot read '%s'", play->name, verb);
}

static void play_line(struct play *play, char *line)
{
    if (!*line || *line == '#') return;
    text_add_format(&play->out, "%lld > %s\n", (long long)play->fixture.now_ms, line);
    char *rest = line, *verb = strsep(&rest, " "), *path = strsep(&rest, " ");
    act(play, verb, path ? path : "", rest);
    decide_all(play);
}

static void play_scenario(struct play *play, char *scenario)
{
    char *happens = strstr(scenario, "---\n");
    if (!happens) fail_msg("%s: no line ---", play->name);
    *happens = '\0';
    play->fixture = (struct fixture){.plan = make_plan(scenario), .now_ms = 1000, .slots = 2};
    play->fixture.state = run_state_new(play->fixture.plan);
    play->explanation = explanation_new();
    struct event_list events = {0};
    json_t *accepted = json_pack("{s:i, s:s, s:s}", "number", 7, "author", "ann", "title", "a push");
    event_list_add(&events, EVENT_run_accepted, NO_STEP, 1000, accepted);
    flush(play, &events);
    decide_all(play);
    char *rest = happens + 4;
    for (char *line; (line = strsep(&rest, "\n"));)
        play_line(play, line);
    explanation_free(&play->explanation);
    fixture_free(&play->fixture);
}

static void compare(const char *name, const char *path, const struct text *out)
{
    struct error err = {0};
    AUTO(free_text) char *expected = NULL;
    size_t size = 0;
    if (getenv("UPDATE")) {
        if (file_replace(path, out->bytes, out->size, 0644, &err)) fail_msg("%s", err.message);
        return;
    }
    if (file_read(path, 1 << 20, &expected, &size, &err)) fail_msg("%s (UPDATE=1 writes it)", err.message);
    if (strcmp(expected, text_view(out))) fail_msg("%s: these events are not those of %s:\n%s", name, path, text_view(out));
}

static void check_one(const char *name)
{
    struct play play = {.name = name};
    struct error err = {0};
    AUTO(free_text) char *in = mem_format("%s/%s/scenario", folder, name);
    AUTO(free_text) char *out = mem_format("%s/%s/events", folder, name);
    AUTO(free_text) char *scenario = NULL;
    size_t size = 0;
    if (file_read(in, 1 << 20, &scenario, &size, &err)) fail_msg("%s", err.message);
    play_scenario(&play, scenario);
    compare(name, out, &play.out);
    text_release(&play.out);
}

static void all_scenarios(void **unused)
{
    (void)unused;
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort), played = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && !text_ends(names[i]->d_name, ".md")) {
            check_one(names[i]->d_name);
            played++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(played >= 8);
}

static void colour_is_asked_for(void **unused)
{
    (void)unused;
    struct fixture fixture = fixture_new("stage s\nstep a\n");
    fixture_exited(&fixture, "s/a", 0);
    fixture.now_ms = 2200;
    struct event event = {.type = EVENT_run_succeeded, .step = NO_STEP, .time_ms = 2200};
    AUTO(free_text) char *plain = narrate(fixture.state, &event, false);
    AUTO(free_text) char *colour = narrate(fixture.state, &event, true);
    assert_string_equal(plain, "✓ run 7 succeeded after 1.2 s");
    assert_string_equal(colour, "\033[32m✓\033[0m run 7 succeeded after 1.2 s");
    assert_null(narrate(fixture.state, &(struct event){.type = EVENT_step_running, .step = 0}, false));
    assert_null(narrate(fixture.state, &(struct event){.type = EVENT_step_failed, .step = 99}, false));
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_scenarios), cmocka_unit_test(colour_is_asked_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
