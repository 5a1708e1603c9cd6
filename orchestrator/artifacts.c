/* artifacts.c: packages by their digest, uploaded in pieces. A piece is written where it belongs as it comes; with the last one the file is
   taken out of reach of further pieces, checked on a worker thread, and gets its name. What is wrong, or does not fit on the disk, goes. A
   torn upload goes on at any offset up to what is there; the bytes before it need not be sent again. */
#include "orchestrator/artifacts.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "orchestrator/tmf/resource.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct artifacts {
    uv_loop_t *loop;
    char *folder;
    uint64_t checks; /* begun, for their files' names */
};

/* One PUT. */
struct piece {
    const char *digest, *bytes;
    size_t size;
    int64_t offset, total;
    char *path, *part;
};

/* A whole file on its way to its name; owns all of it. */
struct check {
    uv_work_t work;
    struct request *request;
    char *folder, *digest, *file, *path;
    int64_t total;
    int failed;
    struct error err;
};

static void piece_release(struct piece *piece)
{
    free(piece->path);
    free(piece->part);
}

static bool is_digest(const char *digest)
{
    return text_starts(digest, "sha256:") && strlen(digest) == 7 + SHA256_HEX - 1 &&
           strspn(digest + 7, "0123456789abcdef") == SHA256_HEX - 1;
}

char *artifacts_path(const struct artifacts *artifacts, const char *digest)
{
    return is_digest(digest) ? mem_format("%s/%s", artifacts->folder, digest + 7) : NULL;
}

static void answer(struct request *request, int status, const char *digest, int64_t received, int64_t total)
{
    respond_json(
        request, status, json_pack("{s:s, s:I, s:I}", "digest", digest, "received", (json_int_t)received, "size", (json_int_t)total));
}

static int read_number(const struct request *request, const char *name, int64_t fallback, int64_t *ret, struct error *err)
{
    const char *value = request_query(request, name);
    *ret = fallback;
    if (!value || (text_to_integer(value, ret) && *ret >= 0)) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "`%s` must be a number of bytes, not '%.60s'", name, value);
}

static int read_piece(const struct artifacts *artifacts, const struct request *request, struct piece *piece, struct error *err)
{
    piece->digest = request_part(request, "digest");
    piece->bytes = request_bytes(request, &piece->size);
    piece->path = artifacts_path(artifacts, piece->digest);
    if (!piece->path) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' is no digest", piece->digest);
        return error_hint(err, "it is sha256: and 64 lower-case hexadecimal digits");
    }
    piece->part = mem_format("%s.part", piece->path);
    int failed = read_number(request, "offset", 0, &piece->offset, err);
    if (!failed) failed = read_number(request, "size", 0, &piece->total, err);
    if (failed) return failed;
    if (!request_query(request, "size")) piece->total = (int64_t)piece->size;
    if (piece->total > ARTIFACT_MAX_BYTES)
        return error_set(
            err, ERROR_LIMIT, NOWHERE, "a package of %lld bytes is larger than %lld", (long long)piece->total, ARTIFACT_MAX_BYTES);
    if (piece->offset <= piece->total && (int64_t)piece->size <= piece->total - piece->offset) return 0;
    return error_set(err, ERROR_INVALID, NOWHERE, "the piece at %lld ends behind the package's %lld bytes", (long long)piece->offset,
        (long long)piece->total);
}

static int write_at(int fd, const char *bytes, size_t size, int64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        bytes += written;
        offset += written;
        size -= (size_t)written;
    }
    return 0;
}

/* Writes the piece; *ret_received is how much is there then. A full disk takes what was there with it: half a package helps nobody. */
static int store_piece(const struct piece *piece, int64_t *ret_received, struct error *err)
{
    AUTO(close_fd) int fd = open(piece->part, O_WRONLY | O_CLOEXEC | (piece->offset == 0 ? O_CREAT : 0), 0600);
    struct stat status = {0};
    bool absent = fd < 0 && errno == ENOENT && piece->offset > 0;
    if (!absent && (fd < 0 || fstat(fd, &status) < 0)) return error_set_errno(err, errno, "opening %s", piece->part);
    if (piece->offset > status.st_size) {
        error_set(err, ERROR_CONFLICT, NOWHERE, "only %lld bytes of this package are here", (long long)status.st_size);
        return error_hint(err, "go on at offset=%lld", (long long)status.st_size);
    }
    int failed = write_at(fd, piece->bytes, piece->size, piece->offset);
    int64_t end = piece->offset + (int64_t)piece->size;
    bool is_last = end == piece->total;
    if (!failed && is_last && ftruncate(fd, piece->total) < 0) failed = -errno;
    if (failed) {
        unlink(piece->part);
        return error_set_errno(err, -failed, "writing %s", piece->part);
    }
    *ret_received = is_last || end > status.st_size ? end : status.st_size;
    return 0;
}

static int digest_file(const char *path, char ret_hex[SHA256_HEX], struct error *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char digest[SHA256_BYTES];
    enum { PART_BYTES = 64 * 1024 };
    AUTO(free_text) char *buffer = mem_alloc(PART_BYTES);
    struct sha256 hash;
    ssize_t size = -1;
    sha256_init(&hash);
    while (fd >= 0 && (size = read(fd, buffer, PART_BYTES)) > 0)
        sha256_add(&hash, buffer, (size_t)size);
    if (size < 0 || fsync(fd) < 0) return error_set_errno(err, errno, "reading %s", path);
    sha256_finish(&hash, digest);
    sha256_to_hex(digest, ret_hex);
    return 0;
}

/* On a worker thread. */
static int check_file(struct check *check, struct error *err)
{
    char found[SHA256_HEX];
    int failed = digest_file(check->file, found, err);
    if (failed) return failed;
    if (!text_equal(found, check->digest + 7)) {
        error_set(err, ERROR_INVALID, NOWHERE, "the bytes that came have the digest sha256:%s, not the one in the path", found);
        return error_hint(err, "upload the package again, from offset=0");
    }
    if (rename(check->file, check->path) < 0) return error_set_errno(err, errno, "naming %s", check->path);
    return file_sync_folder(check->folder, err);
}

static void on_work(uv_work_t *work)
{
    struct check *check = work->data;
    check->failed = check_file(check, &check->err);
    if (check->failed) unlink(check->file);
}

static void on_checked(uv_work_t *work, int status)
{
    (void)status;
    struct check *check = work->data;
    if (check->failed)
        respond_error(check->request, &check->err);
    else
        answer(check->request, 201, check->digest, check->total, check->total);
    char *const owned[] = {check->folder, check->digest, check->file, check->path};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
    free(check);
}

/* From here on no piece reaches the file: what is checked is what gets the name. */
static void begin_check(struct artifacts *artifacts, struct request *request, const struct piece *piece)
{
    struct error err;
    AUTO(free_text) char *file = mem_format("%s.check-%llu", piece->path, (unsigned long long)++artifacts->checks);
    if (rename(piece->part, file) < 0) {
        error_set_errno(&err, errno, "renaming %s", piece->part);
        respond_error(request, &err);
        return;
    }
    struct check *check = mem_alloc(sizeof *check);
    check->work.data = check;
    check->request = request;
    check->folder = mem_copy_text(artifacts->folder);
    check->digest = mem_copy_text(piece->digest);
    check->path = mem_copy_text(piece->path);
    check->file = take(&file);
    check->total = piece->total;
    uv_queue_work(artifacts->loop, &check->work, on_work, on_checked);
}

static void handle_put(struct request *request, void *context)
{
    struct artifacts *artifacts = context;
    AUTO(piece_release) struct piece piece = {0};
    struct error err;
    struct stat status;
    int64_t received = 0;
    int failed = read_piece(artifacts, request, &piece, &err);
    if (!failed && stat(piece.path, &status) == 0) {
        answer(request, 200, piece.digest, status.st_size, status.st_size);
        return;
    }
    if (!failed) failed = store_piece(&piece, &received, &err);
    if (failed)
        respond_error(request, &err);
    else if (piece.offset + (int64_t)piece.size < piece.total)
        answer(request, 202, piece.digest, received, piece.total);
    else
        begin_check(artifacts, request, &piece);
}

static void handle_get(struct request *request, void *context)
{
    const char *digest = request_part(request, "digest");
    AUTO(free_text) char *path = artifacts_path(context, digest);
    AUTO(close_fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat status;
    struct error err;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        respond_file(request, 200, "application/octet-stream", take_fd(&fd), (uint64_t)status.st_size);
        return;
    }
    error_set(&err, ERROR_NOT_FOUND, NOWHERE, "there is no artifact %.80s", digest);
    respond_error(request, &err);
}

static const struct route routes[] = {
    {"PUT", "/artifacts/v1/{digest}", handle_put, "Takes a piece of a package; the last one is answered when all of it is right",
        .raw_limit = ARTIFACT_PIECE_BYTES},
    {"GET", "/artifacts/v1/{digest}", handle_get, "A package", NULL},
    ROUTE_END,
};

struct http_mount artifacts_mount(struct artifacts *artifacts)
{
    return (struct http_mount){.routes = routes, .context = artifacts, .error_body = tmf_error_body};
}

/* HEX.check-N was being checked when a core was killed: it is on its way again, and sending the last piece again checks it. */
static void take_back(const char *folder, const char *name)
{
    const char *mark = strstr(name, ".check-");
    if (!mark) return;
    AUTO(free_text) char *file = mem_format("%s/%s", folder, name);
    AUTO(free_text) char *part = mem_format("%s/%.*s.part", folder, (int)(mark - name), name);
    if (rename(file, part) < 0) unlink(file);
}

static void take_back_all(const char *folder)
{
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry; open_folder && (entry = readdir(open_folder));)
        take_back(folder, entry->d_name);
    if (open_folder) closedir(open_folder);
}

int artifacts_open(uv_loop_t *loop, const char *folder, struct artifacts **ret, struct error *err)
{
    int failed = file_keep_folders(folder, 0700, err);
    if (failed) return failed;
    struct artifacts *artifacts = mem_alloc(sizeof *artifacts);
    artifacts->loop = loop;
    artifacts->folder = mem_copy_text(folder);
    take_back_all(folder);
    *ret = artifacts;
    return 0;
}

void artifacts_close(struct artifacts **place)
{
    struct artifacts *artifacts = take(place);
    if (!artifacts) return;
    free(artifacts->folder);
    free(artifacts);
}
