/* test_degrees.c: what a stage gets on machines that allow less: the real shim, started where namespaces, and then Landlock too, are
   refused by the kernel. This program is the wrapper that takes them away: `test_degrees --without-landlock SHIM RUN`. */
#include "harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* From here on, the system call is not there. */
static void hide_landlock(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(1);
}

/* A shim path that starts the real one with less: in a user namespace that allows no further ones, and, unless only those are to be
   missing, no namespaces at all and no capabilities. */
enum less { NO_USERS, NO_NAMESPACES, NO_LANDLOCK };
static struct harness *harness_with_less(const char *self, enum less less)
{
    char script[] = "/tmp/crescendo-wrap-XXXXXX";
    int fd = mkstemp(script);
    assert_true(fd >= 0);
    AUTO(free_text) char *shim = realpath(harness_shim_path(), NULL);
    AUTO(free_text) char *program = realpath(self, NULL);
    assert_non_null(shim);
    dprintf(fd,
        "#!/bin/sh\nexec unshare --user --map-root-user sh -c '"
        "for kind in %s; do echo 0 > /proc/sys/user/max_${kind}_namespaces; done; exec %s %s %s %s \"$1\"' sh \"$1\"\n",
        less == NO_USERS ? "user" : "user mnt pid net", less == NO_USERS ? "" : "setpriv --bounding-set=-all --inh-caps=-all --",
        less == NO_LANDLOCK ? program : "", less == NO_LANDLOCK ? "--without-landlock" : "", shim);
    fchmod(fd, 0755);
    close(fd);
    char *before = mem_copy_text(getenv("CRESCENDO_SHIM"));
    setenv("CRESCENDO_SHIM", script, 1);
    struct harness *harness = harness_new_in("/var/tmp"); /* Landlock leaves /tmp to all */
    if (before)
        setenv("CRESCENDO_SHIM", before, 1);
    else
        unsetenv("CRESCENDO_SHIM");
    free(before);
    unlink(script);
    return harness;
}

static bool can_take_away(void)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0) {
        execlp("unshare", "unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces", (char *)NULL);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static char *output_of(struct harness *harness, uint32_t step, const char *script)
{
    harness_sh(harness, step, 1, script);
    const struct seen *end = harness_end_of(harness, step);
    AUTO(free_text) char *error = harness_log(harness, step, LOG_STDERR);
    if (end->report.type != SHIM_EXITED || end->report.exit_code != 0)
        fail_msg("`%s`: report %d, exit code %d, %s %s", script, end->report.type, end->report.exit_code, end->text, error);
    return harness_log(harness, step, LOG_STDOUT);
}

static void root_needs_no_user_namespaces(void **state)
{
    if (!can_take_away()) skip();
    struct harness *harness = harness_with_less(*state, NO_USERS);
    harness_sandbox(harness, 1, SANDBOX_DEFAULT);
    const struct seen *isolation = harness_wait(harness, SHIM_ISOLATION, 1);
    assert_int_equal(isolation->report.degree, DEGREE_NAMESPACES);
    assert_non_null(strstr(isolation->text, "without a user namespace"));
    AUTO(free_text)
    char *out = output_of(harness, 1,
        "echo made > file; cat file; grep -E 'CapEff|CapBnd|NoNew' /proc/self/status; "
        "test ! -e ../log");
    assert_string_equal(out, "made\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
    harness_free(harness);
}

static void landlock_is_the_second_degree(void **state)
{
    if (!can_take_away() || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    struct harness *harness = harness_with_less(*state, NO_NAMESPACES);
    harness_sandbox(harness, 1, SANDBOX_DEFAULT);
    const struct seen *isolation = harness_wait(harness, SHIM_ISOLATION, 1);
    assert_int_equal(isolation->report.degree, DEGREE_LANDLOCK);
    assert_non_null(strstr(isolation->text, "no namespaces (user namespaces: "));
    AUTO(free_text)
    char *made = output_of(harness, 1,
        "echo made > file; cat file; echo a=b > $CRESCENDO_OUTPUT; "
        "grep -E 'NoNew|Seccomp:' /proc/self/status");
    assert_string_equal(made, "made\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    assert_string_equal(harness_find(harness, SHIM_EXITED, 1)->outputs, "a=b\n");
    assert_int_equal(harness_find(harness, SHIM_STARTED, 1)->report.degree, DEGREE_LANDLOCK);
    static const char *const attempts[] = {"echo x > ../escape", "echo x > /usr/crescendo-escape", "cat ../log", "cat /etc/shadow",
        "ls /sys", "bash -c 'echo > /dev/tcp/127.0.0.1/22'", "perl -MSocket -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0) or exit 1'",
        "unshare -r true", "kill -0 $PPID"};
    for (uint32_t i = 0; i < COUNT_OF(attempts); i++) {
        harness_sh(harness, i + 2, 1, attempts[i]);
        if (harness_end_of(harness, i + 2)->report.exit_code == 0) fail_msg("Landlock and the filter let this pass: %s", attempts[i]);
    }
    harness_free(harness);
}

static void landlock_lets_the_given_folders_be_written(void **state)
{
    if (!can_take_away() || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    struct harness *harness = harness_with_less(*state, NO_NAMESPACES);
    harness_sandbox_with_folders(harness, 1);
    assert_int_equal(harness_wait(harness, SHIM_ISOLATION, 1)->report.degree, DEGREE_LANDLOCK);
    AUTO(free_text)
    char *out = output_of(harness, 1,
        "echo one > ../writable/made; ls ../readable; "
        "echo two > ../readable/made || echo refused");
    assert_string_equal(out, "refused\n");
    harness_folders_are_kept(harness);
    harness_free(harness);
}

static void without_landlock_it_is_refused(void **state)
{
    if (!can_take_away()) skip();
    struct harness *harness = harness_with_less(*state, NO_LANDLOCK);
    harness_sandbox(harness, 1, SANDBOX_DEFAULT);
    harness_sh(harness, 1, 1, "echo ran");
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.type, SHIM_REFUSED);
    assert_non_null(strstr(end->text, "user namespaces"));
    assert_non_null(strstr(end->text, "Landlock"));
    assert_non_null(strstr(end->text, "`sandbox: none`"));
    assert_null(harness_find(harness, SHIM_STARTED, 1));
    harness_sandbox(harness, 2, SANDBOX_NONE); /* said by the pipeline: then it runs */
    harness_sh(harness, 2, 2, "echo ran");
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    assert_int_equal(harness_find(harness, SHIM_STARTED, 2)->report.degree, DEGREE_NONE);
    harness_free(harness);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--without-landlock") == 0) {
        hide_landlock();
        execl(argv[2], "crescendo-shim", argv[3], (char *)NULL);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(root_needs_no_user_namespaces, argv[0]),
        cmocka_unit_test_prestate(landlock_is_the_second_degree, argv[0]),
        cmocka_unit_test_prestate(landlock_lets_the_given_folders_be_written, argv[0]),
        cmocka_unit_test_prestate(without_landlock_it_is_refused, argv[0]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
