/* test_keeper_life.c: instances and HAProxy: how they start, what is said of them when they do not, and that each comes back when it is
   killed, the keeper too. */
#include "domain.h"

/* A service that is a shell script; it never becomes healthy. more: fields with a space before each. */
static void start_script(const struct domain *domain, const char *name, const char *script, const char *more)
{
    assert_answer(domain, "ok address=",
        "start key=start-%s service=%s family=%s version=1 folder=%s command=sh command=-c command=%s port=http=8080 "
        "grace_ms=200 drain_ms=0%s",
        name, name, name, domain->package, script, more);
}

static void its_own_words_are_in_status(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_script(domain, "quits", "echo%20no%20such%20table%20>%262;%20exit%203", " start_ms=400");
    start_script(domain, "sleeps", "echo%20thinking;%20sleep%2060", " health=/healthz start_ms=400");
    assert_answer(domain,
        "ok address=", "start key=m service=missing family=missing version=1 folder=%s command=./nothing port=http=1 start_ms=400",
        domain->package);
    wait_words(domain, "exited with code 3; its last output: no such table");
    wait_words(domain, "./nothing: cannot be run: No such file or directory");
    wait_words(domain, "not healthy within 400 ms: GET /healthz on port");
    wait_words(domain, "its last output: thinking");
    wait_words(domain, "service service=quits family=quits version=1 share=10000 replicas=1 ready=0 state=failed");
    wait_words(domain, "service service=missing family=missing version=1 share=10000 replicas=1 ready=0 state=failed");
    assert_true(number_of(domain, "instance service=quits", "restarts") >= 1);
    assert_answer(domain, "ok", "stop key=s service=quits");
    wait_until(domain, "service service=quits", "replicas", -1);
    wait_until(domain, "family name=quits", "port", -1); /* its port is free for another */
    domain_free(domain);
}

/* Much on one line, then the last words, then empty lines: what is cut off is the long line's beginning, never the words behind it. */
static void the_last_words_stay_before_empty_lines(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_script(domain, "quits", "printf%20'%2501000d\\nlast%20words\\n\\n\\n'%207;%20exit%203", " start_ms=400");
    wait_words(domain, "last words");
    start_script(domain, "shouts", "printf%20'%2501000dlast%20words\\n\\n'%207;%20exit%203", " start_ms=400");
    wait_words(domain, "7last words");
    domain_free(domain);
}

/* While the next process still says how it begins, how the last one ended stands beside what that one said. */
static void the_last_words_stay_while_the_next_one_begins(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_script(domain, "quits", "echo%20hello;%20sleep%200.2;%20echo%20no%20such%20table;%20exit%203", " start_ms=30000");
    wait_words(domain, "exited with code 3");
    for (int looks = 0; looks < 30; looks++) {
        AUTO(free_text) char *status = ask(domain, "status service=quits");
        if (!strstr(status, "no such table") && !strstr(status, "no%20such%20table")) fail_msg("the last words are lost: %s", status);
        sleep_ms(20);
    }
    domain_free(domain);
}

static bool lives(pid_t pid)
{
    AUTO(free_text) char *path = mem_format("/proc/%d/stat", (int)pid);
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    if (file_read(path, 4096, &bytes, &size, NULL) < 0) return false;
    const char *end = strrchr(bytes, ')');
    return end && end[2] != 'Z';
}

static void wait_dead(pid_t pid)
{
    int64_t end = clock_now_ms() + PATIENCE_MS;
    while (lives(pid)) {
        if (clock_now_ms() > end) fail_msg("process %d lives on", (int)pid);
        sleep_ms(5);
    }
}

static void one_that_ignores_sigterm_is_killed(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_script(domain, "stays", "trap%20%27%27%20TERM;%20while%20:;%20do%20sleep%201;%20done", " start_ms=30000");
    wait_until(domain, "instance service=stays", "restarts", 0);
    while (number_of(domain, "instance service=stays", "pid") == 0)
        sleep_ms(10);
    pid_t pid = (pid_t)number_of(domain, "instance service=stays", "pid");
    assert_answer(domain, "ok", "stop key=s service=stays");
    wait_until(domain, "service service=stays", "replicas", -1);
    wait_dead(pid);
    domain_free(domain);
}

static void one_that_takes_too_much_memory_is_ended(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    /* By cgroup it is killed, by rlimit its allocation fails: either way it does not get more, ends, and the keeper says how. */
    start_script(domain, "leaks", "exec%20perl%20-e%20%27$x.=%22x%22x10000000%20while%201%27", " memory=67108864 start_ms=30000");
    int64_t end = clock_now_ms() + PATIENCE_MS;
    while (number_of(domain, "instance service=leaks", "restarts") < 1 && clock_now_ms() < end)
        sleep_ms(20);
    AUTO(free_text) char *status = ask(domain, "status service=leaks");
    if (!strstr(status, "memory") && !strstr(status, "Out of memory") && !strstr(status, "killed by signal")) fail_msg("%s", status);
    domain_free(domain);
}

static void ports_and_variables_are_given(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    assert_answer(domain, "ok address=",
        "start key=v service=v family=v version=1 folder=%s port=http=8080 port=admin-api=9 env=MODE=x env=A=b=c command=sh command=-c "
        "command=%s "
        "command=%%24%%28MODE%%29 command=%%24%%28A%%29 command=%%24%%24%%28MODE%%29 command=%%24%%28NONE%%29 "
        "command=%%24%%28PORT_ADMIN_API%%29",
        domain->package,
        "echo%20%22$0|$1|$2|$3%22;%20test%20%22$4%22%20=%20%22$PORT_ADMIN_API%22%20-a%20%22$PORT%22%20=%20%22$PORT_HTTP%22%20"
        "%26%26%20echo%20same;%20sleep%2060");
    wait_words(domain, "x|b=c|$(MODE)|$(NONE)\nsame");
    domain_free(domain);
}

static void killed_instances_come_back_without_a_failed_request(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    struct load *load = load_start(domain->port);
    load_more(load, 200);
    for (int i = 1; i <= 3; i++) {
        kill((pid_t)number_of(domain, "instance service=1.1", "pid"), SIGKILL);
        wait_until(domain, "instance service=1.1", "restarts", i);
        wait_until(domain, "service service=1.1", "ready", 1);
        load_more(load, 100);
    }
    load_end(load);
    assert_int_equal(load->failed, 0); /* GETs may be repeated */
    assert_answer(domain, "killed by signal 9", "status service=1.1");
    free(load);
    domain_free(domain);
}

/* All of its sockets are the keeper's, so it needs no rights of its own, also where the keeper is root. */
static void haproxy_can_do_nothing_else(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    AUTO(free_text) char *path = mem_format("/proc/%lld/status", number_of(domain, "domain", "haproxy_pid"));
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    struct error err = {0};
    assert_int_equal(file_read(path, 64 * 1024, &bytes, &size, &err), 0);
    assert_non_null(strstr(bytes, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(bytes, "NoNewPrivs:\t1"));
    assert_non_null(strstr(bytes, "Seccomp:\t2"));
    domain_free(domain);
}

static void a_killed_haproxy_is_restored(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "ok previous=0", "share key=s service=2.1 share=5000");
    struct load *load = load_start(domain->port);
    for (int i = 0; i < 3; i++) {
        pid_t pid = (pid_t)number_of(domain, "domain", "haproxy_pid");
        load_more(load, 100);
        kill(pid, SIGKILL);
        int64_t end = clock_now_ms() + PATIENCE_MS;
        while (number_of(domain, "domain", "haproxy_pid") == pid || number_of(domain, "domain", "haproxy_pid") == 0)
            if (clock_now_ms() > end) fail_msg("HAProxy did not come back");
        load_more(load, 100);
    }
    load_end(load);
    assert_true(load->failed <= 3 * COUNT_OF(load->threads)); /* what was in flight */
    assert_true(load->letters['a'] > 100 && load->letters['b'] > 100);
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 5000);
    free(load);
    domain_free(domain);
}

static void a_killed_keeper_takes_all_with_it_and_the_next_restores_it(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", " replicas=1");
    assert_answer(domain, "ok previous=0", "share key=s service=2.1 share=4000 lease_ms=60000");
    pid_t haproxy = (pid_t)number_of(domain, "domain", "haproxy_pid"), instance = (pid_t)number_of(domain, "instance service=1.1", "pid");
    struct load *load = load_start(domain->port);
    load_more(load, 100);
    kill_all(domain);
    wait_dead(haproxy);
    wait_dead(instance);
    ensure(domain);
    AUTO(close_fd) int fd = dial_port(domain->port); /* clients wait in the queue of the socket until all is there */
    char letter = 0;
    assert_int_equal(get_on(fd, "/", &letter), 200);
    wait_until(domain, "service service=1.1", "ready", 1);
    wait_until(domain, "service service=2.1", "ready", 1);
    load_more(load, 100);
    load_end(load);
    assert_int_equal(number_of(domain, "family", "port"), domain->port);
    assert_int_equal(number_of(domain, "service service=1.1", "share"), 6000);
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 4000);
    long long left = number_of(domain, "service service=2.1", "lease_ms");
    assert_true(left > 0 && left < 60000);
    free(load);
    domain_free(domain);
}

/* What stands in a file below KEEP/logs; "" where there is none. Caller frees. */
static char *kept_output(const struct domain *domain, const char *file)
{
    AUTO(free_text) char *path = mem_format("%s/logs/%s", domain->folder, file);
    char *bytes = NULL;
    size_t size;
    struct error err;
    return file_read(path, 4 * 1024 * 1024, &bytes, &size, &err) ? mem_copy_text("") : bytes;
}

static void wait_output(const struct domain *domain, const char *file, const char *words)
{
    for (int64_t end = clock_now_ms() + PATIENCE_MS;; sleep_ms(10)) {
        AUTO(free_text) char *output = kept_output(domain, file);
        if (strstr(output, words)) return;
        if (clock_now_ms() > end) fail_msg("'%s' is not in %s: %s", words, file, output);
    }
}

static void what_an_instance_prints_outlives_it_and_its_keeper(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    wait_output(domain, "1.1/1.log", "Z started on port ");
    wait_output(domain, "1.1/1.log", "\nserving a\n");
    kill((pid_t)number_of(domain, "instance service=1.1", "pid"), SIGKILL);
    wait_output(domain, "1.1/1.log", "Z killed by signal 9");
    kill_all(domain);
    wait_output(domain, "1.1/1.log", "\nserving a\n");
    ensure(domain);
    wait_until(domain, "service service=1.1 ", "ready", 1);
    assert_answer(domain, "ok", "stop key=s service=1.1");
    wait_until(domain, "service service=1.1", "replicas", -1);
    wait_output(domain, "1.1/1.log", "Z ended\n");
    domain_free(domain);
}

/* A program that prints without end: two files of a megabyte, the last part of what it printed. */
static void output_without_end_has_a_bound(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    assert_answer(domain, "ok",
        "start key=a service=1.1 family=f version=1 folder=%s command=/bin/sh command=-c "
        "command=seq%%20400000%%3Bsleep%%20600 port=http=8080 grace_ms=100",
        domain->package);
    wait_output(domain, "1.1/1.log", "\n400000\n");
    AUTO(free_text) char *before = kept_output(domain, "1.1/1.log.1"), *last = kept_output(domain, "1.1/1.log");
    assert_in_range(strlen(before), 1024 * 1024, 1024 * 1024 + 128 * 1024);
    assert_in_range(strlen(last), 1, 1024 * 1024 + 128 * 1024);
    domain_free(domain);
}

static void only_the_last_ended_services_keep_their_output(void **state)
{
    (void)state;
    struct domain *domain = domain_new(true);
    for (int i = 1; i <= 33; i++) {
        AUTO(free_text) char *logs = mem_format("%s/logs", domain->folder), *folder = mem_format("%s/%d.9", logs, i);
        AUTO(free_text) char *file = mem_format("%s/1.log", folder);
        struct timespec times[2] = {{i, 0}, {i, 0}};
        mkdir(logs, 0700);
        assert_int_equal(mkdir(folder, 0700), 0);
        close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
    }
    start_service(domain, "1.1", "a", "");
    wait_output(domain, "1.1/1.log", "serving");
    AUTO(free_text) char *oldest = mem_format("%s/logs/1.9", domain->folder), *next = mem_format("%s/logs/2.9", domain->folder);
    assert_int_equal(access(oldest, F_OK), -1);
    assert_int_equal(access(next, F_OK), 0);
    domain_free(domain);
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_own_words_are_in_status),
        cmocka_unit_test(the_last_words_stay_before_empty_lines),
        cmocka_unit_test(the_last_words_stay_while_the_next_one_begins),
        cmocka_unit_test(one_that_ignores_sigterm_is_killed),
        cmocka_unit_test(one_that_takes_too_much_memory_is_ended),
        cmocka_unit_test(ports_and_variables_are_given),
        cmocka_unit_test(killed_instances_come_back_without_a_failed_request),
        cmocka_unit_test(haproxy_can_do_nothing_else),
        cmocka_unit_test(a_killed_haproxy_is_restored),
        cmocka_unit_test(a_killed_keeper_takes_all_with_it_and_the_next_restores_it),
        cmocka_unit_test(what_an_instance_prints_outlives_it_and_its_keeper),
        cmocka_unit_test(output_without_end_has_a_bound),
        cmocka_unit_test(only_the_last_ended_services_keep_their_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
