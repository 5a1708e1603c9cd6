/* test_listen.c: what a server listens on: sockets that are taken or stale, long paths, ports, and who may come in over TCP. */
#include "served.h"

static void test_tcp_needs_a_token(void **state)
{
    (void)state;
    AUTO(free_text) char *url = mem_format("http://127.0.0.1:%d/echo/me", fixture.port);
    struct http_request request = {.method = "GET", .url = url};
    struct http_response answer = {0};
    struct error err = {0};
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 401);
    assert_non_null(strstr(answer.body, "UNAUTHENTICATED"));
    http_response_release(&answer);
    const char *const wrong[] = {"Authorization: Bearer wrong", NULL}, *const right[] = {"Authorization: Bearer secret", "X-Test: h", NULL};
    request.headers = wrong;
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 401);
    http_response_release(&answer);
    request.headers = right;
    assert_int_equal(http_send(&request, &answer, &err), 0);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "token-owner"));
    assert_non_null(strstr(answer.body, "\"header\":\"h\""));
    assert_string_equal(answer.type, "application/json");
    http_response_release(&answer);
}

static void test_the_socket_of_a_living_server_is_not_taken(void **state)
{
    (void)state;
    struct error err;
    int fd = -1;
    assert_int_equal(http_listen_unix(fixture.socket, &fd, &err), -ERROR_CONFLICT);
    assert_int_equal(http_check_unix(fixture.socket, &err), -ERROR_CONFLICT);
    assert_int_equal(http_check_unix("/nowhere/at/all/socket", &err), 0);
    AUTO(free_text) char *stale = mem_format("%s/stale", fixture.folder);
    assert_int_equal(http_listen_unix(stale, &fd, &err), 0);
    close(fd);
    assert_int_equal(http_check_unix(stale, &err), 0);
    assert_int_equal(http_listen_unix(stale, &fd, &err), 0);
    close(fd);
    unlink(stale);
    assert_int_equal(http_listen_tcp("nonsense", &fd, &err), -ERROR_INVALID);
    static const char *const no_ports[] = {"127.0.0.1:65536", "0.0.0.0:99999", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1:http",
        "127.0.0.1: 80", "127.0.0.1:+80", "127.0.0.1:99999999999999999999", "[::1]:65536"};
    for (size_t i = 0; i < COUNT_OF(no_ports); i++) {
        assert_int_equal(http_listen_tcp(no_ports[i], &fd, &err), -ERROR_INVALID);
        assert_non_null(strstr(err.message, "is no port"));
    }
}

static void test_a_long_path_is_no_obstacle(void **state)
{
    (void)state;
    struct error err;
    int fd = -1;
    AUTO(free_text) char *folder = mem_format("%s/%0100d", fixture.folder, 7);
    AUTO(free_text) char *path = mem_format("%s/socket", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(http_listen_unix(path, &fd, &err), 0);
    AUTO(free_text) char *server = mem_format("unix:%s", path);
    struct local_request request = {.server = server, .method = "GET", .path = "/", .timeout_ms = 50};
    struct local_response answer = {0};
    assert_int_equal(local_send(&request, &answer, &err), -ERROR_TIMEOUT); /* it connected; nobody answers */
    close(fd);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_needs_a_token),
        cmocka_unit_test(test_the_socket_of_a_living_server_is_not_taken),
        cmocka_unit_test(test_a_long_path_is_no_obstacle),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
