/* test_keeper_waiting.c: requests that wait: for an answer that does not come, or for an instance that is not there. */
#include "domain.h"

/* A request that is never answered, on a connection of its own. */
static int hang(const struct domain *domain)
{
    static const char request[] = "GET /hang HTTP/1.1\r\nHost: here\r\n\r\n";
    int fd = dial_port(domain->port);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    return fd;
}

static struct telemetry_record last_record(const struct domain *domain)
{
    AUTO(free_text) char *path = mem_format("%s/telemetry/00000001.seg", domain->folder);
    AUTO(free_text) char *bytes = NULL;
    struct telemetry_record record = {0};
    size_t size;
    assert_int_equal(file_read(path, 64 * 1024 * 1024, &bytes, &size, NULL), 0);
    assert_true(size >= TELEMETRY_HEADER_BYTES + sizeof record);
    memcpy(&record, bytes + size - sizeof record, sizeof record);
    return record;
}

static void a_client_that_gives_up_is_recorded_when_it_leaves(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    int fd = hang(domain);
    wait_until(domain, "service service=1.1", "open", 1);
    assert_int_equal(number_of(domain, "domain", "records"), 0);
    sleep_ms(50);
    close(fd);
    wait_until(domain, "domain", "records", 1);
    struct telemetry_record record = last_record(domain);
    assert_int_equal(record.arm, 1);
    assert_int_equal(record.instance, 1);
    assert_int_equal(record.flags, TELEMETRY_ABORTED);
    assert_int_equal(record.status, 0);
    assert_in_range(record.duration_us, 50 * 1000, 20 * 1000 * 1000);
    wait_until(domain, "service service=1.1", "open", 0);
    domain_free(domain);
}

static void requests_under_way_are_told_of_each_service(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    int fds[5];
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    for (size_t i = 0; i < 2; i++)
        fds[i] = hang(domain);
    wait_until(domain, "service service=1.1", "open", 2);
    assert_answer(domain, "ok previous=0", "share key=s service=2.1 share=10000");
    for (size_t i = 2; i < 5; i++)
        fds[i] = hang(domain);
    wait_until(domain, "service service=2.1", "open", 3);
    assert_int_equal(number_of(domain, "service service=1.1", "open"), 2);
    for (size_t i = 0; i < 5; i++)
        close(fds[i]);
    wait_until(domain, "service service=2.1", "open", 0);
    domain_free(domain);
}

/* Nearly all requests are for the second one: while its only instance is away they wait for the next one. */
static void requests_of_a_version_that_died_are_not_served_by_the_other(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "ok previous=0", "share key=s service=2.1 share=9999");
    for (int i = 1; i <= 3; i++) {
        char letter = 0;
        kill((pid_t)number_of(domain, "instance service=2.1", "pid"), SIGKILL);
        wait_until(domain, "instance service=2.1", "restarts", i);
        AUTO(close_fd) int fd = dial_port(domain->port);
        assert_int_equal(get_on(fd, "/", &letter), 200);
        assert_int_equal(letter, 'b');
        wait_until(domain, "service service=2.1", "ready", 1);
    }
    domain_free(domain);
}

/* HAProxy has no server for it, and says of none that it was to serve it. */
static void what_no_instance_of_a_version_takes_is_recorded_as_its(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    char letter = 0;
    start_service(domain, "1.1", "a", "");
    AUTO(free_text) char *ill = mem_format("%s/ill", domain->package);
    close(open(ill, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    wait_until(domain, "service service=1.1", "ready", 0);
    AUTO(close_fd) int fd = dial_port(domain->port);
    assert_int_equal(get_on(fd, "/", &letter), 503);
    wait_until(domain, "domain", "records", 1);
    struct telemetry_record record = last_record(domain);
    assert_int_equal(record.arm, 1);
    assert_int_equal(record.instance, 0);
    assert_int_equal(record.flags, TELEMETRY_NO_SERVER);
    assert_int_equal(record.status, 503);
    domain_free(domain);
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_gives_up_is_recorded_when_it_leaves),
        cmocka_unit_test(requests_under_way_are_told_of_each_service),
        cmocka_unit_test(requests_of_a_version_that_died_are_not_served_by_the_other),
        cmocka_unit_test(what_no_instance_of_a_version_takes_is_recorded_as_its),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
