/* unpack_perform.c: unpacking a package, which may come from anybody: only tar and zip, only files, folders and links, nothing above or
   beside the folder, bounded in size and number. */
#include "unpack_perform.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024, ENTRIES_MAX = 200 * 1000 };
#define UNPACKED_MAX (16LL * 1024 * 1024 * 1024)

static void free_reader(struct archive **archive)
{
    archive_read_free(*archive);
}

static void free_writer(struct archive **archive)
{
    archive_write_free(*archive);
}

/* --- the digest --------------------------------------------------------------------------------------------------------------- */

static int digest_of(const char *file, char ret_hex[SHA256_HEX], struct error *err)
{
    AUTO(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    AUTO(free_text) char *chunk = mem_alloc(CHUNK_BYTES);
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;
    ssize_t got;
    if (fd < 0) return error_set_errno(err, errno, "the package %s", file);
    sha256_init(&hash);
    while ((got = read(fd, chunk, CHUNK_BYTES)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "the package %s", file);
        sha256_add(&hash, chunk, (size_t)got);
    }
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, ret_hex);
    return 0;
}

static int check_digest(const char *file, const char *hex, struct error *err)
{
    char is[SHA256_HEX];
    int failed = digest_of(file, is, err);
    if (failed == -ERROR_NOT_FOUND) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "the package sha256:%.12s... is not here: it was never uploaded whole", hex);
        return error_hint(err, "upload it, or publish it again, then order again");
    }
    if (failed) return failed;
    if (text_equal(is, hex)) return 0;
    error_set(err, ERROR_CONFLICT, NOWHERE, "the package %.12s... holds other bytes than its digest says", hex);
    return error_hint(err, "publish it again; is the disk sound?");
}

/* --- the archive ---------------------------------------------------------------------------------------------------------------- */

static int failed_archive(struct archive *archive, struct error *err)
{
    const char *why = archive_error_string(archive);
    int code = archive_errno(archive);
    if (code == ENOSPC || code == EDQUOT || code == EIO || code == EROFS) return error_set_errno(err, code, "unpacking the package");
    return error_set(err, ERROR_INVALID, NOWHERE, "the package cannot be unpacked: %s", why ? why : "it is no archive");
}

static int check_entry(struct archive_entry *entry, struct error *err)
{
    mode_t type = archive_entry_filetype(entry);
    const char *path = archive_entry_pathname(entry);
    if (!path) return error_set(err, ERROR_INVALID, NOWHERE, "the package holds a path that is not UTF-8");
    if (archive_entry_hardlink(entry) || (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK))
        return error_set(err, ERROR_INVALID, NOWHERE, "the package holds %.100s, which is no file, folder or symbolic link", path);
    archive_entry_set_perm(entry, (archive_entry_perm(entry) & 0755) | 0444 | (type == AE_IFDIR ? 0755 : 0));
    return 0;
}

static int copy_data(struct archive *from, struct archive *to, int64_t *left, struct error *err)
{
    const void *block;
    size_t size;
    la_int64_t offset;
    for (;;) {
        int result = archive_read_data_block(from, &block, &size, &offset);
        if (result == ARCHIVE_EOF) return 0;
        if (result != ARCHIVE_OK) return failed_archive(from, err);
        *left -= (int64_t)size;
        if (*left < 0) return error_set(err, ERROR_LIMIT, NOWHERE, "the package unpacks to more than 16 GiB");
        if (archive_write_data_block(to, block, size, offset) != ARCHIVE_OK) return failed_archive(to, err);
    }
}

static int copy_entries(struct archive *from, struct archive *to, struct error *err)
{
    int64_t left = UNPACKED_MAX;
    struct archive_entry *entry;
    for (size_t count = 0;; count++) {
        int result = archive_read_next_header(from, &entry);
        if (result == ARCHIVE_EOF) return 0;
        if (result != ARCHIVE_OK) return failed_archive(from, err);
        if (count >= ENTRIES_MAX) return error_set(err, ERROR_LIMIT, NOWHERE, "the package holds more than %d files", ENTRIES_MAX);
        int failed = check_entry(entry, err);
        if (failed) return failed;
        if (archive_write_header(to, entry) != ARCHIVE_OK) return failed_archive(to, err);
        if ((failed = copy_data(from, to, &left, err))) return failed;
        if (archive_write_finish_entry(to) != ARCHIVE_OK) return failed_archive(to, err);
    }
}

/* Into the current folder. */
static int unpack_here(const char *file, struct error *err)
{
    AUTO(free_reader) struct archive *from = archive_read_new();
    AUTO(free_writer) struct archive *to = archive_write_disk_new();
    archive_read_support_format_tar(from);
    archive_read_support_format_zip(from);
    archive_read_support_filter_gzip(from);
    archive_read_support_filter_zstd(from);
    archive_write_disk_set_options(to,
        ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS);
    if (archive_read_open_filename(from, file, CHUNK_BYTES) != ARCHIVE_OK) return failed_archive(from, err);
    int failed = copy_entries(from, to, err);
    if (!failed && archive_write_close(to) != ARCHIVE_OK) failed = failed_archive(to, err);
    return failed;
}

/* --- the folder ------------------------------------------------------------------------------------------------------------------- */

static int sync_all(const char *folder, struct error *err)
{
    AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0) return error_set_errno(err, errno, "%s", folder);
    return 0;
}

/* Another step may have been faster: its folder is as good. */
static int publish(const char *made, const char *folder, const char *packages, struct error *err)
{
    int saved = rename(made, folder) < 0 ? errno : 0;
    if (saved && !file_exists(folder)) return error_set_errno(err, saved, "%s", folder);
    return file_sync_folder(packages, err);
}

static int unpack_into(const char *file, const char *made, const char *folder, const char *packages, struct error *err)
{
    if (mkdir(made, 0755) < 0 || chmod(made, 0755) < 0 || chdir(made) < 0) return error_set_errno(err, errno, "%s", made);
    int failed = unpack_here(file, err);
    if (!failed) failed = sync_all(made, err);
    if (!failed) failed = publish(made, folder, packages, err);
    return failed;
}

int package_unpack(const char *file, const char *digest, const char *packages, char **ret, struct error *err)
{
    static const char prefix[] = "sha256:";
    const char *hex = text_starts(digest, prefix) ? digest + sizeof prefix - 1 : "";
    AUTO(free_text) char *folder = mem_format("%s/%s", packages, hex);
    AUTO(free_text) char *made = mem_format("%s/.%s.%d", packages, hex, (int)getpid());
    struct error ignored;
    if (strlen(hex) != SHA256_HEX - 1 || strspn(hex, "0123456789abcdef") != SHA256_HEX - 1)
        return error_set(err, ERROR_INVALID, NOWHERE, "%.40s is no digest of a package", digest);
    if (file_exists(folder)) return *ret = take(&folder), 0;
    int failed = file_make_folders(packages, 0755, err);
    if (!failed) failed = check_digest(file, hex, err);
    if (!failed) failed = unpack_into(file, made, folder, packages, err);
    if (chdir("/") < 0 || file_remove_tree(made, &ignored) < 0) { /* it stays behind, under a name that nobody looks for */
    }
    if (!failed) *ret = take(&folder);
    return failed;
}
