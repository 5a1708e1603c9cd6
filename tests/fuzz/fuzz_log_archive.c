/* fuzz_log_archive.c: any bytes as a compressed log segment: refused, or readable frame by frame from 0 to its size, each frame where it is
   said to be; what is said of steps leads to places in it, and forward. */
#include "base/mem.h"
#include "store/log_archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRAMES_MAX_TRIED = 64, STEPS_TRIED = 4 };

static void check_steps(const struct log_archive *archive)
{
    uint64_t size = log_archive_size(archive);
    for (uint32_t step = 0; step < STEPS_TRIED; step++) {
        for (size_t frames = 1; frames < FRAMES_MAX_TRIED; frames *= 4)
            if (log_archive_back(archive, step, frames) > size) abort();
        uint64_t next = log_archive_next(archive, step, 0);
        if (next > size) abort();
        if (log_archive_next(archive, step, next) < next) abort();
    }
}

static void check_blocks(struct log_archive *archive)
{
    struct log_block block = {0};
    struct error err = {0};
    unsigned sum = 0, tried = 0;
    for (uint64_t at = 0; at < log_archive_size(archive) && tried < FRAMES_MAX_TRIED; at += block.size, tried++) {
        if (log_archive_block(archive, at, &block, &err) < 0) {
            if (!err.message[0] || !err.hint[0]) abort();
            return;
        }
        if (block.start != at || !block.size) abort();
        for (size_t i = 0; i < block.size; i += 997)
            sum += (unsigned char)block.bytes[i]; /* all of it can be read */
    }
    if (sum == 1 && tried == 0) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct error err = {0};
    AUTO(log_archive_close) struct log_archive *archive = NULL;
    AUTO(close_fd) int fd = memfd_create("log", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) abort();
    AUTO(free_text) char *path = mem_format("/proc/self/fd/%d", fd);
    if (log_archive_open(path, &archive, &err) < 0) {
        if (!err.message[0]) abort();
        return 0;
    }
    check_steps(archive);
    check_blocks(archive);
    return 0;
}
