/* test_server.c: requests and answers over real sockets: routes, queries, bodies, errors, connections that are kept. */
#include "served.h"

static void test_parts_queries_and_who_asks(void **state)
{
    (void)state;
    struct local_response answer = ask("GET", "/echo/a%2Fb?x=1&q=one+two%21&qq=3", NULL);
    json_t *body = NULL;
    struct error err;
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_parse(answer.body, answer.size, "answer", &body, &err), 0);
    assert_string_equal(json_text(body, "name", ""), "a/b");
    assert_string_equal(json_text(body, "q", ""), "one two!");
    const struct passwd *me = getpwuid(getuid());
    if (me) assert_string_equal(json_text(body, "user", ""), me->pw_name);
    json_decref(body);
    local_response_release(&answer);
}

static void test_errors_say_what_to_do(void **state)
{
    (void)state;
    expect("GET", "/nothing", NULL, 404, "openapi.json");
    expect("DELETE", "/post", NULL, 405, "possible: POST");
    expect("GET", "/echo/%", NULL, 400, "malformed");
    expect("POST", "/post", "{", 400, "not valid JSON");
    expect("POST", "/post", "{\"text\":1}", 400, "'text' must be text");
    expect("POST", "/post", "", 400, "'text' is missing");
}

static void test_a_body_comes_back(void **state)
{
    (void)state;
    expect("POST", "/post", "{\"text\":\"hello\"}", 201, "hello");
    char *large = mem_alloc(3 * 1024 * 1024 + 64);
    memset(large, 'a', 3 * 1024 * 1024);
    memcpy(large, "{\"text\":\"", 9);
    memcpy(large + 3 * 1024 * 1024, "\"}", 3);
    expect("POST", "/post", large, 201, "aaaa");
    free(large);
}

static void test_a_body_that_is_too_large_is_refused(void **state)
{
    (void)state;
    char *large = mem_alloc(LIMIT_REQUEST_BYTES + 100);
    memset(large, 'a', LIMIT_REQUEST_BYTES + 99);
    expect("POST", "/post", large, 413, "too large");
    free(large);
    expect("POST", "/post", "{\"text\":\"still here\"}", 201, "still here");
}

static void test_bytes_are_read_up_to_the_routes_own_limit(void **state)
{
    (void)state;
    char bytes[RAW_LIMIT + 2] = "";
    memset(bytes, 'a', RAW_LIMIT);
    expect("PUT", "/own/raw", bytes, 200, "1000 bytes, the first 97");
    expect("PUT", "/own/raw", NULL, 200, "0 bytes, the first 0");
    bytes[RAW_LIMIT] = 'a';
    expect("PUT", "/own/raw", bytes, 413, "\"own\":\"the body of this request is too large\"");
    int fd = connect_local(); /* announced, not sent: refused before it is read */
    say(fd, "PUT /own/raw HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    hear(fd, "413");
    close(fd);
}

static void test_all_of_the_query_can_be_read(void **state)
{
    (void)state;
    expect("PUT", "/own/raw?a.b=1%2C2&&empty=&bare&a.b=x+y", NULL, 200, "a.b is 1,2; empty is ; bare is ; a.b is x y; 0 bytes");
}

static void test_a_mounts_own_errors_hold_for_all_below_it(void **state)
{
    (void)state;
    expect("GET", "/own/nothing", NULL, 404, "{\"own\":\"there is no /own/nothing here\",\"status\":404}");
    expect("GET", "/own", NULL, 404, "\"own\"");
    expect("DELETE", "/own/post", NULL, 405, "\"status\":405");
    expect("POST", "/own/post", "{", 400, "\"own\"");
    expect("GET", "/own/%", NULL, 400, "\"own\"");
    expect("GET", "/own/refusal", NULL, 409, "{\"own\":\"it is there\",\"status\":409}");
    expect("GET", "/ownership", NULL, 404, "\"error\"");
    expect("GET", "/", NULL, 404, "\"error\"");
}

static void test_an_answer_may_come_later(void **state)
{
    (void)state;
    expect("GET", "/later", NULL, 200, "late");
}

static void test_a_connection_is_kept(void **state)
{
    (void)state;
    int fd = connect_local();
    say(fd, "GET /echo/one HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "\"one\"");
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "late");
    say(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "NOT_FOUND");
    say(fd, "POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"text\":\r\n5\r\n\"hi\"}\r\n0\r\n\r\n");
    hear(fd, "\"hi\"");
    close(fd);
}

static void test_a_peer_that_leaves_before_the_answer_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = connect_local();
        say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
        close(fd);
    }
    expect("GET", "/later", NULL, 200, "late");
}

static void test_the_description_holds_every_route(void **state)
{
    (void)state;
    struct http_mount mounts[] = {{routes, NULL}, {NULL, NULL}};
    json_t *api = http_describe(mounts, "Test", "1");
    assert_non_null(api);
    json_t *paths = json_object_get(api, "paths");
    assert_int_equal(json_object_size(paths), 7);
    json_t *post = json_object_get(json_object_get(paths, "/post"), "post");
    AUTO(free_text) char *text = json_canonical(post);
    assert_non_null(strstr(text, "\"required\":[\"text\"]"));
    AUTO(free_text) char *echo = json_canonical(json_object_get(paths, "/echo/{name}"));
    assert_non_null(strstr(echo, "\"in\":\"path\",\"name\":\"name\""));
    json_decref(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_queries_and_who_asks),
        cmocka_unit_test(test_errors_say_what_to_do),
        cmocka_unit_test(test_a_body_comes_back),
        cmocka_unit_test(test_a_body_that_is_too_large_is_refused),
        cmocka_unit_test(test_bytes_are_read_up_to_the_routes_own_limit),
        cmocka_unit_test(test_all_of_the_query_can_be_read),
        cmocka_unit_test(test_a_mounts_own_errors_hold_for_all_below_it),
        cmocka_unit_test(test_an_answer_may_come_later),
        cmocka_unit_test(test_a_connection_is_kept),
        cmocka_unit_test(test_a_peer_that_leaves_before_the_answer_harms_nobody),
        cmocka_unit_test(test_the_description_holds_every_route),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
