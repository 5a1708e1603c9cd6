/* The keeper's guardian: it starts another keeper when that was killed, and clients wait meanwhile; and its deputy, which takes its place.
 */
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

/* A dead one that nobody has reaped yet does not. */
static bool lives(pid_t pid)
{
    AUTO(free_text) char *path = mem_format("/proc/%d/stat", (int)pid);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    struct error err;
    if (file_read(path, 4096, &bytes, &size, &err)) return false;
    const char *state = strrchr(bytes, ')');
    return state && state[2] != 'Z' && state[2] != 'X';
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

/* Somebody other than before in this place. */
static pid_t next_holder(const struct domain *domain, off_t byte, pid_t before)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    for (pid_t pid;; sleep_ms(2)) {
        pid = holder(domain, byte, 1);
        if (pid && pid != before) return pid;
        if (clock_now_ms() > end) fail_msg("nobody took the place of byte %d", (int)byte);
    }
}

static pid_t haproxy_of(const struct domain *domain)
{
    return (pid_t)number_of(domain, "domain", "haproxy_pid");
}

static void a_killed_guardian_is_noticed_by_nobody(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    pid_t keeper = kept_pid(domain), instance = (pid_t)number_of(domain, "instance service=1.1", "pid"), haproxy = haproxy_of(domain);
    pid_t guardian = keeper_pid(domain);
    struct load *load = load_start(domain->port);
    load_more(load, 100);
    for (int round = 0; round < 3; round++) {
        next_holder(domain, DEPUTY_BYTE, guardian);
        kill(guardian, SIGKILL);
        guardian = next_holder(domain, GUARDIAN_BYTE, guardian);
        load_more(load, 100);
    }
    load_end(load);
    assert_int_equal(load->failed, 0);
    assert_int_equal(kept_pid(domain), keeper);
    assert_int_equal(number_of(domain, "instance service=1.1", "pid"), instance);
    assert_int_equal(haproxy_of(domain), haproxy);
    free(load);
    domain_free(domain); /* the new guardian hands on who ends it */
}

/* The deputy that took the place of a guardian does all that one does. */
static void a_keeper_is_replaced_by_whoever_is_its_guardian_now(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    pid_t keeper = kept_pid(domain), instance = (pid_t)number_of(domain, "instance service=1.1", "pid");
    struct load *load = load_start(domain->port);
    pid_t guardian = keeper_pid(domain);
    for (int round = 0; round < 2; round++) {
        next_holder(domain, DEPUTY_BYTE, guardian);
        kill(guardian, SIGKILL);
        guardian = next_holder(domain, GUARDIAN_BYTE, guardian);
        kill(keeper, SIGKILL);
        keeper = next_keeper(domain, keeper);
        assert_false(lives(instance));
        wait_until(domain, "service service=1.1", "ready", 1);
        instance = (pid_t)number_of(domain, "instance service=1.1", "pid");
        load_more(load, 100);
    }
    load_end(load);
    assert_true(load->failed <= 2 * COUNT_OF(load->threads));
    assert_int_equal(number_of(domain, "family", "port"), domain->port);
    free(load);
    domain_free(domain);
}

static void guardian_and_keeper_may_be_killed_together(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    pid_t keeper = kept_pid(domain), guardian = keeper_pid(domain);
    struct load *load = load_start(domain->port);
    for (int round = 0; round < 4; round++) {
        next_holder(domain, DEPUTY_BYTE, guardian);
        load_more(load, 20);
        kill(round % 2 ? keeper : guardian, SIGKILL);
        kill(round % 2 ? guardian : keeper, SIGKILL);
        guardian = next_holder(domain, GUARDIAN_BYTE, guardian);
        keeper = next_keeper(domain, keeper);
        wait_until(domain, "service service=1.1", "ready", 1);
        load_more(load, 100);
    }
    load_end(load);
    assert_true(load->failed <= 4 * COUNT_OF(load->threads));
    assert_int_equal(number_of(domain, "family", "port"), domain->port);
    free(load);
    domain_free(domain);
}

static void a_killed_deputy_is_replaced(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    pid_t guardian = keeper_pid(domain), keeper = kept_pid(domain), deputy = next_holder(domain, DEPUTY_BYTE, 0);
    for (int round = 0; round < 2; round++) {
        kill(deputy, SIGKILL);
        deputy = next_holder(domain, DEPUTY_BYTE, deputy);
    }
    assert_int_equal(keeper_pid(domain), guardian);
    assert_int_equal(kept_pid(domain), keeper);
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

static void wait_dead(pid_t pid, const char *what)
{
    for (int64_t end = clock_now_ms() + PATIENCE_MS; lives(pid); sleep_ms(5))
        if (clock_now_ms() > end) fail_msg("%s did not end", what);
}

/* Nobody asks, nothing dies, and nothing is left of it. busy: with HAProxy and an instance. */
static void all_end_when_the_folder_is_gone(bool busy)
{
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    if (busy) start_service(domain, "1.1", "a", "");
    pid_t guardian = keeper_pid(domain), keeper = kept_pid(domain), deputy = next_holder(domain, DEPUTY_BYTE, 0);
    pid_t haproxy = busy ? haproxy_of(domain) : 0, instance = busy ? (pid_t)number_of(domain, "instance service=1.1", "pid") : 0;
    assert_true(!busy || (haproxy > 0 && instance > 0));
    assert_int_equal(file_remove_tree(domain->folder, NULL), 0);
    wait_dead(keeper, "the keeper");
    wait_dead(guardian, "the guardian");
    wait_dead(deputy, "the deputy");
    if (busy) wait_dead(haproxy, "HAProxy");
    if (busy) wait_dead(instance, "the instance");
    assert_true(port_is_free(domain->port));
    domain_free(domain);
}

static void nothing_is_left_of_one_whose_folder_was_removed(void **state)
{
    (void)state;
    all_end_when_the_folder_is_gone(true);
    all_end_when_the_folder_is_gone(false);
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
        cmocka_unit_test(a_killed_guardian_is_noticed_by_nobody),
        cmocka_unit_test(a_keeper_is_replaced_by_whoever_is_its_guardian_now),
        cmocka_unit_test(guardian_and_keeper_may_be_killed_together),
        cmocka_unit_test(a_killed_deputy_is_replaced),
        cmocka_unit_test(either_may_be_told_to_end),
        cmocka_unit_test(none_is_started_in_a_folder_that_was_removed),
        cmocka_unit_test(nothing_is_left_of_one_whose_folder_was_removed),
        cmocka_unit_test(one_that_is_killed_again_and_again_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
