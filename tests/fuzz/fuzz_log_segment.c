/* fuzz_log_segment.c: any bytes as a run's log: refused or read to an end, records one behind the other, the tail no more than asked for.
 */
#include "base/mem.h"
#include "store/logs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINES = 3, TAIL_BYTES = 200, PAGE_BYTES = 64, HEADER_BYTES = 8, RECORD_BYTES = 24 };

struct total {
    size_t pieces, bytes;
};

static int count_piece(void *context, const struct log_piece *piece)
{
    struct total *total = context;
    unsigned sum = 0;
    for (size_t i = 0; i < piece->size; i++)
        sum += (unsigned char)piece->bytes[i]; /* all of it can be read */
    total->pieces++;
    total->bytes += piece->size + (sum & 0);
    return 0;
}

/* Reads on from where the last call stopped, a little at a time, and comes to the same as one call for everything. */
static void read_in_pages(struct log_reader *reader, struct log_filter filter, size_t size, const struct total *expected)
{
    struct total total = {0};
    struct error err = {0};
    for (uint64_t offset = 0, next;; offset = next) {
        if (log_reader_read(reader, offset, filter, PAGE_BYTES, count_piece, &total, &next, &err)) abort();
        if (next > size && next > HEADER_BYTES) abort();
        if (next == offset || next <= HEADER_BYTES) break;
    }
    if (total.pieces != expected->pieces || total.bytes != expected->bytes) abort();
}

static void check(const char *path, struct log_filter filter, size_t size)
{
    AUTO(log_reader_free) struct log_reader *reader = log_reader_new(path);
    AUTO(text_release) struct text tail = {0};
    struct total total = {0};
    struct error err = {0};
    uint64_t end = 0;
    int failed = log_reader_read(reader, 0, filter, SIZE_MAX, count_piece, &total, &end, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    int tail_failed = log_tail(path, filter, LINES, TAIL_BYTES, &tail, &err);
    if (failed != tail_failed || tail.size > TAIL_BYTES) abort();
    if (failed) return;
    if (total.bytes + total.pieces * RECORD_BYTES > size) abort();
    read_in_pages(reader, filter, size, &total);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(close_fd) int fd = memfd_create("log", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    AUTO(free_text) char *path = mem_format("/proc/self/fd/%d", fd);
    check(path, (struct log_filter){UINT32_MAX, 0}, size);
    check(path, (struct log_filter){1, 0}, size);
    check(path, (struct log_filter){1, 2}, size);
    return 0;
}
