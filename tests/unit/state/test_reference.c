/* test_reference.c: docs/reference/states.md and events.md say what the .def files say. UPDATE=1 in the environment writes them anew. */
#include "tests/unit/state/fixture.h"

#include "base/file.h"

struct row {
    const char *a, *b, *c, *d;
};

static const struct row run_states[] = {
#define RUN_STATE(name, rest, help) {#name, #rest, help, NULL},
#include "crescendo/states.def"
#undef RUN_STATE
};
static const struct row step_states[] = {
#define STEP_STATE(name, rest, help) {#name, #rest, help, NULL},
#include "crescendo/states.def"
#undef STEP_STATE
};
static const struct row effect_states[] = {
#define EFFECT_STATE(name, rest, help) {#name, #rest, help, NULL},
#include "crescendo/states.def"
#undef EFFECT_STATE
};
static const struct row run_moves[] = {
#define RUN_MOVE(from, event, to) {#from, #event, #to, NULL},
#include "crescendo/states.def"
#undef RUN_MOVE
};
static const struct row step_moves[] = {
#define STEP_MOVE(from, event, to) {#from, #event, #to, NULL},
#include "crescendo/states.def"
#undef STEP_MOVE
};
static const struct row effect_moves[] = {
#define EFFECT_MOVE(from, event, to) {#from, #event, #to, NULL},
#include "crescendo/states.def"
#undef EFFECT_MOVE
};
static const struct row reasons[] = {
#define REASON(name, exit, help) {#name, #exit, help, NULL},
#include "crescendo/reasons.def"
#undef REASON
};
static const struct row waits[] = {
#define WAIT(name, help) {#name, help, NULL, NULL},
#include "crescendo/waits.def"
#undef WAIT
};
static const struct row events[] = {
#define EVENT(name, subject, class, payload) {#name, #subject, #class, payload},
#include "crescendo/events.def"
#undef EVENT
};

static void add_states(struct text *out, const char *title, const struct row *rows, size_t count)
{
    text_add_format(out, "\n## %s\n\n| state | at rest | meaning |\n|---|---|---|\n", title);
    for (size_t i = 0; i < count; i++)
        text_add_format(out, "| `%s` | %s | %s |\n", rows[i].a, strcmp(rows[i].b, "true") ? "" : "yes", rows[i].c);
}

static void add_moves(struct text *out, const struct row *rows, size_t count)
{
    text_add(out, "\n| from | event | to |\n|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        text_add_format(out, "| `%s` | `%s` | `%s` |\n", rows[i].a, rows[i].b, rows[i].c);
}

static void compare(const char *path, struct text *out)
{
    struct error err = {0};
    AUTO(free_text) char *present = NULL;
    size_t size = 0;
    if (getenv("UPDATE") && file_replace(path, out->bytes, out->size, 0644, &err)) fail_msg("%s", err.message);
    if (file_read(path, 1 << 20, &present, &size, &err)) fail_msg("%s (UPDATE=1 writes it)", err.message);
    if (strcmp(present, text_view(out))) fail_msg("%s is not what the .def files say: run this test with UPDATE=1", path);
    text_release(out);
}

static void states_page(void **unused)
{
    (void)unused;
    struct text out = {0};
    text_add(&out, "# States\n\nWritten by tests/unit/state/test_reference from include/crescendo/states.def, reasons.def and waits.def; "
                   "not by hand.\n"
                   "A move that is not listed is refused. Events are explained in [events](events.md).\n");
    add_states(&out, "Runs", run_states, COUNT_OF(run_states));
    add_moves(&out, run_moves, COUNT_OF(run_moves));
    add_states(&out, "Steps", step_states, COUNT_OF(step_states));
    text_add(&out, "\nA stage has no state of its own: it is told from its steps'.\n");
    add_moves(&out, step_moves, COUNT_OF(step_moves));
    add_states(&out, "Effects", effect_states, COUNT_OF(effect_states));
    add_moves(&out, effect_moves, COUNT_OF(effect_moves));
    text_add(&out, "\n## Reasons\n\nWhy a run or a step ended, and what the command line exits with.\n\n| reason | exit code | meaning "
                   "|\n|---|---|---|\n");
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        text_add_format(&out, "| `%s` | %s | %s |\n", reasons[i].a, reasons[i].b, reasons[i].c);
    text_add(&out, "\n## Waits\n\nWhat a waiting run or a parked step waits for.\n\n| wait | meaning |\n|---|---|\n");
    for (size_t i = 0; i < COUNT_OF(waits); i++)
        text_add_format(&out, "| `%s` | %s |\n", waits[i].a, waits[i].b);
    compare("docs/reference/states.md", &out);
}

static const char *subject_word(const char *subject)
{
    return !strcmp(subject, "RUN") ? "run" : !strcmp(subject, "STEP") ? "step" : "effect";
}

static void events_page(void **unused)
{
    (void)unused;
    struct text out = {0};
    text_add(&out,
        "# Events\n\nWritten by tests/unit/state/test_reference from include/crescendo/events.def; not by hand.\n\n"
        "Everything that a run does is one of these, in its journal and in `GET /v1/runs/{run}/events`. A durable event is on disk before\n"
        "anybody acts on it or is answered; the others may be lost in a crash and are then found again or done again. All are version "
        "1.\n\n"
        "| event | of | durable | data |\n|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        bool has_data = strcmp(events[i].d, "-") != 0;
        text_add_format(&out, "| `%s` | %s | %s | %s |\n", events[i].a, subject_word(events[i].b),
            strcmp(events[i].c, "DURABLE") ? "" : "yes", has_data ? events[i].d : "");
    }
    compare("docs/reference/events.md", &out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(states_page), cmocka_unit_test(events_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
