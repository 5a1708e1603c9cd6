/* test_keeper.c: what a domain's keeper understands and refuses, and what it keeps of what it was told. */
#include "domain.h"

static void it_says_who_it_is(void **state)
{
    (void)state;
    struct domain *domain = domain_new(false);
    AUTO(free_text) char *wanted = mem_format("ok version=1 pid=%d domain=\n", (int)kept_pid(domain));
    assert_answer(domain, wanted, "hello version=1");
    assert_answer(domain, "error code=invalid", "hello version=2");
    assert_answer(domain, "error code=unavailable", "start key=k service=a family=f version=1 folder=/tmp command=true port=http=1");
    assert_answer(domain, "ok\n", "domain name=edge address=127.0.0.1 ports=%d", domain->port);
    assert_answer(domain, "ok\n", "domain name=edge address=127.0.0.1 ports=%d", domain->port);
    assert_answer(domain, "error code=conflict", "domain name=core address=127.0.0.1 ports=%d", domain->port);
    assert_answer(domain, "domain=edge", "hello version=1");
    assert_answer(domain, "domain name=edge address=127.0.0.1 requests=0 records=0 dropped=0 haproxy_pid=0\nok", "status");
    domain_free(domain);
}

/* Without services it may have other ports: this keeper ends, the next one holds those and no others. */
static void without_services_it_moves_to_other_ports(void **state)
{
    (void)state;
    struct domain *domain = domain_new(false);
    struct error err = {0};
    int to = domain->port + 1;
    assert_answer(domain, "ok\n", "domain name=edge address=127.0.0.1 ports=%d", domain->port);
    assert_answer(domain, "ok again=1\n", "domain name=edge address=127.0.0.1 ports=%d", to);
    assert_int_equal(keeper_end_awaited(domain->folder, 10000, &err), 0);
    assert_true(port_is_free(domain->port));
    ensure(domain);
    assert_false(port_is_free(to));
    assert_true(port_is_free(domain->port));
    assert_answer(domain, "ok\n", "domain name=edge address=127.0.0.1 ports=%d", to);
    domain_free(domain);
}

static void nonsense_is_refused_by_name(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    static const struct {
        const char *line, *wanted;
    } cases[] = {
        {"", "error code=invalid message=the line is empty"},
        {"frobnicate", "error code=invalid message='frobnicate' is nothing that a keeper can be asked"},
        {"status service", "is not NAME=VALUE"},
        {"status service=%zz", "is not percent-encoded"},
        {"status service=%00", "is not percent-encoded"},
        {"status service=nobody", "error code=not_found"},
        {"share service=nobody share=1", "needs key="},
        {"share key=a service=nobody share=1", "error code=not_found"},
        {"replicas key=a service=../x replicas=1", "is not a name"},
        {"lease service=nobody lease_ms=1000", "error code=not_found"},
        {"find", "error code=invalid"},
        {"find key=never", "ok seen=absent"},
        {"start key=a service=a family=f version=1 folder=/tmp port=http=1", "has no command"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true", "has no port"},
        {"start key=a service=a family=f version=1 folder=tmp command=true port=http=1", "is not an absolute path"},
        {"start key=a service=a family=f version=1 folder=/nowhere/at/all command=true port=http=1", "error code=not_found"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http", "is not NAME=NUMBER"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http=1 env=broken", "is not NAME=VALUE"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http=1 replicas=-1", "is not a number from 0 to 64"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http=1 share=10001", "is not a number from 0 to 10000"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http=1 memory=much", "is not a number"},
        {"start key=a service=a family=f version=1 folder=/tmp command=true port=http=1 health=none", "is not a path"},
        {"domain name=edge address=localhost ports=1", "is not an IPv4 address"},
        {"domain name=edge address=127.0.0.1 ports=9-8", "is not a range"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_answer(domain, cases[i].wanted, "%s", cases[i].line);
    assert_int_equal(number_of(domain, "domain", "haproxy_pid"), 0); /* nothing was begun */
    domain_free(domain);
}

static void lines_that_are_torn_or_too_long_harm_nobody(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    int fd = dial(domain);
    assert_int_equal(send(fd, "status servi", 12, 0), 12);
    close(fd); /* in the middle of a line */
    AUTO(free_text) char *line = mem_alloc(LINE_BYTES + 1);
    memset(line, 'a', LINE_BYTES);
    AUTO(free_text) char *answer = ask_bytes(domain, line, LINE_BYTES);
    assert_non_null(strstr(answer, "error code=limit"));
    AUTO(free_text) char *binary = ask_bytes(domain, "status \xff\xfe\n", 10);
    assert_non_null(strstr(binary, "error code=invalid"));
    AUTO(free_text) char *two = ask_bytes(domain, "hello\nfind key=x\n", 17); /* the first answer at least */
    assert_non_null(strstr(two, "ok version=1"));
    assert_answer(domain, "ok", "status");
    domain_free(domain);
}

static void a_key_does_a_thing_once(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    assert_answer(domain, "ok previous=1\n", "replicas key=r service=1.1 replicas=2");
    assert_answer(domain, "ok previous=1\n", "replicas service=1.1 key=r replicas=2"); /* given again, not done again */
    assert_answer(domain, "error code=conflict", "replicas key=r service=1.1 replicas=3");
    assert_answer(domain, "error code=conflict", "share key=r service=1.1 share=1");
    assert_answer(domain, "ok seen=done previous=1\n", "find key=r");
    assert_int_equal(number_of(domain, "service service=1.1", "replicas"), 2);
    kill_all(domain);
    ensure(domain);
    assert_answer(domain, "ok seen=done previous=1\n", "find key=r");
    assert_answer(domain, "ok previous=1\n", "replicas key=r service=1.1 replicas=2");
    domain_free(domain);
}

/* What the keeper changes by itself, it saves by itself. */
static void wait_saved(const struct domain *domain, const char *words)
{
    AUTO(free_text) char *path = mem_format("%s/state", domain->folder);
    for (int64_t end = clock_now_ms() + PATIENCE_MS;; sleep_ms(10)) {
        AUTO(free_text) char *bytes = NULL;
        size_t size;
        if (file_read(path, 1024 * 1024, &bytes, &size, NULL) == 0 && strstr(bytes, words)) return;
        if (clock_now_ms() > end) fail_msg("'%s' was not saved", words);
    }
}

/* The file that the state would be written to cannot be made: nothing is changed, and what runs goes on. */
static void what_cannot_be_saved_is_not_done(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    wait_saved(domain, "introduced=1");
    AUTO(free_text) char *obstacle = mem_format("%s/state.new", domain->folder);
    assert_int_equal(mkdir(obstacle, 0700), 0);
    assert_answer(domain, "nothing was changed", "replicas key=r service=1.1 replicas=2");
    assert_answer(domain, "nothing was changed", "stop key=s service=1.1");
    assert_answer(domain, "nothing was changed", "start key=t service=2.1 family=other version=1 folder=%s command=./service port=http=1",
        domain->package);
    assert_answer(domain, "ok seen=absent", "find key=r");
    assert_answer(domain, "replicas=1 ready=1 state=active", "status");
    assert_int_equal(number_of(domain, "service service=2.1", "replicas"), -1);
    char letter = 0;
    AUTO(close_fd) int fd = dial_port(domain->port);
    assert_int_equal(get_on(fd, "/", &letter), 200);
    assert_int_equal(rmdir(obstacle), 0);
    assert_answer(domain, "ok previous=1", "replicas key=r service=1.1 replicas=2");
    domain_free(domain);
}

/* Nothing can be written, as on a full disk: it is said why, and where. */
static void a_service_that_cannot_be_written_down_is_not_started(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    pid_t pid = kept_pid(domain);
    struct rlimit before, full;
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, NULL, &before), 0);
    full = (struct rlimit){0, before.rlim_max};
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &full, NULL), 0);
    AUTO(free_text)
    char *start = mem_format("start key=t service=2.1 family=other version=1 folder=%s command=./service port=http=1", domain->package);
    assert_answer(domain, "telemetry/arms: File too large", "%s", start);
    assert_answer(domain, "nothing was changed", "%s", start);
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &before, NULL), 0);
    assert_answer(domain, "ok address=", "%s", start);
    domain_free(domain);
}

static void a_family_has_two_services_at_most(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "error code=conflict", "start key=x service=1.1 family=hello version=1 folder=%s command=./service port=http=1",
        domain->package);
    assert_answer(domain, "has two services already",
        "start key=x service=3.1 family=hello version=1 folder=%s command=./service port=http=1", domain->package);
    assert_answer(domain, "ok\n", "stop key=s service=1.1");
    assert_answer(domain, "ok\n", "stop key=s service=1.1");
    assert_answer(domain, "ok\n", "stop key=never service=9.9");
    start_service(domain, "3.1", "c", ""); /* also while the first is on its way out */
    domain_free(domain);
}

static int occupy(int port)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void ports_that_others_have_are_left_to_them(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(false);
    int taken[2] = {occupy(domain->port), occupy(domain->port + 1)};
    assert_answer(domain, "ok", "domain name=edge address=127.0.0.1 ports=%d-%d", domain->port, domain->port + 1);
    assert_answer(domain, "error code=limit",
        "start key=start-1.1 service=1.1 family=hello version=a folder=%s command=./service port=http=1", domain->package);
    assert_answer(domain, "ok seen=absent", "find key=start-1.1");
    close(taken[1]);
    start_service(domain, "1.1", "a", "");
    assert_int_equal(number_of(domain, "family", "port"), domain->port + 1);
    AUTO(close_fd) int fd = dial_port(domain->port + 1);
    char letter = 0;
    assert_int_equal(get_on(fd, "/", &letter), 200);
    close(taken[0]);
    domain_free(domain);
}

static void a_second_keeper_is_refused(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    pid_t before = keeper_pid(domain), pid = fork();
    int status = 0;
    if (pid == 0) {
        execl(shim_path(), "crescendo-shim", "--keep", domain->folder, (char *)NULL);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 75);
    ensure(domain); /* and that is fine */
    assert_int_equal(keeper_pid(domain), before);
    struct error err = {0};
    assert_true(keeper_ensure(domain->folder, "/nowhere/crescendo-shim", &err) == 0); /* nothing had to be started */
    assert_true(keeper_ensure("/nowhere/at/all", shim_path(), &err) < 0);
    domain_free(domain);
}

/* Each finds or starts one, and it answers when that returns. */
static void many_may_start_one(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    for (int round = 0; round < 5; round++) {
        pid_t children[6];
        kill_all(domain);
        for (size_t i = 0; i < COUNT_OF(children); i++) {
            children[i] = fork();
            if (children[i]) continue;
            struct error err = {0};
            int code = keeper_ensure(domain->folder, shim_path(), &err), fd = dial(domain);
            for (int tries = 0; fd < 0 && tries < 100; tries++) { /* the dying one's lock goes a moment before its socket */
                sleep_ms(10);
                fd = dial(domain);
            }
            _exit(code < 0 || fd < 0);
        }
        for (size_t i = 0; i < COUNT_OF(children); i++) {
            int status = 1;
            waitpid(children[i], &status, 0);
            assert_int_equal(status, 0);
        }
    }
    assert_answer(domain, "domain=edge", "hello");
    domain_free(domain);
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_it_is),
        cmocka_unit_test(without_services_it_moves_to_other_ports),
        cmocka_unit_test(nonsense_is_refused_by_name),
        cmocka_unit_test(lines_that_are_torn_or_too_long_harm_nobody),
        cmocka_unit_test(a_key_does_a_thing_once),
        cmocka_unit_test(what_cannot_be_saved_is_not_done),
        cmocka_unit_test(a_service_that_cannot_be_written_down_is_not_started),
        cmocka_unit_test(a_family_has_two_services_at_most),
        cmocka_unit_test(ports_that_others_have_are_left_to_them),
        cmocka_unit_test(a_second_keeper_is_refused),
        cmocka_unit_test(many_may_start_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
