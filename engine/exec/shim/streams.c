/* streams.c: what comes out of a step (two pipes, the step protocol's lines, the file of outputs) and what goes down to it. The end of a
   step is its process's end, never end-of-file: a daemon may hold a pipe open, a step may close its own. */
#include "shim.h"

#include "crescendo/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024, DRAIN_PIECES = 64, SAY_LIMIT_BYTES = 4 * 1024 * 1024, OUTPUT_NAME_BYTES = 24 };

void stream_write(struct shim *shim, const struct stream *stream, const char *bytes, size_t size)
{
    if (log_write(shim, stream->step, stream->kind, bytes, size))
        stream->step->log_bytes += size;
    else
        step_end_early(shim, stream->step, SHIM_CAUSE_SIGNAL, true,
            "its output could not be stored in the server's data folder: %s; make room on that disk, then run it again", strerror(errno));
}

/* One read. 1: there may be more; 0: nothing now; -1: the end. */
static int read_piece(struct shim *shim, struct stream *stream)
{
    char piece[PIECE_BYTES];
    ssize_t got = shim->mask ? secrets_read_piece(shim, stream) : read(stream->watch.fd, piece, sizeof piece);
    if (got < 0 && errno == EINTR) return 1;
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return -1;
    if (!shim->mask) stream_write(shim, stream, piece, (size_t)got);
    return 1;
}

static void stream_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    (void)events;
    if (read_piece(shim, CONTAINER(watch, struct stream, watch)) < 0) watch_close(shim, watch);
}

static void report_line(struct shim *shim, const struct step *step, const char *line, size_t size)
{
    struct wire *wire = &shim->reports.pending;
    size_t start = report_begin(shim, SHIM_LINE);
    wire_u32(wire, step->id);
    wire_u32(wire, step->attempt);
    wire_text_of(wire, line, size);
    report_finish(shim, start);
    reports_soon(shim, true);
}

static void take_lines(struct shim *shim, struct step *step)
{
    size_t used = 0;
    for (char *end; (end = memchr(step->talk_in + used, '\n', step->talk_size - used));) {
        size_t size = (size_t)(end - step->talk_in) - used;
        if (secret_is_in(shim, step->talk_in + used, size))
            step_end_early(
                shim, step, SHIM_CAUSE_SIGNAL, true, "a line on descriptor 3 held a secret, and what a step says is kept for ever");
        else if (size)
            report_line(shim, step, step->talk_in + used, size);
        used += size + 1;
    }
    step->talk_size -= used;
    memmove(step->talk_in, step->talk_in + used, step->talk_size);
}

static int read_lines(struct shim *shim, struct step *step)
{
    ssize_t got = recv(step->talk.fd, step->talk_in + step->talk_size, TALK_BUFFER_BYTES - step->talk_size, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) return 1;
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return -1;
    step->talk_size += (size_t)got;
    take_lines(shim, step);
    if (step->talk_size < TALK_BUFFER_BYTES) return 1;
    step->talk_size = 0;
    step_end_early(shim, step, SHIM_CAUSE_SIGNAL, true, "a line on descriptor 3 was longer than %d bytes", LIMIT_STEP_LINE_BYTES);
    return 1;
}

static void write_lines(struct shim *shim, struct step *step)
{
    while (step->talk_out.size) {
        ssize_t put = send(step->talk.fd, step->talk_out.bytes, step->talk_out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno != EAGAIN) step->talk_out.size = 0; /* it does not listen any more */
        if (put < 0) break;
        wire_drop(&step->talk_out, (size_t)put);
    }
    bool wanted = step->talk_out.size > 0;
    if (wanted != step->talk_writing) watch_change(shim, &step->talk, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    step->talk_writing = wanted;
}

static void talk_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct step *step = CONTAINER(watch, struct step, talk);
    if (events & EPOLLOUT) write_lines(shim, step);
    if (read_lines(shim, step) < 0) watch_close(shim, watch);
}

void step_say(struct shim *shim, struct step *step, const char *line, size_t size)
{
    if (step->talk.fd < 0) return;
    wire_bytes(&step->talk_out, line, size);
    wire_bytes(&step->talk_out, "\n", 1);
    if (step->talk_out.size > SAY_LIMIT_BYTES)
        step_end_early(shim, step, SHIM_CAUSE_SIGNAL, true, "it does not read what it is told on descriptor 3");
    write_lines(shim, step);
}

void streams_open(struct shim *shim, struct step *step, const int fds[2], int talk)
{
    for (unsigned i = 0; i < 2; i++) {
        step->streams[i] = (struct stream){{fds[i], stream_ready}, step, i == 0 ? LOG_STDOUT : LOG_STDERR, {0}};
        watch_add(shim, &step->streams[i].watch, EPOLLIN);
    }
    step->talk = (struct watch){talk, talk_ready};
    if (talk < 0) return;
    step->talk_in = shim_alloc(TALK_BUFFER_BYTES);
    watch_add(shim, &step->talk, EPOLLIN);
}

void streams_drain(struct shim *shim, struct step *step)
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned pieces = 0; pieces < DRAIN_PIECES && step->streams[i].watch.fd >= 0; pieces++)
            if (read_piece(shim, &step->streams[i]) <= 0) break;
    for (unsigned pieces = 0; pieces < DRAIN_PIECES && step->talk.fd >= 0; pieces++)
        if (read_lines(shim, step) <= 0) break;
}

void streams_close(struct shim *shim, struct step *step)
{
    watch_close(shim, &step->talk);
    for (unsigned i = 0; i < 2; i++) {
        secrets_end_stream(shim, &step->streams[i]);
        watch_close(shim, &step->streams[i].watch);
        if (step->write_ends[i] >= 0) close(step->write_ends[i]);
        step->write_ends[i] = -1;
    }
}

void output_folder(struct shim *shim)
{
    mkdirat(shim->folder_fd, "outputs", 0711);
}

static const char *output_name(char name[OUTPUT_NAME_BYTES], uint32_t number)
{
    snprintf(name, OUTPUT_NAME_BYTES, "outputs/%u", number);
    return name;
}

static bool is_untouched(const struct shim *shim, const char *name)
{
    struct stat facts;
    if (fstatat(shim->folder_fd, name, &facts, AT_SYMLINK_NOFOLLOW) < 0) return false;
    return facts.st_mode == (S_IFREG | 0600) && !facts.st_size && facts.st_nlink == 1 && facts.st_uid == geteuid();
}

/* Not that of a step whose leftovers could not be killed: they know its name. */
bool output_keep(struct shim *shim, const struct step *step)
{
    char name[OUTPUT_NAME_BYTES];
    struct output_files *files = &shim->outputs;
    if (files->unused_count == OUTPUTS_UNUSED || step->give_up_us) return false;
    if (!is_untouched(shim, output_name(name, step->output_number))) return false;
    files->unused[files->unused_count++] = step->output_number;
    return true;
}

void outputs_remove(struct shim *shim)
{
    char name[OUTPUT_NAME_BYTES];
    for (struct output_files *files = &shim->outputs; files->unused_count;)
        unlinkat(shim->folder_fd, output_name(name, files->unused[--files->unused_count]), 0);
}

/* The file of a step that is gone, which left it as it was made, serves again: to make and remove one for each takes several times as long.
   One that an earlier shim left is thrown away. */
uint32_t output_create(struct shim *shim)
{
    char name[OUTPUT_NAME_BYTES];
    if (shim->outputs.unused_count) return shim->outputs.unused[--shim->outputs.unused_count];
    output_name(name, ++shim->outputs.last);
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(shim->folder_fd, name, flags, 0600);
    if (fd < 0 && errno == ENOENT) {
        output_folder(shim);
        fd = openat(shim->folder_fd, name, flags, 0600);
    }
    if (fd < 0 && errno == EEXIST && unlinkat(shim->folder_fd, name, 0) == 0) fd = openat(shim->folder_fd, name, flags, 0600);
    if (fd >= 0) close(fd); /* else found again when it is read: "is not there" */
    return shim->outputs.last;
}

char *output_take(struct shim *shim, const struct step *step, size_t *ret_size, const char **ret_problem)
{
    char name[OUTPUT_NAME_BYTES];
    return output_read(shim->folder_fd, output_name(name, step->output_number), step->output_limit_bytes, ret_size, ret_problem);
}

static char *read_regular(int fd, uint64_t limit, size_t *ret_size, const char **ret_problem)
{
    struct stat facts;
    if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode)) {
        *ret_problem = "is no regular file any more";
        return NULL;
    }
    if ((uint64_t)facts.st_size > limit) {
        *ret_problem = "is too large";
        return NULL;
    }
    if (!facts.st_size) return NULL;
    char *bytes = shim_alloc((size_t)facts.st_size);
    ssize_t got = pread(fd, bytes, (size_t)facts.st_size, 0);
    *ret_size = got < 0 ? 0 : (size_t)got;
    return bytes;
}

char *output_read(int folder, const char *name, uint64_t limit, size_t *ret_size, const char **ret_problem)
{
    *ret_size = 0;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        if (errno != ENOENT) *ret_problem = "is no regular file any more";
        return NULL; /* a step may remove it: no outputs */
    }
    char *bytes = read_regular(fd, limit, ret_size, ret_problem);
    close(fd);
    unlinkat(folder, name, 0);
    return bytes;
}
