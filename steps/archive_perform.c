/* archive_perform.c: writes a package's archive: tar (pax headers only where a name or a size needs them) through gzip. The same files give
   the same bytes on every machine with the same zlib: nothing of the file system, the clock, the user or the locale gets in. */
#include "package.h"

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024 };

static void free_archive(struct archive **archive)
{
    archive_write_free(*archive);
}

static void free_entry(struct archive_entry **entry)
{
    archive_entry_free(*entry);
}

static int archive_failed(struct archive *archive, const char *file, struct error *err)
{
    const char *why = archive_error_string(archive);
    if (archive_errno(archive) == ENOSPC || archive_errno(archive) == EDQUOT) return error_set_errno(err, ENOSPC, "%s", file);
    return error_set(err, ERROR_IO, NOWHERE, "%s: %s", file, why ? why : "cannot be written");
}

static int archive_begin(struct archive *archive, int fd)
{
    if (archive_write_set_format_pax_restricted(archive) != ARCHIVE_OK || archive_write_add_filter_gzip(archive) != ARCHIVE_OK ||
        archive_write_set_filter_option(archive, "gzip", "timestamp", NULL) != ARCHIVE_OK ||
        archive_write_set_filter_option(archive, "gzip", "compression-level", "6") != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    return archive_write_open_fd(archive, fd);
}

static int write_header(struct archive *archive, const char *path, int64_t size, bool executable, int64_t mtime_s)
{
    AUTO(free_entry) struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, executable ? 0755 : 0644);
    archive_entry_set_size(entry, size);
    archive_entry_set_mtime(entry, mtime_s, 0);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    return archive_write_header(archive, entry);
}

static int changed(const struct package_file *file, struct error *err)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "contents: %s changed while it was packaged", file->from);
    return error_hint(err, "does an earlier step leave a program behind that still writes?");
}

static int write_bytes(struct archive *archive, int fd, const struct package_file *file, const char *shown, struct error *err)
{
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX], chunk[CHUNK_BYTES];
    int64_t size = 0;
    sha256_init(&hash);
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "contents: %s", file->from);
        if (got == 0) break;
        size += got;
        if (size > file->size) return changed(file, err);
        sha256_add(&hash, chunk, (size_t)got);
        if (archive_write_data(archive, chunk, (size_t)got) != got) return archive_failed(archive, shown, err);
    }
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, hex);
    return strcmp(hex, file->sha256) == 0 ? 0 : changed(file, err);
}

static int write_file(
    struct archive *archive, const char *workspace, const struct package_file *file, int64_t mtime_s, const char *shown, struct error *err)
{
    AUTO(free_text) char *place = mem_format("%s/%s", workspace, file->from);
    AUTO(close_fd) int fd = open(place, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "contents: %s", file->from);
    if (write_header(archive, file->path, file->size, file->executable, mtime_s) != ARCHIVE_OK) return archive_failed(archive, shown, err);
    return write_bytes(archive, fd, file, shown, err);
}

static int write_all(int fd, const char *shown, const char *workspace, const char *manifest, const struct package_files *files,
    int64_t mtime_s, struct error *err)
{
    AUTO(free_archive) struct archive *archive = archive_write_new();
    size_t size = strlen(manifest);
    if (archive_begin(archive, fd) != ARCHIVE_OK || write_header(archive, "manifest.json", (int64_t)size, false, mtime_s) != ARCHIVE_OK ||
        archive_write_data(archive, manifest, size) != (la_ssize_t)size)
        return archive_failed(archive, shown, err);
    for (size_t i = 0; i < files->count; i++) {
        int failed = write_file(archive, workspace, &files->items[i], mtime_s, shown, err);
        if (failed) return failed;
    }
    return archive_write_close(archive) == ARCHIVE_OK ? 0 : archive_failed(archive, shown, err);
}

static void leave_locale(locale_t *before)
{
    locale_t ours = uselocale(*before);
    if (ours != LC_GLOBAL_LOCALE) freelocale(ours);
}

int archive_write_package(
    const char *file, const char *workspace, const char *manifest, const struct package_files *files, int64_t mtime_s, struct error *err)
{
    AUTO(close_fd) int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return error_set_errno(err, errno, "%s", file);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); /* libarchive reads names by the locale */
    AUTO(leave_locale) locale_t before = uselocale(utf8);
    int failed = write_all(fd, file, workspace, manifest, files, mtime_s, err);
    if (!failed && fsync(fd) < 0) failed = error_set_errno(err, errno, "%s", file);
    if (failed) unlink(file);
    return failed;
}
