/* test_room.c: a disk with too little room is told, with how much is left, where, and what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "run/room.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

static struct statvfs disk; /* what a look finds; no fragments: it fails */

int statvfs(const char *path, struct statvfs *found)
{
    assert_string_equal(path, "/data");
    *found = disk;
    errno = EACCES;
    return disk.f_frsize ? 0 : -1;
}

static void too_little_is_told(void **state)
{
    (void)state;
    disk = (struct statvfs){.f_frsize = 4096, .f_bfree = 2, .f_bavail = 2};
    AUTO(free_text) char *trouble = room_trouble("/data");
    assert_non_null(trouble);
    assert_non_null(strstr(trouble, "/data"));
    assert_non_null(strstr(trouble, "8.0 KiB"));
    assert_non_null(strstr(trouble, "make room"));
}

static void enough_is_not(void **state)
{
    (void)state;
    disk = (struct statvfs){.f_frsize = 4096, .f_bfree = 64, .f_bavail = 64};
    assert_null(room_trouble("/data"));
    disk = (struct statvfs){0};
    assert_null(room_trouble("/data"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_little_is_told),
        cmocka_unit_test(enough_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
