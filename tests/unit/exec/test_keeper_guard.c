/* The keeper's guardian: it starts another keeper when that was killed, clients wait meanwhile, and both end together. */
#include "domain.h"

static pid_t next_keeper(const struct domain *domain, pid_t before)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    for (pid_t pid;; sleep_ms(2)) {
        pid = kept_pid(domain);
        if (pid && pid != before) return pid;
        if (clock_now_ms() > end) fail_msg("no other keeper came");
    }
}

static bool lives(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void a_killed_keeper_is_replaced_and_refuses_nobody(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", " replicas=1");
    assert_answer(domain, "ok previous=0", "share key=s service=2.1 share=4000 lease_ms=60000");
    pid_t guardian = keeper_pid(domain), keeper = kept_pid(domain);
    pid_t instance = (pid_t)number_of(domain, "instance service=1.1", "pid");
    struct load *load = load_start(domain->port);
    load_more(load, 100);
    for (int round = 0; round < 3; round++) {
        kill(keeper, SIGKILL);
        keeper = next_keeper(domain, keeper);
        assert_false(lives(instance)); /* before the next one is there */
        wait_until(domain, "service service=1.1", "ready", 1);
        wait_until(domain, "service service=2.1", "ready", 1);
        instance = (pid_t)number_of(domain, "instance service=1.1", "pid");
        load_more(load, 100);
    }
    load_end(load);
    assert_true(load->failed <= 3 * COUNT_OF(load->threads)); /* what was under way */
    assert_int_equal(keeper_pid(domain), guardian);
    assert_int_equal(number_of(domain, "family", "port"), domain->port);
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 4000);
    free(load);
    domain_free(domain);
}

static void a_killed_guardian_takes_its_keeper_with_it(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    pid_t keeper = kept_pid(domain);
    assert_true(keeper && keeper != keeper_pid(domain));
    kill(keeper_pid(domain), SIGKILL);
    wait_gone(domain);
    assert_int_equal(kept_pid(domain), 0);
    ensure(domain);
    assert_true(kept_pid(domain) != keeper);
    assert_answer(domain, "domain=edge", "hello");
    domain_free(domain);
}

static void either_may_be_told_to_end(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    kill(kept_pid(domain), SIGTERM);
    wait_gone(domain);
    ensure(domain);
    kill(keeper_pid(domain), SIGTERM);
    wait_gone(domain);
    domain_free(domain);
}

static void none_is_started_in_a_folder_that_was_removed(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    pid_t guardian = keeper_pid(domain), keeper = kept_pid(domain);
    AUTO(free_text) char *lock = mem_format("%s/keeper.lock", domain->folder);
    assert_int_equal(unlink(lock), 0);
    kill(keeper, SIGKILL);
    for (int64_t end = clock_now_ms() + PATIENCE_MS; lives(guardian); sleep_ms(5))
        if (clock_now_ms() > end) fail_msg("the guardian did not end");
    domain_free(domain);
}

/* It comes back more and more slowly; and it does come back. */
static void one_that_is_killed_again_and_again_comes_back(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    pid_t keeper = kept_pid(domain);
    for (int round = 0; round < 4; round++) {
        kill(keeper, SIGKILL);
        keeper = next_keeper(domain, keeper);
    }
    assert_answer(domain, "domain=edge", "hello");
    domain_free(domain);
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_keeper_is_replaced_and_refuses_nobody),
        cmocka_unit_test(a_killed_guardian_takes_its_keeper_with_it),
        cmocka_unit_test(either_may_be_told_to_end),
        cmocka_unit_test(none_is_started_in_a_folder_that_was_removed),
        cmocka_unit_test(one_that_is_killed_again_and_again_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
