/* upload_perform.c: hands an archive to the catalogue's server: PUT /artifacts/v1/DIGEST?offset=N&size=TOTAL, in pieces. */
#include "publish.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_BYTES = 4 * 1024 * 1024 };

static void free_bytes(char **bytes)
{
    free(*bytes);
}

/* A whole piece, or what is left of the file. */
static int read_piece(int fd, const char *file, char *bytes, size_t *ret_size, struct error *err)
{
    for (*ret_size = 0; *ret_size < PIECE_BYTES;) {
        ssize_t got = read(fd, bytes + *ret_size, PIECE_BYTES - *ret_size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "publish: %.150s", file);
        if (got == 0) break;
        *ret_size += (size_t)got;
    }
    return 0;
}

static int send_piece(
    const struct tmf_client *client, const char *digest, const char *bytes, size_t piece, int64_t offset, int64_t size, struct error *err)
{
    AUTO(free_text)
    char *path = mem_format("/artifacts/v1/%s?offset=%lld&size=%lld", digest, (long long)offset, (long long)size);
    const struct tmf_request request = {.method = "PUT", .path = path, .bytes = bytes, .size = piece, .type = "application/octet-stream"};
    json_t *answer = NULL;
    int failed = tmf_send(client, &request, NULL, &answer, err);
    if (!failed) json_decref(answer);
    return failed;
}

int package_upload(const struct tmf_client *client, const char *file, const char *digest, int64_t size, struct error *err)
{
    AUTO(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC);
    AUTO(free_bytes) char *bytes = mem_alloc(PIECE_BYTES);
    if (fd < 0) return error_set_errno(err, errno, "publish: %.150s", file);
    for (int64_t offset = 0; offset < size;) {
        size_t piece = 0;
        int failed = read_piece(fd, file, bytes, &piece, err);
        if (!failed && piece == 0) return error_set(err, ERROR_CONFLICT, NOWHERE, "publish: %.150s became shorter", file);
        if (!failed) failed = send_piece(client, digest, bytes, piece, offset, size, err);
        if (failed) return failed;
        offset += (int64_t)piece;
    }
    return 0;
}
