/* submitting.h: an engine whose loop is kept alive, to which runs are submitted one after another. */
#ifndef CRESCENDO_TEST_SUBMITTING_H
#define CRESCENDO_TEST_SUBMITTING_H

#include "tests/unit/run/engine_home.h"

struct fixture {
    struct engine_home home;
    uv_timer_t alive; /* as a server's sockets keep its loop alive */
    uint64_t run;
    bool answered;
};

static inline void look_again(uv_timer_t *timer)
{
    (void)timer;
}

static inline int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    *state = fixture;
    int failed = home_begin(&fixture->home);
    uv_timer_init(&fixture->home.loop, &fixture->alive);
    uv_timer_start(&fixture->alive, look_again, 1, 1);
    return failed;
}

static inline int end(void **state)
{
    struct fixture *fixture = *state;
    uv_close((uv_handle_t *)&fixture->alive, NULL);
    int failed = home_end(&fixture->home);
    free(*state);
    return failed;
}

static inline void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct fixture *fixture = context;
    assert_null(err);
    fixture->answered = true;
    fixture->run = accepted->run;
}

static inline void submit(struct fixture *fixture, const char *stages)
{
    AUTO(free_text) char *text = mem_format("sandbox: none\nstages:\n%s", stages);
    struct source source = {"crescendo.yaml", text, strlen(text)};
    fixture->answered = false;
    engine_submit(
        fixture->home.engine, &(struct submission){.trigger = "manual", .author = "ada", .files = {&source, 1}}, on_accepted, fixture);
    while (!fixture->answered)
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
}

/* Until the engine has let go of it, too. */
static inline void wait_for_end(struct fixture *fixture)
{
    while (!home_run_is_over(&fixture->home, fixture->run) || engine_run_state(fixture->home.engine, fixture->run))
        uv_run(&fixture->home.loop, UV_RUN_ONCE);
}

#endif
