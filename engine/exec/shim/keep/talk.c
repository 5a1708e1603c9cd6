/* talk.c: who asks the keeper, over KEEP/keeper.sock: lines in, lines out, many at a time, none waited for. */
#include "keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 64, UNREAD_BYTES = 16 * 1024 * 1024 };

static void close_client(struct keep *keep, struct client *client)
{
    if (client->watch.fd < 0) return;
    watch_close(&keep->shim, &client->watch);
    for (struct client **at = &keep->clients; *at; at = &(*at)->next)
        if (*at == client) {
            *at = client->next;
            break;
        }
    client->next = keep->graves;
    keep->graves = client;
}

void talk_bury(struct keep *keep)
{
    for (struct client *client = keep->graves, *next; client; client = next) {
        next = client->next;
        wire_release(&client->in);
        wire_release(&client->out);
        free(client);
    }
    keep->graves = NULL;
}

static void send_out(struct keep *keep, struct client *client)
{
    while (client->out.size) {
        ssize_t put = send(client->watch.fd, client->out.bytes, client->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno == EAGAIN) break;
        if (put < 0) return close_client(keep, client);
        wire_drop(&client->out, (size_t)put);
    }
    bool wanted = client->out.size > 0;
    if (!wanted && client->ending) return close_client(keep, client);
    if (wanted != client->writing) watch_change(&keep->shim, &client->watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    client->writing = wanted;
}

static void add_error(struct text *out, const struct error *err)
{
    char code[32] = "";
    const char *name = error_code_name(err->code);
    for (size_t i = 0; name[i] && i + 1 < sizeof code; i++)
        code[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    text_add_format(out, "error code=%s", code);
    add_word(out, "message", err->message);
    if (err->hint[0]) add_word(out, "hint", err->hint);
    text_add_char(out, '\n');
}

/* `status` answers lines before the last, all others fields of the last. */
static void add_answer(struct text *answer, const struct line *line, const struct text *said)
{
    bool lines = strcmp(line->verb, "status") == 0;
    if (lines) text_add(answer, text_view(said));
    text_add(answer, "ok");
    if (!lines) text_add(answer, text_view(said));
    text_add_char(answer, '\n');
}

static void take_line(struct keep *keep, struct client *client, const char *bytes, size_t size)
{
    struct line line = {0};
    struct text said = {0}, answer = {0};
    struct error err = {0};
    keep->asked_us = now_us();
    int failed = line_read(bytes, size, &line, &err);
    if (!failed) failed = verb_do(keep, &line, &said, &err);
    if (failed)
        add_error(&answer, &err);
    else
        add_answer(&answer, &line, &said);
    wire_bytes(&client->out, answer.bytes, answer.size);
    line_release(&line);
    text_release(&said);
    text_release(&answer);
}

static void refuse_long(struct client *client)
{
    struct error err = {0};
    struct text answer = {0};
    error_set(&err, ERROR_LIMIT, NOWHERE, "a line is longer than %d bytes", KEEP_LINE_BYTES);
    add_error(&answer, &err);
    wire_bytes(&client->out, answer.bytes, answer.size);
    text_release(&answer);
    client->ending = true;
    client->in.size = 0;
}

static void take_lines(struct keep *keep, struct client *client)
{
    size_t used = 0;
    for (unsigned char *end; !client->ending && (end = memchr(client->in.bytes + used, '\n', client->in.size - used));) {
        const unsigned char *start = client->in.bytes + used;
        size_t size = (size_t)(end - start);
        used += size + 1;
        if (size > KEEP_LINE_BYTES) return refuse_long(client);
        take_line(keep, client, (const char *)start, size && start[size - 1] == '\r' ? size - 1 : size);
    }
    wire_drop(&client->in, used);
    if (client->in.size > KEEP_LINE_BYTES) refuse_long(client);
}

/* A line without its end is no request: who left in the middle of one has asked nothing. */
static void client_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct keep *keep = (struct keep *)shim;
    struct client *client = CONTAINER(watch, struct client, watch);
    if (events & EPOLLOUT) send_out(keep, client);
    if (watch->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    if (client->out.size > UNREAD_BYTES) return close_client(keep, client);
    wire_reserve(&client->in, 16 * 1024);
    ssize_t got = recv(watch->fd, client->in.bytes + client->in.size, client->in.capacity - client->in.size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return close_client(keep, client);
    client->in.size += (size_t)got;
    if (client->ending)
        client->in.size = 0;
    else
        take_lines(keep, client);
    send_out(keep, client);
}

static unsigned count_clients(const struct keep *keep)
{
    unsigned count = 0;
    for (const struct client *client = keep->clients; client; client = client->next)
        count++;
    return count;
}

static void listener_ready(struct shim *shim, struct watch *watch, uint32_t events)
{
    struct keep *keep = (struct keep *)shim;
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (count_clients(keep) >= CLIENTS) {
        close(fd);
        return;
    }
    struct client *client = mem_alloc(sizeof *client);
    client->watch = (struct watch){fd, client_ready};
    client->next = keep->clients;
    keep->clients = client;
    watch_add(shim, &client->watch, EPOLLIN);
}

void talk_open(struct keep *keep)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/keeper.sock", keep->shim.folder_fd);
    unlinkat(keep->shim.folder_fd, "keeper.sock", 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0) shim_die("keeper.sock");
    umask(mask);
    keep->listener = (struct watch){fd, listener_ready};
    watch_add(&keep->shim, &keep->listener, EPOLLIN);
}
