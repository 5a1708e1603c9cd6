/* test_tar.c: what tar itself unpacks is what was put in: files, folders, links, long names. */
#include "base/file.h"
#include "base/mem.h"
#include "base/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct tar tar;
};

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/crescendo-test-XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    AUTO(free_text) char *path = mem_format("%s/all.tar", fixture->folder);
    fixture->tar.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    *state = fixture;
    return fixture->tar.fd < 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    close(fixture->tar.fd);
    int failed = file_remove_tree(fixture->folder, &err);
    free(fixture);
    return failed;
}

static char *place(const struct fixture *fixture, const char *name)
{
    return mem_format("%s/%s", fixture->folder, name);
}

static void write_file(const struct fixture *fixture, const char *name, const char *bytes, size_t size)
{
    AUTO(free_text) char *path = place(fixture, name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, bytes, size), 0);
}

static bool add(struct fixture *fixture, const char *from, const char *name)
{
    AUTO(free_text) char *path = place(fixture, from);
    struct error err = {0};
    bool taken;
    if (tar_add(&fixture->tar, path, name, &taken, &err) < 0) fail_msg("%s", err.message);
    return taken;
}

static void unpack(struct fixture *fixture)
{
    struct error err = {0};
    AUTO(free_text) char *archive = place(fixture, "all.tar");
    AUTO(free_text) char *out = place(fixture, "out");
    char *const argv[] = {"tar", "-xf", archive, "-C", out, NULL};
    pid_t pid;
    int status = -1;
    if (tar_end(&fixture->tar, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(fixture->tar.size % 512, 0);
    assert_int_equal(mkdir(out, 0700), 0);
    assert_int_equal(posix_spawnp(&pid, "tar", NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void expect_file(const struct fixture *fixture, const char *name, const char *bytes, size_t size)
{
    AUTO(free_text) char *path = place(fixture, name);
    AUTO(free_text) char *found = NULL;
    size_t found_size = 0;
    struct error err = {0};
    if (file_read(path, SIZE_MAX / 2, &found, &found_size, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(found_size, size);
    assert_memory_equal(found, bytes, size);
}

static void files_folders_and_links_come_back(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text) char *large = mem_alloc(700001);
    memset(large, 'x', 700001);
    write_file(fixture, "small", "one\n", 4);
    write_file(fixture, "empty", "", 0);
    write_file(fixture, "large", large, 700001);
    AUTO(free_text) char *link = place(fixture, "link");
    assert_int_equal(symlink("small", link), 0);
    assert_true(add(fixture, ".", "a"));
    assert_true(add(fixture, "small", "a/small"));
    assert_true(add(fixture, "empty", "a/empty"));
    assert_true(add(fixture, "large", "a/large"));
    assert_true(add(fixture, "link", "a/link"));
    assert_int_equal(fixture->tar.files, 3);
    unpack(fixture);
    expect_file(fixture, "out/a/small", "one\n", 4);
    expect_file(fixture, "out/a/empty", "", 0);
    expect_file(fixture, "out/a/large", large, 700001);
    expect_file(fixture, "out/a/link", "one\n", 4);
    AUTO(free_text) char *path = place(fixture, "out/a/small");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void a_long_name_is_cut_in_two(void **state)
{
    struct fixture *fixture = *state;
    char name[180];
    memset(name, 'n', sizeof name);
    name[90] = '/';
    name[sizeof name - 1] = '\0';
    write_file(fixture, "small", "one\n", 4);
    assert_true(add(fixture, "small", name));
    unpack(fixture);
    AUTO(free_text) char *out = mem_format("out/%s", name);
    expect_file(fixture, out, "one\n", 4);
}

static void a_name_that_does_not_fit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char name[160];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    write_file(fixture, "small", "one\n", 4);
    AUTO(free_text) char *path = place(fixture, "small");
    struct error err = {0};
    bool taken;
    assert_int_equal(tar_add(&fixture->tar, path, name, &taken, &err), -ERROR_LIMIT);
}

static void what_is_gone_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    assert_false(add(fixture, "nothing", "nothing"));
    AUTO(free_text) char *pipe = place(fixture, "pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_false(add(fixture, "pipe", "pipe"));
    assert_int_equal(fixture->tar.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_folders_and_links_come_back, begin, end),
        cmocka_unit_test_setup_teardown(a_long_name_is_cut_in_two, begin, end),
        cmocka_unit_test_setup_teardown(a_name_that_does_not_fit_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_is_gone_is_passed_over, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
