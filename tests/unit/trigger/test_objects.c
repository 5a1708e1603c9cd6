/* test_objects.c: git's objects without git, against git itself: loose and packed, at every level of compression, cut and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "trigger/hook/inflate.c"
#include "trigger/hook/objects.c"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

extern char **environ;

static char folder[] = "/tmp/crescendo-objects-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *facts, int type, struct FTW *place)
{
    (void)facts;
    (void)type;
    (void)place;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return chdir("/") || nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What a command prints; the test fails when it does. */
static char *output_of(const char *command)
{
    AUTO(free_text) char *line = mem_format("{ %s; } >%s/printed", command, folder);
    AUTO(free_text) char *printed = mem_format("%s/printed", folder);
    char *const argv[] = {"sh", "-ec", line, NULL};
    char *bytes = NULL;
    size_t size;
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, "sh", NULL, NULL, argv, environ) == 0) waitpid(child, &status, 0);
    if (status) fail_msg("failed: %s", command);
    assert_int_equal(file_read(printed, SIZE_MAX / 2, &bytes, &size, NULL), 0);
    return bytes;
}

static void run(const char *command)
{
    free(output_of(command));
}

static void is_what_git_says(const char *id, const char *type, const struct text *ours)
{
    AUTO(free_text) char *path = mem_format("%s/ours", folder);
    AUTO(free_text) char *command = mem_format("git cat-file %s %s | cmp - %s", type, id, path);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(file_write_all(fd, text_view(ours), ours->size), 0);
    run(command);
}

/* Compares every object of the repository; how many were read without git. */
static unsigned compare_all(void)
{
    unsigned count = 0;
    AUTO(free_text) char *list = output_of("git cat-file --batch-all-objects --batch-check='%(objectname) %(objecttype)'");
    for (char *line = list, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct text ours = {0};
        const char *seen = NULL;
        char *type = strchr(line, ' ');
        *end = *type++ = '\0';
        if (object_read(line, SIZE_MAX / 2, &ours, &seen)) {
            assert_string_equal(seen, type);
            is_what_git_says(line, type, &ours);
            count++;
        }
        text_release(&ours);
    }
    return count;
}

static void make_repository(const char *name, const char *format, unsigned level)
{
    AUTO(free_text)
    char *command = mem_format(
        "git init -q --object-format=%s -b main %s && cd %s && git config core.compression %u && git config user.email a@b "
        "&& git config user.name A && mkdir -p d/e && : >empty && seq 1 5000 >d/numbers && head -c 70000 /dev/urandom >d/e/noise "
        "&& head -c 300000 /dev/zero >zeros && printf 'stages: []\\n' >crescendo.yaml && git add . && git commit -qm 'First é' "
        "&& seq 1 5001 >d/numbers && git commit -qam second && git tag -a -m note v1",
        format, name, name, level);
    run(command);
    AUTO(free_text) char *inside = mem_format("%s/.git", name);
    assert_int_equal(chdir(inside), 0);
}

static void are_what_git_says(const char *name, const char *format, unsigned level)
{
    make_repository(name, format, level);
    unsigned loose = compare_all();
    assert_int_equal(loose, 14);
    run("git gc -q --prune=now");
    unsigned packed = compare_all();
    assert_in_range(packed, 9, loose); /* the deltas are left to git */
    assert_int_equal(chdir(folder), 0);
}

static void objects_are_what_git_says(void **state)
{
    (void)state;
    are_what_git_says("stored", "sha1", 0);
    are_what_git_says("quick", "sha1", 1);
    are_what_git_says("small", "sha1", 9);
    are_what_git_says("long-ids", "sha256", 6);
}

static void no_more_is_kept_than_asked_for(void **state)
{
    (void)state;
    make_repository("kept", "sha1", 6);
    for (unsigned packed = 0; packed < 2; packed++) {
        AUTO(free_text) char *id = output_of("git rev-parse HEAD:zeros");
        id[strcspn(id, "\n")] = '\0';
        struct text out = {0};
        const char *type = NULL;
        assert_true(object_read(id, 100, &out, &type));
        assert_int_equal(out.size, 100);
        text_release(&out);
        run("git gc -q --prune=now");
    }
    assert_int_equal(chdir(folder), 0);
}

static void what_is_no_object_is_none(void **state)
{
    (void)state;
    make_repository("none", "sha1", 6);
    static const char *const ids[] = {"", "00", "0000000000000000000000000000000000000000", "../../../../../../../../etc/passwd00000000",
        "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"};
    struct text out = {0};
    const char *type = NULL;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_false(object_read(ids[i], 100, &out, &type));
    assert_int_equal(out.size, 0);
    text_release(&out);
    assert_int_equal(chdir(folder), 0);
}

/* Every cut of a stream is refused, and no damage of one byte passes: the sum at the end sees it. */
static void damage_is_noticed(void **state)
{
    (void)state;
    static const char wanted[] = "hello hello hellhello hello hellhello hello hell";
    static const unsigned char stream[] = {
        0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x80, 0x93, 0x19, 0x04, 0xf8, 0x00, 0xbd, 0x92, 0x12, 0x28};
    struct text whole = {0};
    assert_true(inflate_zlib(stream, sizeof stream, 1000, &whole));
    assert_string_equal(text_view(&whole), wanted);
    text_release(&whole);
    for (size_t size = 0; size < sizeof stream; size++) {
        struct text out = {0};
        assert_false(inflate_zlib(stream, size, 1000, &out));
        text_release(&out);
    }
    for (size_t bit = 0; bit < 8 * sizeof stream; bit++) {
        unsigned char copy[sizeof stream];
        struct text out = {0};
        memcpy(copy, stream, sizeof stream);
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        bool other = inflate_zlib(copy, sizeof copy, 100000, &out) && !text_equal(text_view(&out), wanted);
        if (other) fail_msg("the damage of bit %zu was not noticed", bit);
        text_release(&out);
    }
}

/* Bytes that mean nothing: no crash, no end of memory. */
static void noise_is_refused(void **state)
{
    (void)state;
    uint32_t noise = 1;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned char bytes[64] = {0x78, 0x9c};
        struct text out = {0};
        for (size_t i = 2; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)((noise = noise * 1664525 + 1013904223) >> 24);
        (void)inflate_zlib(bytes, sizeof bytes, 4096, &out);
        assert_in_range(out.size, 0, 4096);
        text_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_what_git_says),
        cmocka_unit_test(no_more_is_kept_than_asked_for),
        cmocka_unit_test(what_is_no_object_is_none),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
