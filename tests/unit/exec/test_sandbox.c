/* test_sandbox.c: a real sandbox: what a step inside can see, reach and be; and the degrees below it. */
#include "harness.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

static bool namespaces_here(struct harness *harness)
{
    const struct seen *isolation = harness_wait(harness, SHIM_ISOLATION, 1);
    if (isolation->report.degree == DEGREE_NAMESPACES) return true;
    print_message("skipped: no namespaces here: %s\n", isolation->text);
    return false;
}

static struct harness *sandboxed(void)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_DEFAULT);
    if (namespaces_here(harness)) return harness;
    harness_free(harness);
    skip();
    return NULL;
}

/* Runs a script and gives what it printed; the test fails when it does not exit 0. Caller frees. */
static char *output_of(struct harness *harness, uint32_t step, const char *script)
{
    harness_sh(harness, step, 1, script);
    const struct seen *end = harness_end_of(harness, step);
    AUTO(free_text) char *error = harness_log(harness, step, LOG_STDERR);
    if (end->report.type != SHIM_EXITED || end->report.exit_code != 0)
        fail_msg("`%s`: report %d, exit code %d, %s %s", script, end->report.type, end->report.exit_code, end->text, error);
    return harness_log(harness, step, LOG_STDOUT);
}

static void is_somebody_without_rights(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *user = output_of(harness, 1, "id -un; test $(id -u) -ne 0; hostname");
    assert_string_equal(user, "build\ncrescendo\n");
    AUTO(free_text) char *rights = output_of(harness, 2, "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status");
    assert_string_equal(rights, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                                "CapBnd:\t0000000000000000\n"
                                "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    harness_free(harness);
}

static void is_what_the_kernel_ends_first_without_memory(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *score = output_of(harness, 1, "cat /proc/self/oom_score_adj");
    assert_string_equal(score, "300\n");
    harness_free(harness);
}

/* The half of the tree that is made once for all stages: a second stage's is whole, and what the first wrote is not in it. */
static void shares_nothing_that_can_be_written_with_another_stage(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    static const char script[] = "for f in /tmp /var/tmp /dev/shm /home/build; do test ! -e $f/mine; echo mine >$f/mine; done; "
                                 "ls /run/crescendo | wc -l; ls /dev/pts; ! touch /x /home/x /run/x /dev/x 2>/dev/null";
    AUTO(free_text) char *first = output_of(harness, 1, script);
    harness_sandbox(harness, 2, SANDBOX_DEFAULT);
    harness_wait(harness, SHIM_ISOLATION, 2);
    harness_sh(harness, 2, 2, script);
    const struct seen *end = harness_end_of(harness, 2);
    AUTO(free_text) char *second = harness_log(harness, 2, LOG_STDOUT);
    assert_int_equal(end->report.exit_code, 0);
    assert_string_equal(second, first);
    harness_free(harness);
}

/* The half that is made once is made again when the machine's mounts are others. In a mount namespace of the test's own. */
static void sees_what_was_mounted_since(void **state)
{
    (void)state;
    AUTO(close_fd) int before = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    AUTO(close_fd) int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) skip();
    struct harness *harness = sandboxed();
    AUTO(free_text) char *first = output_of(harness, 1, "! test -e /opt/mounted-since");
    assert_int_equal(mount("none", "/opt", "tmpfs", 0, NULL), 0);
    assert_int_equal(mkdir("/opt/mounted-since", 0755), 0);
    harness_sandbox(harness, 2, SANDBOX_DEFAULT);
    harness_sh(harness, 2, 2, "test -e /opt/mounted-since");
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    harness_free(harness);
    assert_int_equal(setns(before, CLONE_NEWNS), 0);
    assert_int_equal(fchdir(here), 0);
}

static void sees_its_workspace_and_nothing_else(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *neighbour = mem_format("%s/log", harness->folder);
    AUTO(free_text)
    char *script = mem_format("pwd; test ! -e %s; test ! -e /sys/kernel; test ! -e /root; "
                              "test ! -e /proc/1/root/home/build 2>/dev/null; "
                              "echo made > file; ls -A /tmp | grep -v crescendo-exec | wc -l",
        neighbour);
    AUTO(free_text) char *out = output_of(harness, 1, script);
    AUTO(free_text) char *wanted = mem_format("%s\n0\n", harness->workspace);
    assert_string_equal(out, wanted);
    AUTO(free_text) char *made = mem_format("%s/file", harness->workspace);
    struct stat facts;
    assert_int_equal(stat(made, &facts), 0);
    assert_int_equal(facts.st_uid, geteuid()); /* outside it is ours, whoever the step was inside */
    harness_free(harness);
}

static void cannot_write_outside(void **state)
{
    (void)state;
    static const char *const attempts[] = {"echo x > /usr/crescendo-escape", "echo x > /etc/crescendo-escape", "echo x > /crescendo-escape",
        "echo root::0:0::/:/bin/sh >> /etc/passwd", "echo x > /proc/sys/kernel/core_pattern", "echo b > /proc/sysrq-trigger",
        "mount -t tmpfs none /mnt", "mount -o remount,rw /usr", "umount /etc", "umount /proc", "unshare -r true", "unshare -m true",
        "chroot . true", "cat /etc/shadow", "cat /proc/1/environ", "ls /proc/1/root/", "kill -9 1", "mknod x b 8 0", "nsenter -t 1 -m true",
        "dmesg -c", "date -s 2001-01-01", "hostname other"};
    struct harness *harness = sandboxed();
    for (uint32_t i = 0; i < COUNT_OF(attempts); i++) {
        harness_sh(harness, i + 1, 1, attempts[i]);
        const struct seen *end = harness_end_of(harness, i + 1);
        if (end->report.exit_code == 0) fail_msg("the sandbox let this pass: %s", attempts[i]);
    }
    assert_int_equal(access("/usr/crescendo-escape", F_OK), -1);
    assert_int_equal(access("/etc/crescendo-escape", F_OK), -1);
    harness_free(harness);
}

static void writes_the_folders_that_it_was_given(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    harness_sandbox_with_folders(harness, 1);
    if (!namespaces_here(harness)) {
        harness_free(harness);
        skip();
    }
    AUTO(free_text)
    char *out = output_of(harness, 1,
        "echo one > ../writable/made; ls ../readable; "
        "echo two > ../readable/made || echo refused");
    assert_string_equal(out, "refused\n");
    AUTO(free_text) char *kept = output_of(harness, 2, "cat ../writable/made"); /* outlives its step */
    assert_string_equal(kept, "one\n");
    harness_folders_are_kept(harness);
    harness_free(harness);
}

static void has_no_network_but_its_own_loopback(void **state)
{
    (void)state;
    AUTO(close_fd) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    struct harness *harness = sandboxed();
    AUTO(free_text) char *outside = mem_format("! bash -c 'echo > /dev/tcp/127.0.0.1/%u' 2>/dev/null", ntohs(address.sin_port));
    AUTO(free_text) char *nothing = output_of(harness, 1, outside);
    assert_string_equal(nothing, "");
    AUTO(free_text)
    char *inside = output_of(harness, 2,
        "perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1\") or die; "
        "IO::Socket::INET->new(PeerAddr => \"127.0.0.1\", PeerPort => $l->sockport) or die; print \"heard\\n\"'");
    assert_string_equal(inside, "heard\n");
    harness_free(harness);
}

static void may_have_the_hosts_network(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    struct sandbox_request request = {.stage = 1, .workspace = harness->workspace, .network_host = true};
    supervisor_sandbox(harness->supervisor, &request);
    if (!namespaces_here(harness)) {
        harness_free(harness);
        skip();
    }
    AUTO(free_text) char *inside = output_of(harness, 1, "readlink /proc/self/ns/net");
    char outside[64] = "";
    assert_true(readlink("/proc/self/ns/net", outside, sizeof outside - 1) > 0);
    assert_int_equal(strncmp(inside, outside, strlen(outside)), 0);
    harness_free(harness);
}

static void environment_is_what_was_given(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *out = output_of(harness, 1, "tr '\\0' '\\n' < /proc/self/environ");
    assert_string_equal(out, "PATH=/usr/bin:/bin\nLANG=C\nCRESCENDO_OUTPUT=/run/crescendo/1-1\nHOME=/home/build\n");
    harness_free(harness);
}

static void steps_of_a_stage_share_files_not_processes(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    harness_sh(harness, 1, 1, "echo shared > /tmp/note; exec sleep 987001");
    harness_wait(harness, SHIM_STARTED, 1);
    AUTO(free_text)
    char *out = output_of(harness, 2,
        "until cat /tmp/note 2>/dev/null; do sleep 0.01; done; "
        "ps ax -o args= | grep -c '[9]87001'; true");
    assert_string_equal(out, "shared\n0\n");
    supervisor_cancel(harness->supervisor, 1, 1);
    assert_int_equal(harness_end_of(harness, 1)->report.cause, SHIM_CAUSE_CANCELLED);
    harness_free(harness);
}

static void daemons_die_with_their_step(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    harness_sh(harness, 1, 1,
        "(setsid sleep 987002 >/dev/null 2>&1 </dev/null &) & "
        "(trap '' TERM; setsid sleep 987002 &) & sleep 0.1; exit 0");
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "987002"));
    harness_free(harness);
}

static void everything_dies_with_the_shim(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    harness_sh(harness, 1, 1, "trap '' TERM; setsid sleep 987003 & sleep 987003");
    harness_wait(harness, SHIM_STARTED, 1);
    while (harness_processes("987003") < 2)
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "987003"));
    harness_free(harness);
}

static void ignoring_sigterm_helps_nobody(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    const char *const argv[] = {"sh", "-c", "trap '' TERM; while :; do sleep 0.05; done", NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.timeout_ms = 100;
    request.grace_ms = 100;
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_TIMEOUT);
    assert_string_equal(end->text, "timeout of 100 ms");
    harness_free(harness);
}

static void sigterm_reaches_every_process(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    harness_sh(harness, 1, 1,
        "(trap 'echo child; exit' TERM; touch ready; while :; do sleep 0.01; done) & "
        "trap 'wait; echo parent; exit 3' TERM; wait");
    harness_wait(harness, SHIM_STARTED, 1);
    AUTO(free_text) char *ready = mem_format("%s/ready", harness->workspace);
    while (access(ready, F_OK) < 0)
        uv_run(&harness->loop, UV_RUN_NOWAIT);
    supervisor_cancel(harness->supervisor, 1, 1);
    const struct seen *end = harness_end_of(harness, 1);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    assert_int_equal(end->report.cause, SHIM_CAUSE_CANCELLED);
    assert_non_null(strstr(out, "child\n"));
    harness_free(harness);
}

static void a_missing_program_is_refused(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    const char *const argv[] = {"no-such-program", NULL};
    struct start_request request = harness_request(1, 1, argv);
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_REFUSED);
    assert_non_null(strstr(end->text, "no-such-program"));
    harness_free(harness);
}

static void disk_limit_ends_a_step(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    struct sandbox_request request = {.stage = 1, .workspace = harness->workspace, .disk_bytes = 8 * 1024 * 1024};
    supervisor_sandbox(harness->supervisor, &request);
    if (!namespaces_here(harness)) {
        harness_free(harness);
        skip();
    }
    harness_sh(harness, 1, 1, "i=0; while :; do i=$((i + 1)); head -c 1000000 /dev/zero > file$i; done");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.cause, SHIM_CAUSE_DISK);
    assert_string_equal(end->text, "its workspace grew over 8.0 MiB");
    AUTO(free_text) char *full = mem_format("rm -f file*; ! head -c 20000000 /dev/zero > /tmp/large 2>/dev/null");
    AUTO(free_text) char *nothing = output_of(harness, 2, full); /* /tmp is as small */
    assert_string_equal(nothing, "");
    AUTO(free_text)
    char *sizes = output_of(harness, 3, "for f in /tmp /var/tmp /dev/shm; do df --output=size -k $f | tail -1 | tr -d ' '; done");
    assert_string_equal(sizes, "8192\n8192\n8192\n");
    harness_free(harness);
}

/* The same limits in both kinds of stage: by cgroup where there is one, by rlimit else. */
static void limits_strike(enum sandbox_mode mode)
{
    struct harness *harness = harness_new();
    struct sandbox_request request = {.stage = 1,
        .workspace = harness->workspace,
        .mode = mode,
        .memory_bytes = 64 * 1024 * 1024,
        .processes = 20,
        .cpu_thousandths = 1000};
    supervisor_sandbox(harness->supervisor, &request);
    const char *how = harness_wait(harness, SHIM_ISOLATION, 1)->text;
    harness_sh(harness, 1, 1, "perl -e '$x = \"a\" x 200_000_000; print length $x'");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_EXITED);
    assert_true(end->report.cause != SHIM_CAUSE_EXIT || end->report.exit_code != 0);
    if (strstr(how, "memory limited by cgroup")) {
        assert_int_equal(end->report.cause, SHIM_CAUSE_MEMORY);
        assert_string_equal(end->text, "it needed more than its memory limit of 64.0 MiB");
    }
    harness_sh(harness, 2, 1, "for i in $(seq 100); do sleep 987004 & done; exit 1");
    end = harness_end_of(harness, 2);
    if (strstr(how, "processes limited by cgroup")) assert_int_equal(end->report.cause, SHIM_CAUSE_PROCESSES);
    assert_true(harness_turn(harness, harness_gone, (void *)(uintptr_t) "987004"));
    harness_sh(harness, 3, 1, "exit 0");
    assert_int_equal(harness_end_of(harness, 3)->report.exit_code, 0);
    AUTO(free_text) char *noted = mem_format("%s/cgroups", harness->folder);
    supervisor_end(harness->supervisor);
    harness->supervisor = NULL;
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    assert_int_equal(access(noted, F_OK), -1); /* no cgroup stays behind */
    harness_free(harness);
}

static void limits_strike_in_a_sandbox(void **state)
{
    (void)state;
    limits_strike(SANDBOX_DEFAULT);
}

static void limits_strike_without_one(void **state)
{
    (void)state;
    limits_strike(SANDBOX_NONE);
}

static void a_killed_shim_leaves_no_cgroup(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    struct sandbox_request request = {.stage = 1, .workspace = harness->workspace, .memory_bytes = 64 * 1024 * 1024, .processes = 20};
    supervisor_sandbox(harness->supervisor, &request);
    harness_wait(harness, SHIM_ISOLATION, 1);
    AUTO(free_text) char *path = mem_format("%s/cgroups", harness->folder);
    AUTO(free_text) char *noted = NULL;
    bool some = file_read(path, 1 << 16, &noted, NULL, NULL) == 0;
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    supervisor_sweep(harness->folder);
    if (some) noted[strcspn(noted, "\n")] = '\0'; /* the first is the run's own, in one of the trees */
    if (some) assert_int_equal(access(noted, F_OK), -1);
    assert_int_equal(access(path, F_OK), -1);
    harness_free(harness);
    if (!some) skip(); /* no cgroups to be had here */
}

/* Many steps at once write to the one socket of their stage: their outputs come in pieces, and none is mixed with another's. */
static void large_outputs_of_many_steps_come_whole(void **state)
{
    (void)state;
    enum { STEPS = 6, LINES = 9000 };
    struct harness *harness = sandboxed();
    char scripts[STEPS][160];
    for (uint32_t i = 0; i < STEPS; i++) {
        snprintf(scripts[i], sizeof scripts[i], "yes step-%u-says-a-line | head -n %d > $CRESCENDO_OUTPUT", i, LINES);
        harness_sh(harness, i + 1, 1, scripts[i]);
    }
    for (uint32_t i = 0; i < STEPS; i++) {
        const struct seen *end = harness_end_of(harness, i + 1);
        assert_int_equal(end->report.exit_code, 0);
        AUTO(free_text) char *line = mem_format("step-%u-says-a-line\n", i);
        assert_int_equal(end->report.outputs_size, LINES * strlen(line));
        for (size_t at = 0; at < end->report.outputs_size; at += strlen(line))
            assert_memory_equal(end->outputs + at, line, strlen(line));
    }
    harness_free(harness);
}

/* What is handed over is larger than what a socket takes at once. */
static void a_large_environment_arrives(void **state)
{
    (void)state;
    enum { VARIABLES = 12, VARIABLE_BYTES = 100 * 1000 };
    struct harness *harness = sandboxed();
    char *environment[VARIABLES + 1] = {NULL};
    for (unsigned i = 0; i < VARIABLES; i++) {
        environment[i] = mem_alloc(VARIABLE_BYTES + 1);
        memset(environment[i], 'x', VARIABLE_BYTES);
        environment[i][VARIABLE_BYTES] = '\0';
        memcpy(environment[i], (const char[]){'V', (char)('A' + i), '='}, 3);
    }
    const char *const argv[] = {"/bin/sh", "-c", "echo ${#VB}", NULL};
    struct start_request request = harness_request(1, 1, argv);
    request.environment = (const char *const *)environment;
    supervisor_start(harness->supervisor, &request);
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    AUTO(free_text) char *out = harness_log(harness, 1, LOG_STDOUT);
    AUTO(free_text) char *wanted = mem_format("%d\n", VARIABLE_BYTES - 3);
    assert_string_equal(out, wanted);
    for (unsigned i = 0; i < VARIABLES; i++)
        free(environment[i]);
    harness_free(harness);
}

/* Whether its process 1 has its orders yet or not. */
static void a_cancel_right_behind_a_start_ends_it(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *first = output_of(harness, 1, "true"); /* from now on a spare waits */
    assert_string_equal(first, "");
    for (uint32_t step = 2; step < 12; step++) {
        harness_sh(harness, step, 1, "sleep 60");
        supervisor_cancel(harness->supervisor, step, 1);
        const struct seen *end = harness_end_of(harness, step);
        assert_true(end->report.type == SHIM_DROPPED || end->report.cause == SHIM_CAUSE_CANCELLED);
    }
    AUTO(free_text) char *out = output_of(harness, 12, "echo still here");
    assert_string_equal(out, "still here\n");
    harness_free(harness);
}

static void many_steps_leave_nothing_behind(void **state)
{
    (void)state;
    struct harness *harness = sandboxed();
    AUTO(free_text) char *first = output_of(harness, 1, "echo one");
    unsigned before = harness_descriptors(harness);
    for (uint32_t step = 2; step < 60; step++)
        harness_sh(harness, step, 1, "echo more");
    for (uint32_t step = 2; step < 60; step++)
        assert_int_equal(harness_end_of(harness, step)->report.exit_code, 0);
    assert_int_equal(harness_descriptors(harness), before);
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_somebody_without_rights),
        cmocka_unit_test(is_what_the_kernel_ends_first_without_memory),
        cmocka_unit_test(shares_nothing_that_can_be_written_with_another_stage),
        cmocka_unit_test(sees_what_was_mounted_since),
        cmocka_unit_test(sees_its_workspace_and_nothing_else),
        cmocka_unit_test(cannot_write_outside),
        cmocka_unit_test(writes_the_folders_that_it_was_given),
        cmocka_unit_test(has_no_network_but_its_own_loopback),
        cmocka_unit_test(may_have_the_hosts_network),
        cmocka_unit_test(environment_is_what_was_given),
        cmocka_unit_test(steps_of_a_stage_share_files_not_processes),
        cmocka_unit_test(daemons_die_with_their_step),
        cmocka_unit_test(everything_dies_with_the_shim),
        cmocka_unit_test(ignoring_sigterm_helps_nobody),
        cmocka_unit_test(sigterm_reaches_every_process),
        cmocka_unit_test(a_missing_program_is_refused),
        cmocka_unit_test(disk_limit_ends_a_step),
        cmocka_unit_test(limits_strike_in_a_sandbox),
        cmocka_unit_test(limits_strike_without_one),
        cmocka_unit_test(a_killed_shim_leaves_no_cgroup),
        cmocka_unit_test(large_outputs_of_many_steps_come_whole),
        cmocka_unit_test(a_large_environment_arrives),
        cmocka_unit_test(a_cancel_right_behind_a_start_ends_it),
        cmocka_unit_test(many_steps_leave_nothing_behind),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_spares = true; /* the same, of a sandbox that was made ahead */
    return failed + cmocka_run_group_tests_name("with a spare supervisor", tests, NULL, NULL);
}
