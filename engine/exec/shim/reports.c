/* reports.c: RUN/reports: every report is appended to this file before anything is sent, and the engine is sent what the file holds. So
   nothing waits in memory for a slow or missing engine, and what a killed shim had to say can be read from its folder.
   The file is emptied when the engine has acknowledged all of it. A torn tail, left by a full disk or a crash, is cut off; so is what
   follows a page that a loss of power took, since the file is never synced. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const int64_t COALESCE_US = 2000, RETRY_US = 100 * 1000;

/* Calls back for each whole frame from the start of the file: its sequence number and offset. Returns the offset of the end. */
static uint64_t scan(struct shim *shim, bool (*stop)(void *context, uint64_t sequence, uint64_t offset), void *context)
{
    uint64_t offset = 0;
    for (;;) {
        unsigned char head[SHIM_HEADER_SIZE + 8];
        if (pread(shim->reports.fd, head, sizeof head, (off_t)offset) != (ssize_t)sizeof head) return offset;
        struct view view = {head, sizeof head, false};
        uint32_t payload = view_u32(&view);
        uint64_t size = SHIM_HEADER_SIZE + (uint64_t)payload;
        uint8_t type = *view.at++;
        view.left--;
        uint64_t sequence = view_u64(&view);
        if (type < SHIM_STARTED || type > SHIM_ISOLATION || payload < sizeof sequence) return offset;
        if (offset + size > shim->reports.size_bytes) return offset;
        if (stop(context, sequence, offset)) return offset;
        offset += size;
    }
}

static bool note_sequence(void *context, uint64_t sequence, uint64_t offset)
{
    struct reports *reports = context;
    if (sequence <= reports->last) return true; /* of an earlier content of the file, or none */
    if (offset == 0) reports->first = sequence;
    reports->last = sequence;
    return false;
}

static bool read_boot(int folder, const char *path, char *ret_id)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool whole = read(fd, ret_id, BOOT_ID_BYTES) == BOOT_ID_BYTES;
    close(fd);
    return whole;
}

/* False: what is in the file was written under another boot. Then RUN/boot is of this one. */
static bool check_boot(const struct shim *shim)
{
    char now[BOOT_ID_BYTES], then[BOOT_ID_BYTES];
    if (!read_boot(shim->folder_fd, BOOT_ID_PATH, now)) return true; /* nobody can tell */
    bool is_new = faccessat(shim->folder_fd, "boot", F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    bool same = read_boot(shim->folder_fd, "boot", then) && memcmp(now, then, BOOT_ID_BYTES) == 0;
    if (same) return true;
    int fd = openat(shim->folder_fd, "boot", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, now, BOOT_ID_BYTES) != BOOT_ID_BYTES) unlinkat(shim->folder_fd, "boot", 0); /* as an older shim's folder */
    if (fd >= 0) close(fd);
    return is_new;
}

void reports_open(struct shim *shim)
{
    struct reports *reports = &shim->reports;
    bool same_boot = check_boot(shim); /* before there are reports: where a loss of power leaves these, it leaves RUN/boot */
    reports->fd = openat(shim->folder_fd, "reports", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (reports->fd < 0) shim_die("reports");
    if (!same_boot && ftruncate(reports->fd, 0) < 0) shim_die("reports");
    off_t size = lseek(reports->fd, 0, SEEK_END);
    if (size < 0) shim_die("reports");
    reports->size_bytes = (uint64_t)size;
    reports->first = 1;
    if (!size) return;
    uint64_t end = scan(shim, note_sequence, reports); /* of a shim that died */
    if (end < reports->size_bytes && ftruncate(reports->fd, (off_t)end) < 0) shim_die("reports");
    reports->size_bytes = end;
}

size_t report_begin(struct shim *shim, enum shim_report type)
{
    struct wire *wire = &shim->reports.pending;
    if (!wire->size) shim->reports.pending_first = shim->reports.last + 1;
    size_t start = wire_begin(wire, type);
    wire_u64(wire, ++shim->reports.last);
    wire_u64(wire, (uint64_t)(wall_us() / 1000));
    return start;
}

void report_finish(struct shim *shim, size_t start)
{
    wire_finish(&shim->reports.pending, start);
}

bool reports_spool(struct shim *shim)
{
    struct reports *reports = &shim->reports;
    struct wire *pending = &reports->pending;
    if (!pending->size || shim->hooks.turn) return true; /* a keeper takes them itself */
    ssize_t put = pwrite(reports->fd, pending->bytes, pending->size, (off_t)reports->size_bytes);
    if (put != (ssize_t)pending->size) {
        reports->failing = put < 0 ? errno : ENOSPC;
        int ignored = ftruncate(reports->fd, (off_t)reports->size_bytes);
        (void)ignored;
        reports->retry_us = now_us() + RETRY_US;
        if (shim->connection && shim->connection->told != reports->failing) reports_soon(shim, true);
        return false;
    }
    reports->size_bytes += pending->size;
    reports->retry_us = 0;
    reports->failing = 0;
    pending->size = 0;
    reports_soon(shim, false);
    return true;
}

/* Reports wait up to 2 ms for company, unless the engine has something to decide: then they go with this turn of the loop. */
void reports_soon(struct shim *shim, bool at_once)
{
    struct reports *reports = &shim->reports;
    int64_t deadline = now_us() + (at_once ? 0 : COALESCE_US);
    if (!reports->deadline_us || deadline < reports->deadline_us) reports->deadline_us = deadline;
}

void reports_acknowledge(struct shim *shim, uint64_t sequence)
{
    struct reports *reports = &shim->reports;
    if (sequence > reports->last || sequence <= reports->acknowledged) return;
    reports->acknowledged = sequence;
    bool all_sent = shim->connection && shim->connection->sent_offset == reports->size_bytes && !shim->connection->out.size;
    if (sequence < reports->last || reports->pending.size || !all_sent) return;
    if (ftruncate(reports->fd, 0) < 0) return;
    reports->size_bytes = shim->connection->sent_offset = 0;
    reports->first = reports->last + 1;
}

static bool is_after(void *context, uint64_t sequence, uint64_t offset)
{
    (void)offset;
    return sequence > *(const uint64_t *)context;
}

uint64_t reports_offset_after(struct shim *shim, uint64_t sequence)
{
    struct reports *reports = &shim->reports;
    if (sequence > reports->last) reports->last = sequence; /* the engine knows more: another shim of this run made them */
    if (!reports->size_bytes) reports->first = reports->pending.size ? reports->pending_first : reports->last + 1;
    return scan(shim, is_after, &sequence);
}
