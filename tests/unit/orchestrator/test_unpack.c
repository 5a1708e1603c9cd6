/* test_unpack.c: a package becomes a folder as a whole or not at all, and nothing in it gets out. */
#include "orchestrator/drivers/unpack_perform.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    char *packages, *file, *digest;
};

static int begin(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/crescendo-test-XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    fixture->packages = mem_format("%s/packages", fixture->folder);
    fixture->file = mem_format("%s/package.tgz", fixture->folder);
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    int kept = file_remove_tree(fixture->folder, &err);
    free(fixture->packages);
    free(fixture->file);
    free(fixture->digest);
    free(fixture);
    return kept;
}

struct entry {
    const char *path, *content, *link, *hardlink;
    mode_t type, mode;
};

static void add_entry(struct archive *archive, const struct entry *is)
{
    struct archive_entry *entry = archive_entry_new();
    size_t size = is->content ? strlen(is->content) : 0;
    archive_entry_set_pathname(entry, is->path);
    archive_entry_set_filetype(entry, is->type ? is->type : AE_IFREG);
    archive_entry_set_perm(entry, is->mode ? is->mode : 0644);
    archive_entry_set_size(entry, (la_int64_t)size);
    if (is->link) archive_entry_set_symlink(entry, is->link);
    if (is->hardlink) archive_entry_set_hardlink(entry, is->hardlink);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (size) assert_int_equal(archive_write_data(archive, is->content, size), size);
    archive_entry_free(entry);
}

/* A package of these entries, which end with a path of NULL; its digest is the fixture's. */
static void pack(struct fixture *fixture, const struct entry *entries)
{
    struct archive *archive = archive_write_new();
    AUTO(free_text) char *bytes = NULL;
    size_t size;
    struct error err;
    char hex[SHA256_HEX];
    archive_write_set_format_pax_restricted(archive);
    archive_write_add_filter_gzip(archive);
    assert_int_equal(archive_write_open_filename(archive, fixture->file), ARCHIVE_OK);
    for (; entries->path; entries++)
        add_entry(archive, entries);
    archive_write_free(archive);
    assert_int_equal(file_read(fixture->file, 1 << 20, &bytes, &size, &err), 0);
    sha256_hex(bytes, size, hex);
    free(fixture->digest);
    fixture->digest = mem_format("sha256:%s", hex);
}

static bool folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (folder) closedir(folder);
    return count == 0;
}

static void assert_refused(struct fixture *fixture, const struct entry *entries, enum error_code code)
{
    struct error err = {0};
    char *folder = NULL;
    pack(fixture, entries);
    assert_int_equal(package_unpack(fixture->file, fixture->digest, fixture->packages, &folder, &err), -(int)code);
    assert_null(folder);
    assert_true(folder_is_empty(fixture->packages));
}

static void a_package_becomes_a_folder_once(void **state)
{
    struct fixture *fixture = *state;
    static const struct entry entries[] = {{.path = "bin/", .type = AE_IFDIR, .mode = 0700},
        {.path = "bin/web", .content = "#!/bin/sh\n", .mode = 04755}, {.path = "lib/data", .content = "1", .mode = 0600},
        {.path = "current", .type = AE_IFLNK, .link = "lib/data"}, {0}};
    struct error err = {0};
    struct stat status;
    AUTO(free_text) char *folder = NULL;
    AUTO(free_text) char *again = NULL;
    pack(fixture, entries);
    if (package_unpack(fixture->file, fixture->digest, fixture->packages, &folder, &err)) fail_msg("%s", err.message);
    AUTO(free_text) char *program = mem_format("%s/bin/web", folder);
    AUTO(free_text) char *data = mem_format("%s/current", folder);
    assert_int_equal(stat(program, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755); /* no set-user-id, readable by whoever runs it */
    assert_int_equal(stat(data, &status), 0);
    assert_int_equal(status.st_mode & 0444, 0444);
    unlink(fixture->file); /* what is there is used as it is */
    assert_int_equal(package_unpack(fixture->file, fixture->digest, fixture->packages, &again, &err), 0);
    assert_string_equal(folder, again);
}

static void other_bytes_than_the_digest_says_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct entry entries[] = {{.path = "a", .content = "a"}, {0}};
    struct error err = {0};
    char *folder = NULL;
    pack(fixture, entries);
    fixture->digest[10] = fixture->digest[10] == '0' ? '1' : '0';
    assert_int_equal(package_unpack(fixture->file, fixture->digest, fixture->packages, &folder, &err), -ERROR_CONFLICT);
    assert_int_equal(package_unpack(fixture->file, "sha256:../../etc", fixture->packages, &folder, &err), -ERROR_INVALID);
    assert_int_equal(package_unpack("/nowhere", fixture->digest, fixture->packages, &folder, &err), -ERROR_NOT_FOUND);
}

static void what_leads_out_is_refused(void **state)
{
    static const struct entry above[] = {{.path = "../evil", .content = "x"}, {0}};
    static const struct entry absolute[] = {{.path = "/tmp/crescendo-evil", .content = "x"}, {0}};
    static const struct entry through[] = {
        {.path = "out", .type = AE_IFLNK, .link = "/tmp"}, {.path = "out/crescendo-evil", .content = "x"}, {0}};
    static const struct entry hard[] = {{.path = "a", .content = "x"}, {.path = "b", .hardlink = "/etc/passwd"}, {0}};
    static const struct entry pipe[] = {{.path = "a", .type = AE_IFIFO}, {0}};
    assert_refused(*state, above, ERROR_INVALID);
    assert_refused(*state, absolute, ERROR_INVALID);
    assert_refused(*state, through, ERROR_INVALID);
    assert_refused(*state, hard, ERROR_INVALID);
    assert_refused(*state, pipe, ERROR_INVALID);
    assert_false(file_exists("/tmp/crescendo-evil"));
}

static void what_is_no_archive_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    char hex[SHA256_HEX], *folder = NULL;
    sha256_hex("nonsense", 8, hex);
    AUTO(free_text) char *digest = mem_format("sha256:%s", hex);
    assert_int_equal(file_replace(fixture->file, "nonsense", 8, 0644, &err), 0);
    assert_int_equal(package_unpack(fixture->file, digest, fixture->packages, &folder, &err), -ERROR_INVALID);
    assert_true(folder_is_empty(fixture->packages));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_package_becomes_a_folder_once),
        TEST(other_bytes_than_the_digest_says_are_refused),
        TEST(what_leads_out_is_refused),
        TEST(what_is_no_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
