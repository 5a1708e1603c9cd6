/* test_keeper_epoch.c: a keeper obeys the core of the highest epoch that it ever heard of. */
#include "domain.h"

static void a_lower_epoch_is_refused(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    assert_answer(domain, "ok version=1", "hello version=1 epoch=7");
    assert_answer(domain, "error code=stale", "hello version=1 epoch=6");
    assert_answer(domain, "(epoch 7; yours is 6)", "stop key=k service=1.1 epoch=6"); /* what it obeys is said */
    assert_answer(domain, "error code=stale", "lease service=1.1 lease_ms=1000 epoch=0");
    assert_answer(domain, "error code=not_found", "lease service=1.1 lease_ms=1000 epoch=7");
    assert_answer(domain, "error code=invalid", "status epoch=x");
    assert_answer(domain, "ok", "status"); /* a step of the core, or a person */
    domain_free(domain);
}

static void the_next_keeper_knows_it_too(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    assert_answer(domain, "ok version=1", "hello version=1 epoch=7");
    kill_all(domain);
    wait_gone(domain);
    ensure(domain);
    assert_answer(domain, "error code=stale", "hello version=1 epoch=6");
    assert_answer(domain, "ok version=1", "hello version=1 epoch=8");
    assert_answer(domain, "error code=stale", "hello version=1 epoch=7");
    domain_free(domain);
}

/* A core that was started anew says again what the one before it said. */
static void a_key_is_the_same_in_another_epoch(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    assert_answer(domain, "ok", "stop key=stray service=1.1 epoch=7");
    assert_answer(domain, "ok", "stop key=stray service=1.1 epoch=8");
    assert_answer(domain, "error code=conflict", "stop key=stray service=2.1 epoch=8");
    domain_free(domain);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--serve") == 0) return serve((int)strtol(argv[2], NULL, 10), argv[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lower_epoch_is_refused),
        cmocka_unit_test(the_next_keeper_knows_it_too),
        cmocka_unit_test(a_key_is_the_same_in_another_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
