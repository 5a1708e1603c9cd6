/* engine_home.h: a real engine in a folder of its own, with a real shim and one step type, for tests that ask it. */
#ifndef CRESCENDO_TESTS_RUN_ENGINE_HOME_H
#define CRESCENDO_TESTS_RUN_ENGINE_HOME_H

#include "run/engine.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct field run_fields[] = {
    {.name = "script", .type = FIELD_TEXT, .flags = FIELD_SHORT | FIELD_SCRIPT | FIELD_REQUIRED}, FIELD_END};
static const struct step_type run_type = {.name = "run", .summary = "a script", .fields = run_fields};
static const struct step_type *const types[] = {&run_type, NULL};

struct engine_home {
    uv_loop_t loop;
    char folder[64];
    char *shim;
    struct engine *engine;
    void (*project)(void *context, const struct run_view *view, struct document_list *list); /* set before home_begin; NULL = none */
    void *project_context;
    bool spare_shim;  /* set before home_open */
    int64_t keep_ms;  /* set before home_open; 0 = for ever */
    const char *step; /* the program of types that talk, and the types; set before home_begin; NULL = none, and `run` alone */
    const struct step_type *const *types;
};

static void home_open(struct engine_home *home)
{
    struct error err = {0};
    struct engine_options options = {.data = home->folder,
        .shim = home->shim,
        .step = home->step ? home->step : "/bin/false",
        .slots = 2,
        .spare_shim = home->spare_shim,
        .allow_no_sandbox = true,
        .types = home->types ? home->types : types,
        .keep_ms = home->keep_ms,
        .project = home->project,
        .project_context = home->project_context};
    if (engine_open(&home->loop, &options, &home->engine, &err) < 0) fail_msg("%s", err.message);
}

static void home_close(struct engine_home *home)
{
    engine_close(&home->engine);
    uv_run(&home->loop, UV_RUN_DEFAULT);
}

static int home_begin(struct engine_home *home)
{
    const char *shim = getenv("CRESCENDO_SHIM");
    home->shim = realpath(shim ? shim : "build/crescendo-shim", NULL);
    snprintf(home->folder, sizeof home->folder, "/tmp/crescendo-test-XXXXXX");
    if (!mkdtemp(home->folder) || uv_loop_init(&home->loop)) return -1;
    if (!home->shim) fail_msg("no crescendo-shim: build it, or set CRESCENDO_SHIM");
    home_open(home);
    return 0;
}

static int home_end(struct engine_home *home)
{
    struct error err;
    if (home->engine) home_close(home);
    int left = uv_loop_close(&home->loop);
    int kept = file_remove_tree(home->folder, &err);
    free(home->shim);
    return left || kept ? -1 : 0;
}

/* Is the run at rest, by what is on disk? */
__attribute__((unused)) static bool home_run_is_over(const struct engine_home *home, uint64_t run)
{
    AUTO(free_json) json_t *row = NULL;
    struct error err;
    if (journal_get_run(engine_journal(home->engine), run, &row, &err) < 0) return false;
    return run_status_at_rest((enum run_status)run_status_from_name(json_text(row, "state", "")));
}

#endif
