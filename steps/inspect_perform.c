/* inspect_perform.c: what a package says of itself, and its digest and size. */
#include "publish.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024, MANIFEST_MAX = 64 * 1024 * 1024 };

static void free_reading(struct archive **archive)
{
    archive_read_free(*archive);
}

static int no_package(const char *file, const char *why, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "%.100s is no package: %.80s", file, why ? why : "it cannot be read");
    return error_hint(err, "publish what the step `package` makes: `packages: \"${{ steps.package.file }}\"`");
}

static int read_manifest_text(struct archive *archive, const char *file, struct text *ret, struct error *err)
{
    char chunk[CHUNK_BYTES];
    la_ssize_t got;
    while ((got = archive_read_data(archive, chunk, sizeof chunk)) > 0) {
        text_add_bytes(ret, chunk, (size_t)got);
        if (ret->size > MANIFEST_MAX) return no_package(file, "its manifest is larger than 64 MiB", err);
    }
    return got < 0 ? no_package(file, archive_error_string(archive), err) : 0;
}

static int check_manifest(const char *file, const json_t *manifest, struct error *err)
{
    if (!text_equal(json_text(manifest, "format", NULL), "crescendo-package"))
        return no_package(file, "its manifest is another format's", err);
    if (json_whole(manifest, "format_version", 0) != 1) return no_package(file, "its format version is not 1", err);
    if (!json_text(manifest, "name", NULL) || !json_text(manifest, "version", NULL))
        return no_package(file, "its manifest has no name or no version", err);
    return 0;
}

/* The manifest is the first entry. */
static int read_manifest(const char *file, json_t **ret, struct error *err)
{
    AUTO(free_reading) struct archive *archive = archive_read_new();
    AUTO(text_release) struct text text = {0};
    AUTO(free_json) json_t *manifest = NULL;
    struct archive_entry *entry = NULL;
    archive_read_support_format_tar(archive);
    archive_read_support_filter_gzip(archive);
    if (archive_read_open_filename(archive, file, CHUNK_BYTES) != ARCHIVE_OK || archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return no_package(file, archive_error_string(archive), err);
    const char *name = archive_entry_pathname(entry);
    if (!text_equal(name, "manifest.json")) return no_package(file, "it does not begin with manifest.json", err);
    int failed = read_manifest_text(archive, file, &text, err);
    if (!failed) failed = json_parse(text_view(&text), text.size, "manifest.json", &manifest, err);
    if (!failed) failed = check_manifest(file, manifest, err);
    if (!failed) *ret = take(&manifest);
    return failed;
}

static int digest_file(const char *file, char ret_hex[SHA256_HEX], int64_t *ret_size, struct error *err)
{
    AUTO(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct sha256 hash;
    unsigned char digest[SHA256_BYTES];
    char chunk[CHUNK_BYTES];
    ssize_t got;
    if (fd < 0) return error_set_errno(err, errno, "publish: %.150s", file);
    sha256_init(&hash);
    for (*ret_size = 0; (got = read(fd, chunk, sizeof chunk)) != 0;) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "publish: %.150s", file);
        sha256_add(&hash, chunk, (size_t)got);
        *ret_size += got;
    }
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, ret_hex);
    return 0;
}

int package_inspect(const char *file, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *manifest = NULL;
    char hex[SHA256_HEX];
    int64_t size = 0;
    int failed = digest_file(file, hex, &size, err);
    if (!failed) failed = read_manifest(file, &manifest, err);
    if (failed) return failed;
    const char *slash = strrchr(file, '/');
    AUTO(free_text) char *digest = mem_format("sha256:%s", hex);
    json_t *package = json_object();
    json_put_text(package, "file", file);
    json_put_text(package, "name", slash ? slash + 1 : file);
    json_put_text(package, "digest", digest);
    json_put_whole(package, "size", size);
    json_put(package, "manifest", take(&manifest));
    *ret = package;
    return 0;
}
