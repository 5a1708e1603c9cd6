/* tar.c: tar files, POSIX.1-1988 (ustar): a head of 512 bytes, then the content, filled up to 512. */
#include "base/tar.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, PIECE = 256 * 1024, NAME_MAX_BYTES = 100, PREFIX_MAX_BYTES = 155 };

struct head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32], group[32],
        major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct head) == BLOCK, "a tar head has 512 bytes");

static int put(struct tar *tar, const void *bytes, size_t size, struct error *err)
{
    int failed = file_write_all(tar->fd, bytes, size);
    if (failed) return error_set_errno(err, -failed, "writing the archive");
    tar->size += size;
    return 0;
}

static void put_octal(char *field, size_t size, uint64_t value)
{
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
    field[size - 1] = '\0';
}

/* Twelve bytes hold eleven octal digits; GNU tar's binary form, marked by the top bit, holds more. */
static void put_size(char field[12], uint64_t size)
{
    if (size < (uint64_t)1 << 33) return put_octal(field, 12, size);
    memset(field, 0, 12);
    field[0] = (char)0x80;
    for (int i = 11; i > 3; i--, size >>= 8)
        field[i] = (char)(size & 0xff);
}

/* Where a long name is cut in two; NULL: it fits whole, or not at all. */
static const char *cut_of(const char *name)
{
    if (strlen(name) <= NAME_MAX_BYTES) return NULL;
    const char *cut = name + (strlen(name) > PREFIX_MAX_BYTES ? PREFIX_MAX_BYTES : strlen(name) - 1);
    while (cut > name && *cut != '/')
        cut--;
    return cut > name && strlen(cut + 1) <= NAME_MAX_BYTES ? cut : NULL;
}

static int put_name(struct head *head, const char *name, struct error *err)
{
    const char *cut = cut_of(name);
    if (!cut && strlen(name) > NAME_MAX_BYTES) return error_set(err, ERROR_LIMIT, NOWHERE, "the name is too long for an archive: %s", name);
    memcpy(head->name, cut ? cut + 1 : name, strlen(cut ? cut + 1 : name));
    if (cut) memcpy(head->prefix, name, (size_t)(cut - name));
    return 0;
}

static void put_checksum(struct head *head)
{
    unsigned sum = 0;
    memset(head->checksum, ' ', sizeof head->checksum);
    for (size_t i = 0; i < sizeof *head; i++)
        sum += ((const unsigned char *)head)[i];
    put_octal(head->checksum, 7, sum);
    head->checksum[7] = ' ';
}

static int put_head(
    struct tar *tar, const char *name, char type, const struct stat *status, uint64_t size, const char *link, struct error *err)
{
    struct head head = {.type = type, .magic = "ustar", .version = {'0', '0'}};
    int failed = put_name(&head, name, err);
    if (failed) return failed;
    put_octal(head.mode, sizeof head.mode, status->st_mode & 07777);
    put_octal(head.uid, sizeof head.uid, status->st_uid);
    put_octal(head.gid, sizeof head.gid, status->st_gid);
    put_octal(head.mtime, sizeof head.mtime, (uint64_t)status->st_mtime);
    put_size(head.size, size);
    if (link) memcpy(head.link, link, strlen(link));
    put_checksum(&head);
    return put(tar, &head, sizeof head, err);
}

static int put_zeros(struct tar *tar, uint64_t size, struct error *err)
{
    static const char zeros[BLOCK];
    int failed = 0;
    for (; size && !failed; size -= size > BLOCK ? BLOCK : size)
        failed = put(tar, zeros, size > BLOCK ? BLOCK : (size_t)size, err);
    return failed;
}

static int put_content(struct tar *tar, int fd, uint64_t size, const char *path, struct error *err)
{
    AUTO(free_text) char *piece = mem_alloc(PIECE);
    uint64_t left = size;
    while (left) {
        ssize_t got = read(fd, piece, left > PIECE ? PIECE : (size_t)left);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "reading %s", path);
        if (got == 0) break;
        int failed = put(tar, piece, (size_t)got, err);
        if (failed) return failed;
        left -= (uint64_t)got;
    }
    return put_zeros(tar, left + (BLOCK - size % BLOCK) % BLOCK, err);
}

static int add_file(struct tar *tar, const char *path, const char *name, bool *ret_taken, struct error *err)
{
    struct stat status;
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && (errno == ENOENT || errno == ELOOP)) return 0;
    if (fd < 0 || fstat(fd, &status) < 0) return error_set_errno(err, errno, "%s", path);
    int failed = put_head(tar, name, '0', &status, (uint64_t)status.st_size, NULL, err);
    if (!failed) failed = put_content(tar, fd, (uint64_t)status.st_size, path, err);
    *ret_taken = !failed;
    tar->files += !failed;
    return failed;
}

static int add_link(struct tar *tar, const char *path, const char *name, const struct stat *status, bool *ret_taken, struct error *err)
{
    char target[NAME_MAX_BYTES + 1] = "";
    ssize_t size = readlink(path, target, sizeof target);
    if (size < 0 && errno == ENOENT) return 0;
    if (size < 0) return error_set_errno(err, errno, "%s", path);
    if (size > NAME_MAX_BYTES) return error_set(err, ERROR_LIMIT, NOWHERE, "the link is too long for an archive: %s", path);
    *ret_taken = true;
    return put_head(tar, name, '2', status, 0, target, err);
}

int tar_add(struct tar *tar, const char *path, const char *name, bool *ret_taken, struct error *err)
{
    struct stat status;
    *ret_taken = false;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", path);
    if (S_ISREG(status.st_mode)) return add_file(tar, path, name, ret_taken, err);
    if (S_ISLNK(status.st_mode)) return add_link(tar, path, name, &status, ret_taken, err);
    if (!S_ISDIR(status.st_mode)) return 0;
    AUTO(free_text) char *folder = mem_format("%s/", name);
    *ret_taken = true;
    return put_head(tar, folder, '5', &status, 0, NULL, err);
}

int tar_end(struct tar *tar, struct error *err)
{
    return put_zeros(tar, 2 * BLOCK, err);
}
