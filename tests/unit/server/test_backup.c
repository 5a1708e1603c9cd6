/* test_backup.c: a log that is compressed while a backup is taken is in it, under one of its two names; the journal in it is as private as
 * the one in the folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/offline.h"
#include "store/journal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <fcntl.h>

static bool switching; /* the log gets its other name behind its listing */

int lstat(const char *path, struct stat *status)
{
    AUTO(free_text) char *packed = mem_format("%s.zst", path);
    if (switching && text_ends(path, "/runs/1/log")) rename(path, packed);
    return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

static void make_data(const char *data)
{
    AUTO(free_text) char *folder = mem_format("%s/runs/1", data);
    AUTO(free_text) char *log = mem_format("%s/log", folder);
    AUTO(free_text) char *part = mem_format("%s/log.zst.part", folder);
    struct journal *journal = NULL;
    struct error err;
    uv_loop_t loop;
    uv_loop_init(&loop);
    if (file_make_folders(folder, 0700, &err) < 0) fail_msg("%s", err.message);
    if (file_replace(log, "what was said", 13, 0600, &err) < 0) fail_msg("%s", err.message);
    if (file_replace(part, "half", 4, 0600, &err) < 0) fail_msg("%s", err.message);
    if (journal_open(&loop, &(struct journal_options){.folder = data}, &journal, &err) < 0) fail_msg("%s", err.message);
    journal_close(&journal);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

enum { TAR_BLOCK = 512, TAR_MODE = 100 };

static bool is_in(const char *archive, const char *name)
{
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    assert_int_equal(file_read(archive, 1 << 24, &bytes, &size, NULL), 0);
    for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
        if (!text_equal(bytes + at, name)) continue;
        if (text_equal(name, "journal.db")) assert_int_equal(strtol(bytes + at + TAR_MODE, NULL, 8), 0600);
        return true;
    }
    return false;
}

static void take_backup(bool switched, const char *expected, const char *unexpected)
{
    char folder[] = "/tmp/crescendo-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO(free_text) char *data = mem_format("%s/data", folder);
    AUTO(free_text) char *archive = mem_format("%s/kept.tar", folder);
    struct error err;
    make_data(data);
    switching = switched;
    if (backup_run(&(struct offline){.data = data, .json = true, .word = archive}, &err) != 0) fail_msg("%s", err.message);
    switching = false;
    assert_true(is_in(archive, expected));
    assert_true(is_in(archive, "journal.db"));
    assert_false(is_in(archive, unexpected));
    assert_false(is_in(archive, "runs/1/log.zst.part"));
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

static void a_log_is_taken(void **state)
{
    (void)state;
    take_backup(false, "runs/1/log", "runs/1/log.zst");
}

static void a_log_that_is_compressed_meanwhile_is_taken(void **state)
{
    (void)state;
    take_backup(true, "runs/1/log.zst", "runs/1/log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_taken),
        cmocka_unit_test(a_log_that_is_compressed_meanwhile_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
