/* test_match.c: which route a method and a path mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/match.h"

static void handle(struct request *request, void *context)
{
    (void)request, (void)context;
}

static const struct route routes[] = {
    {"GET", "/v1/runs", handle, "", NULL},
    {"POST", "/v1/runs", handle, "", NULL},
    {"GET", "/v1/runs/{run}", handle, "", NULL},
    {"POST", "/v1/runs/{run}/approvals/{step}", handle, "", NULL},
    ROUTE_END,
};
static const struct route others[] = {{"GET", "/v1/version", handle, "", NULL}, ROUTE_END};
static int first_context, second_context;
static const struct http_mount mounts[] = {{routes, &first_context}, {others, &second_context}, {NULL, NULL}};

static enum match_result match(const char *method, const char *path, struct match *ret)
{
    struct text allow = {0};
    enum match_result result = match_route(mounts, method, path, ret, &allow);
    text_release(&allow);
    return result;
}

static void test_finds_a_route_and_its_context(void **state)
{
    (void)state;
    struct match found = {0};
    assert_int_equal(match("GET", "/v1/version", &found), MATCH_FOUND);
    assert_ptr_equal(found.route, &others[0]);
    assert_ptr_equal(found.context, &second_context);
    match_release(&found);
    assert_int_equal(match("POST", "/v1/runs", &found), MATCH_FOUND);
    assert_ptr_equal(found.route, &routes[1]);
    match_release(&found);
}

static void test_a_coded_slash_stays_in_its_part(void **state)
{
    (void)state;
    struct match found = {0};
    assert_int_equal(match("POST", "/v1/runs/7/approvals/indoor%2Frelease%20it", &found), MATCH_FOUND);
    assert_string_equal(match_part(&found, "run"), "7");
    assert_string_equal(match_part(&found, "step"), "indoor/release it");
    assert_null(match_part(&found, "ste"));
    assert_null(match_part(&found, "stepp"));
    match_release(&found);
}

static void test_head_is_get(void **state)
{
    (void)state;
    struct match found = {0};
    assert_int_equal(match("HEAD", "/v1/runs/12", &found), MATCH_FOUND);
    match_release(&found);
}

static void test_another_method_is_told_what_there_is(void **state)
{
    (void)state;
    struct match found = {0};
    struct text allow = {0};
    assert_int_equal(match_route(mounts, "DELETE", "/v1/runs", &found, &allow), MATCH_NO_METHOD);
    assert_string_equal(text_view(&allow), "GET, POST");
    text_release(&allow);
}

static void test_what_is_no_route(void **state)
{
    (void)state;
    struct match found = {0};
    static const char *const paths[] = {"/", "/v1", "/v1/runs/", "/v1/runs//approvals/x", "/v2/runs", "/v1/runs/7/x", "/v1/Runs"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(match("GET", paths[i], &found), MATCH_NO_PATH);
}

static void test_what_is_malformed(void **state)
{
    (void)state;
    struct match found = {0};
    static const char *const paths[] = {
        "", "v1/runs", "*", "/v1/runs/%", "/v1/runs/%zz", "/v1/runs/%00", "/v1/runs/%2", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(match("GET", paths[i], &found), MATCH_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_a_route_and_its_context),
        cmocka_unit_test(test_a_coded_slash_stays_in_its_part),
        cmocka_unit_test(test_head_is_get),
        cmocka_unit_test(test_another_method_is_told_what_there_is),
        cmocka_unit_test(test_what_is_no_route),
        cmocka_unit_test(test_what_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
