/* test_keeper_degrees.c: a keeper on machines that allow less: its instances get Landlock, then nothing, and say so. This program is also
   the wrapper that takes Landlock away: `test_keeper_degrees --without-landlock SHIM --keep FOLDER`. */
#include "domain.h"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int without_landlock(char **argv)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(filter), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 1;
    execv(argv[0], argv);
    return 1;
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

/* Starts the keeper anew in a user namespace that allows no further ones, no others and no capabilities. */
static void keep_with_less(struct domain *domain, const char *self, bool landlock)
{
    kill(keeper_pid(domain), SIGTERM);
    wait_gone(domain);
    char script[] = "/tmp/crescendo-wrap-XXXXXX";
    int fd = mkstemp(script);
    AUTO(free_text) char *shim = realpath(shim_path(), NULL);
    AUTO(free_text) char *program = realpath(self, NULL);
    assert_true(fd >= 0 && shim && program);
    dprintf(fd,
        "#!/bin/sh\nexec unshare --user --map-root-user sh -c '"
        "for kind in user mnt pid net; do echo 0 > /proc/sys/user/max_${kind}_namespaces; done; "
        "exec setpriv --bounding-set=-all --inh-caps=-all -- %s %s %s \"$@\"' sh \"$@\"\n",
        landlock ? "" : program, landlock ? "" : "--without-landlock", shim);
    fchmod(fd, 0755);
    close(fd);
    struct error err = {0};
    int code = keeper_ensure(domain->folder, script, &err);
    unlink(script);
    if (code < 0) fail_msg("%s", err.message);
}

static void serves_and_says(const char *self, bool landlock, const char *words)
{
    struct domain *domain = domain_new(true);
    keep_with_less(domain, self, landlock);
    start_service(domain, "1.1", "a", "");
    assert_answer(domain, words, "status");
    pid_t haproxy = (pid_t)number_of(domain, "domain", "haproxy_pid");
    for (int i = 1; i <= 2; i++) { /* what an instance leaves behind is ended with it; HAProxy is no such thing */
        kill((pid_t)number_of(domain, "instance service=1.1", "pid"), SIGKILL);
        wait_until(domain, "instance service=1.1", "restarts", i);
        wait_until(domain, "service service=1.1", "ready", 1);
    }
    char letter = 0;
    AUTO(close_fd) int fd = dial_port(domain->port);
    assert_int_equal(get_on(fd, "/", &letter), 200);
    assert_int_equal(number_of(domain, "domain", "haproxy_pid"), haproxy);
    assert_answer(domain, "ok", "stop key=s service=1.1");
    wait_until(domain, "service service=1.1", "replicas", -1);
    domain_free(domain);
}

/* How many processes have these words, each ended by a NUL, as their command line. */
static unsigned count_running(const char *words, size_t size)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char line[64];
        AUTO(free_text) char *path = mem_format("/proc/%s/cmdline", entry->d_name);
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        count += fd >= 0 && read(fd, line, sizeof line) == (ssize_t)size && memcmp(line, words, size) == 0;
    }
    closedir(folder);
    return count;
}

/* A guardian that was a deputy is not above the keeper: it finds what left its session by what it carries. */
static void what_was_left_of_an_adopted_keeper_is_ended(void **state)
{
    if (!has_haproxy() || !can_take_away()) skip();
    struct domain *domain = domain_new(true);
    keep_with_less(domain, *state, false);
    AUTO(free_text) char *left = mem_format("sleep 600.%d", (int)getpid());
    size_t size = strlen(left) + 1;
    assert_answer(domain, "ok",
        "start key=a service=1.1 family=hello version=1 folder=%s command=/bin/sh command=-c command="
        "setsid%%20sleep%%20600.%d%%20%%26%%20exec%%20./service%%20--serve%%20%%24PORT%%20a port=http=8080 health=/healthz",
        domain->package, (int)getpid());
    wait_until(domain, "service service=1.1 ", "ready", 1);
    left[strlen("sleep")] = '\0';
    assert_int_equal(count_running(left, size), 1);
    pid_t guardian = holder(domain, GUARDIAN_BYTE, 1), keeper = holder(domain, KEEPER_BYTE, 1);
    while (!holder(domain, DEPUTY_BYTE, 1))
        sleep_ms(2);
    kill(guardian, SIGKILL);
    while (holder(domain, GUARDIAN_BYTE, 1) == guardian || !holder(domain, GUARDIAN_BYTE, 1))
        sleep_ms(2);
    kill(keeper, SIGKILL);
    wait_until(domain, "service service=1.1 ", "ready", 1);
    assert_int_equal(count_running(left, size), 1); /* the next instance's */
    domain_free(domain);
}

static void landlock_is_the_second_degree(void **state)
{
    if (!has_haproxy() || !can_take_away() || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    serves_and_says(*state, true, "no namespaces (user namespaces: ");
}

static void without_any_it_runs_and_says_so(void **state)
{
    if (!has_haproxy() || !can_take_away()) skip();
    serves_and_says(*state, false, "it runs without a sandbox: ");
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    if (argc > 2 && strcmp(argv[1], "--without-landlock") == 0) return without_landlock(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(landlock_is_the_second_degree, argv[0]),
        cmocka_unit_test_prestate(what_was_left_of_an_adopted_keeper_is_ended, argv[0]),
        cmocka_unit_test_prestate(without_any_it_runs_and_says_so, argv[0]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
