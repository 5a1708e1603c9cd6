/* test_local.c: the small client against a peer that says exactly what a test tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "net/http.h"
#include "net/local.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char server[64];

/* A child that reads one request and answers with these bytes, in parts of part_size. */
static pid_t answer_with(const char *bytes, size_t size, size_t part_size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&address, &address_size);
    AUTO(free_text) char *text = mem_format("http://127.0.0.1:%d", ntohs(address.sin_port));
    memcpy(server, text, strlen(text) + 1);
    pid_t child = fork();
    if (child == 0) {
        char request[4096];
        int peer = accept(fd, NULL, NULL);
        if (read(peer, request, sizeof request) <= 0) _exit(1);
        for (size_t at = 0; at < size; at += part_size) {
            size_t part = size - at < part_size ? size - at : part_size;
            if (send(peer, bytes + at, part, MSG_NOSIGNAL) < 0) _exit(0);
        }
        shutdown(peer, SHUT_WR);
        while (read(peer, request, sizeof request) > 0)
            continue;
        _exit(0);
    }
    close(fd);
    return child;
}

static int ask(const char *bytes, size_t part_size, struct local_response *ret, struct error *err)
{
    pid_t child = answer_with(bytes, strlen(bytes), part_size);
    struct local_request request = {.server = server, .method = "GET", .path = "/x"};
    int code = local_send(&request, ret, err);
    waitpid(child, NULL, 0);
    return code;
}

static void expect_body(const char *bytes, int status, const char *body)
{
    static const size_t parts[] = {1, 2, 7, 100000};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct local_response answer = {0};
        struct error err = {0};
        if (ask(bytes, parts[i], &answer, &err) < 0) fail_msg("%s", err.message);
        assert_int_equal(answer.status, status);
        assert_string_equal(answer.body, body);
        assert_int_equal(answer.size, strlen(body));
        local_response_release(&answer);
    }
}

static void expect_error(const char *bytes, int code)
{
    struct local_response answer = {0};
    struct error err = {0};
    int got = ask(bytes, 100000, &answer, &err);
    if (got != code) fail_msg("%d instead of %d for: %s", got, code, bytes);
}

static void test_bodies_of_every_kind(void **state)
{
    (void)state;
    expect_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello");
    expect_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\nA\r\n0123456789\r\n0\r\n\r\n", 200,
        "hello!0123456789");
    expect_body("HTTP/1.1 404 No\r\n\r\nuntil the end", 404, "until the end");
    expect_body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\ncontent-length: 2\r\n\r\nok", 201, "ok");
    expect_body("HTTP/1.1 204 None\r\n\r\n", 204, "");
}

static void test_what_breaks_the_protocol(void **state)
{
    (void)state;
    expect_error("", -ERROR_PROTOCOL);
    expect_error("SSH-2.0-x\r\n\r\n", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\n", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n", -ERROR_PROTOCOL);
    expect_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx", -ERROR_PROTOCOL);
}

static int stop_at_once(void *context, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return 1;
}

static void test_the_reader_may_stop(void **state)
{
    (void)state;
    static const char bytes[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nthere\r\n0\r\n\r\n";
    size_t seen = 0;
    pid_t child = answer_with(bytes, sizeof bytes - 1, 100000);
    struct local_request request = {.server = server, .method = "GET", .path = "/x", .on_bytes = stop_at_once, .context = &seen};
    struct local_response answer = {0};
    struct error err = {0};
    assert_int_equal(local_send(&request, &answer, &err), 0);
    assert_int_equal(seen, 5);
    local_response_release(&answer);
    waitpid(child, NULL, 0);
}

static void test_nobody_there(void **state)
{
    (void)state;
    static const char *const servers[] = {"unix:/nonexistent/socket", "http://127.0.0.1:1"};
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct local_request request = {.server = servers[i], .method = "GET", .path = "/"};
        struct local_response answer = {0};
        struct error err = {0};
        assert_int_equal(local_send(&request, &answer, &err), -ERROR_UNAVAILABLE);
        assert_true(err.retryable);
    }
    struct local_request request = {.server = "ftp://x", .method = "GET", .path = "/"};
    struct local_response answer = {0};
    struct error err = {0};
    assert_int_equal(local_send(&request, &answer, &err), -ERROR_INVALID);
}

static int fetch(const char *method, const char *bytes, struct http_response *ret, struct error *err)
{
    pid_t child = answer_with(bytes, strlen(bytes), 100000);
    struct http_request request = {.method = method, .url = server, .limit_bytes = 100};
    if (strcmp(method, "POST") == 0) request.body = "{}", request.body_size = 2;
    int code = http_send(&request, ret, err);
    waitpid(child, NULL, 0);
    return code;
}

static void test_the_world_client_says_what_may_be_sent_again(void **state)
{
    (void)state;
    struct http_response answer = {0};
    struct error err = {0};
    assert_int_equal(fetch("GET", "HTTP/1.1 302 Go\r\nLocation: /there\r\nContent-Length: 2\r\n\r\nno", &answer, &err), 0);
    assert_int_equal(answer.status, 302);
    assert_string_equal(answer.body, "no");
    assert_non_null(strstr(answer.location, "/there"));
    http_response_release(&answer);
    assert_int_equal(fetch("GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", &answer, &err), -ERROR_PROTOCOL);
    assert_true(err.retryable);
    assert_int_equal(fetch("POST", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", &answer, &err), -ERROR_PROTOCOL);
    assert_false(err.retryable);
    AUTO(free_text) char *large = mem_format("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n%0101d", 7);
    assert_int_equal(fetch("GET", large, &answer, &err), -ERROR_LIMIT);
    struct http_request request = {.method = "POST", .url = "http://127.0.0.1:1/", .body = "", .body_size = 0};
    assert_int_equal(http_send(&request, &answer, &err), -ERROR_UNAVAILABLE);
    assert_true(err.retryable);
    request.url = "file:///etc/passwd";
    assert_int_equal(http_send(&request, &answer, &err), -ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_of_every_kind),
        cmocka_unit_test(test_what_breaks_the_protocol),
        cmocka_unit_test(test_the_reader_may_stop),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_the_world_client_says_what_may_be_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
