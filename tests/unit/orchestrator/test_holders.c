/* test_holders.c: of each engine that renews leases the last one to be started is believed, also by a core that was started anew. */
#include "tests/unit/store/fixture.h"

#include "orchestrator/holders.h"

static struct holders *open_holders(struct fixture *fixture)
{
    struct holders *holders = NULL;
    struct error err = {0};
    if (holders_open(fixture->journal, &holders, &err) < 0) fail_msg("%s", err.message);
    return holders;
}

static void a_lower_epoch_of_an_engine_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct holders *holders = open_holders(fixture);
    assert_int_equal(holders_pass(holders, "a", 5, &err), 0);
    assert_int_equal(holders_pass(holders, "a", 5, &err), 0);
    assert_int_equal(holders_pass(holders, "b", 1, &err), 0); /* others have epochs of their own */
    assert_int_equal(holders_pass(holders, "a", 7, &err), 0);
    assert_int_equal(holders_pass(holders, "a", 5, &err), -ERROR_STALE);
    assert_non_null(strstr(err.message, "epoch 7; yours is 5"));
    assert_true(err.hint[0]);
    fixture_settle(fixture);
    holders_close(&holders);
}

static void a_core_that_is_started_anew_remembers_them(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct holders *holders = open_holders(fixture);
    assert_int_equal(holders_pass(holders, "a", 7, &err), 0);
    holders_close(&holders);
    fixture_reopen(fixture);
    holders = open_holders(fixture);
    assert_int_equal(holders_pass(holders, "a", 6, &err), -ERROR_STALE);
    assert_int_equal(holders_pass(holders, "a", 8, &err), 0);
    fixture_settle(fixture);
    holders_close(&holders);
}

static void they_are_not_without_number(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct holders *holders = open_holders(fixture);
    char name[80] = "";
    assert_int_equal(holders_pass(holders, name, 1, &err), -ERROR_INVALID);
    memset(name, 'x', 65);
    assert_int_equal(holders_pass(holders, name, 1, &err), -ERROR_INVALID);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "e%d", i);
        assert_int_equal(holders_pass(holders, name, 1, &err), 0);
    }
    assert_int_equal(holders_pass(holders, "one-more", 1, &err), -ERROR_LIMIT);
    assert_int_equal(holders_pass(holders, "e3", 2, &err), 0);
    fixture_settle(fixture);
    holders_close(&holders);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(a_lower_epoch_of_an_engine_is_refused),
        TEST(a_core_that_is_started_anew_remembers_them),
        TEST(they_are_not_without_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
