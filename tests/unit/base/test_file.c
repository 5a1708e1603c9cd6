/* test_file.c: files and folders, whole, also where somebody made them hard to remove. */
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

/* The tests of permissions mean nothing to root, so root becomes somebody else for the while of each test. */
static int begin(void **state)
{
    if (getuid() == 0 && seteuid(NOBODY) < 0) return -1;
    char *folder = mem_copy_text("/tmp/crescendo-test-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    struct error err = {0};
    int failed = file_remove_tree(*state, &err);
    if (failed) print_error("%s\n", err.message);
    free(*state);
    if (getuid() == 0 && seteuid(0) < 0) return -1;
    return failed;
}

static char *below(void **state, const char *name)
{
    return mem_format("%s/%s", (const char *)*state, name);
}

static void make_file(const char *path, const char *text)
{
    struct error err = {0};
    if (file_replace(path, text, strlen(text), 0600, &err)) fail_msg("%s", err.message);
}

static void what_is_written_is_read(void **state)
{
    AUTO(free_text) char *path = below(state, "file");
    AUTO(free_text) char *bytes = NULL;
    size_t size = 0;
    static const char content[] = "a\0b";
    assert_int_equal(file_replace(path, content, sizeof content, 0640, NULL), 0);
    assert_int_equal(file_read(path, 100, &bytes, &size, NULL), 0);
    assert_int_equal(size, sizeof content);
    assert_memory_equal(bytes, content, size);
    assert_int_equal(bytes[size], 0);
}

static void reading_has_a_limit_and_names_the_path(void **state)
{
    AUTO(free_text) char *path = below(state, "file");
    AUTO(free_text) char *bytes = NULL;
    struct error err = {0};
    assert_int_equal(file_read(path, 100, &bytes, NULL, &err), -ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    make_file(path, "12345");
    assert_int_equal(file_read(path, 4, &bytes, NULL, &err), -ERROR_LIMIT);
    assert_null(bytes);
    assert_int_equal(file_read(path, 5, &bytes, NULL, &err), 0);
    AUTO(free_text) char *nothing = NULL;
    assert_true(file_read(*state, 100, &nothing, NULL, &err) < 0); /* a folder */
}

static void replacing_keeps_the_old_or_has_the_new(void **state)
{
    AUTO(free_text) char *path = below(state, "file");
    AUTO(free_text) char *leftover = mem_format("%s.new-%d", path, (int)getpid());
    AUTO(free_text) char *bytes = NULL;
    make_file(path, "old");
    make_file(leftover, "half of a write that a crash has ended");
    assert_int_equal(chmod(leftover, 0400), 0);
    assert_int_equal(file_replace(path, "new", 3, 0400, NULL), 0);
    assert_int_equal(file_read(path, 100, &bytes, NULL, NULL), 0);
    assert_string_equal(bytes, "new");
    assert_false(file_exists(leftover));
    AUTO(free_text) char *folder = below(state, "folder");
    AUTO(free_text) char *half = mem_format("%s.new-%d", folder, (int)getpid());
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_true(file_replace(folder, "x", 1, 0600, NULL) < 0);
    assert_false(file_exists(half));
}

static void folders_are_made_with_their_parents(void **state)
{
    AUTO(free_text) char *path = below(state, "a/b//c/");
    AUTO(free_text) char *file = below(state, "file");
    AUTO(free_text) char *under_file = below(state, "file/x");
    struct error err = {0};
    assert_int_equal(file_make_folders(path, 0700, NULL), 0);
    assert_int_equal(file_make_folders(path, 0700, NULL), 0);
    assert_true(file_exists(path));
    make_file(file, "");
    assert_true(file_make_folders(file, 0700, &err) < 0);
    assert_non_null(strstr(err.message, file));
    assert_true(file_make_folders(under_file, 0700, NULL) < 0);
    assert_int_equal(file_make_folders("", 0700, NULL), -ERROR_INVALID);
    assert_int_equal(file_make_folders("/", 0700, NULL), 0);
}

static void folders_that_are_kept_are_made_like_others(void **state)
{
    AUTO(free_text) char *path = below(state, "a/b//c/");
    AUTO(free_text) char *file = below(state, "file");
    struct error err = {0};
    assert_int_equal(file_keep_folders(path, 0700, NULL), 0);
    assert_int_equal(file_keep_folders(path, 0700, NULL), 0);
    assert_true(file_exists(path));
    make_file(file, "");
    assert_true(file_keep_folders(file, 0700, &err) < 0);
    assert_non_null(strstr(err.message, file));
    assert_int_equal(file_keep_folders("", 0700, NULL), -ERROR_INVALID);
    assert_int_equal(file_keep_folders("/", 0700, NULL), 0);
}

static void removing_follows_no_link(void **state)
{
    AUTO(free_text) char *outside = below(state, "outside");
    AUTO(free_text) char *kept = below(state, "outside/kept");
    AUTO(free_text) char *tree = below(state, "tree");
    AUTO(free_text) char *link_in_tree = below(state, "tree/link");
    AUTO(free_text) char *dangling = below(state, "tree/dangling");
    AUTO(free_text) char *link_itself = below(state, "link");
    assert_int_equal(mkdir(outside, 0700), 0);
    make_file(kept, "kept");
    assert_int_equal(mkdir(tree, 0700), 0);
    assert_int_equal(symlink(outside, link_in_tree), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    assert_int_equal(symlink(outside, link_itself), 0);
    assert_int_equal(file_remove_tree(tree, NULL), 0);
    assert_int_equal(file_remove_tree(link_itself, NULL), 0);
    assert_int_equal(file_remove_tree(link_itself, NULL), 0); /* missing: fine */
    assert_false(file_exists(tree));
    assert_true(file_exists(kept));
}

static void removing_takes_folders_without_rights(void **state)
{
    AUTO(free_text) char *tree = below(state, "tree");
    static const mode_t modes[] = {0, 0100, 0200, 0300, 0400, 0500};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        AUTO(free_text) char *inner = mem_format("%s/mode%zu/inner", tree, i);
        AUTO(free_text) char *outer = mem_format("%s/mode%zu", tree, i);
        AUTO(free_text) char *file = mem_format("%s/file", inner);
        assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
        make_file(file, "x");
        assert_int_equal(chmod(file, 0), 0);
        assert_int_equal(chmod(inner, modes[i]), 0);
        assert_int_equal(chmod(outer, modes[i]), 0);
    }
    assert_int_equal(chmod(tree, 0), 0);
    struct error err = {0};
    if (file_remove_tree(tree, &err)) fail_msg("%s", err.message);
    assert_false(file_exists(tree));
}

/* Deeper than descriptors are, than a path may be long, and than a stack would like; some folders in between without rights. */
static void removing_takes_any_depth(void **state)
{
    AUTO(free_text) char *tree = below(state, "tree");
    assert_int_equal(mkdir(tree, 0700), 0);
    int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 2500; i++) {
        assert_int_equal(mkdirat(fd, "deeper", 0700), 0);
        int next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close_fd(&fd);
        fd = next;
        if (i % 16 == 0) assert_int_equal(mkdirat(fd, "beside", 0500), 0);
    }
    close_fd(&fd);
    struct error err = {0};
    if (file_remove_tree(tree, &err)) fail_msg("%s", err.message);
    assert_false(file_exists(tree));
}

static void removing_says_what_it_cannot(void **state)
{
    AUTO(free_text) char *parent = below(state, "parent");
    AUTO(free_text) char *child = below(state, "parent/child");
    struct error err = {0};
    assert_int_equal(file_make_folders(child, 0700, NULL), 0);
    assert_int_equal(chmod(parent, 0500), 0);
    assert_int_equal(file_remove_tree(child, &err), -ERROR_DENIED);
    assert_non_null(strstr(err.message, child));
}

static void the_program_knows_its_folder(void **state)
{
    (void)state;
    AUTO(free_text) char *folder = file_program_folder();
    AUTO(free_text) char *self = mem_format("%s/test_file", folder);
    if (getuid() == 0) assert_int_equal(seteuid(0), 0);
    assert_true(file_exists(self));
    if (getuid() == 0) assert_int_equal(seteuid(NOBODY), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(reading_has_a_limit_and_names_the_path),
        TEST(replacing_keeps_the_old_or_has_the_new),
        TEST(folders_are_made_with_their_parents),
        TEST(folders_that_are_kept_are_made_like_others),
        TEST(removing_follows_no_link),
        TEST(removing_takes_folders_without_rights),
        TEST(removing_takes_any_depth),
        TEST(removing_says_what_it_cannot),
        TEST(the_program_knows_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
