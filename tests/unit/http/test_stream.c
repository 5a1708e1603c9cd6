/* test_stream.c: answers that go on: their end, peers that leave, much of it, and failing half way. */
#include "served.h"

static void wait_for_closed(void)
{
    char byte;
    struct pollfd poll_fd = {.fd = fixture.left, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20000), 1); /* a bound for a hang, not a measure */
    assert_int_equal(read(fixture.left, &byte, 1), 1);
}

static void test_a_stream_ends(void **state)
{
    (void)state;
    expect("GET", "/ticks", NULL, 200, "id: 1\ndata: tick\n\nid: 2\ndata: tick\n\nid: 3\ndata: tick\n\n");
    wait_for_closed();
}

static void test_a_peer_that_left_a_silent_stream_is_noticed(void **state)
{
    (void)state;
    int fd = connect_local();
    say(fd, "GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "data: one");
    close(fd);
    wait_for_closed();
}

static void test_much_passes_without_queueing(void **state)
{
    (void)state;
    size_t total = 0;
    struct local_request request = {
        .server = fixture.server, .method = "GET", .path = "/flood", .on_bytes = count_bytes, .context = &total};
    struct local_response answer = {0};
    struct error err = {0};
    assert_int_equal(local_send(&request, &answer, &err), 0);
    assert_int_equal(total, FLOOD_BYTES);
    local_response_release(&answer);
}

/* What was written arrives, and so does that more is missing. */
static void test_a_stream_that_fails_is_told_from_one_that_ends(void **state)
{
    (void)state;
    size_t total = 0;
    struct local_request request = {.server = fixture.server, .method = "GET", .path = "/half", .on_bytes = count_bytes, .context = &total};
    struct local_response answer = {0};
    struct error err = {0};
    assert_true(local_send(&request, &answer, &err) < 0);
    assert_int_equal(total, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_ends),
        cmocka_unit_test(test_a_peer_that_left_a_silent_stream_is_noticed),
        cmocka_unit_test(test_a_stream_that_fails_is_told_from_one_that_ends),
        cmocka_unit_test(test_much_passes_without_queueing),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
