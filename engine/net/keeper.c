/* keeper.c: the client of a domain keeper's socket: one line out, lines in. */
#include "net/keeper.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_MS = 10 * 1000, ANSWER_BYTES = 16 * 1024 * 1024, PIECE_BYTES = 64 * 1024 };

static void drop_json(json_t **value)
{
    json_decref(*value);
}

static void release_text(struct text *text)
{
    text_release(text);
}

/* --- the request --- */
static int add_value(struct text *line, const char *name, const json_t *value, struct error *err)
{
    text_add_format(line, " %s=", name);
    switch (json_typeof(value)) {
    case JSON_STRING: percent_encode(json_string_value(value), line); return 0;
    case JSON_INTEGER: text_add_format(line, "%lld", (long long)json_integer_value(value)); return 0;
    case JSON_REAL: text_add_format(line, "%.17g", json_real_value(value)); return 0;
    case JSON_TRUE: text_add(line, "1"); return 0;
    case JSON_FALSE: text_add(line, "0"); return 0;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY: break;
    }
    return error_set(err, ERROR_INVALID, NOWHERE, "a keeper cannot be told %.60s: it is no text and no number", name);
}

static int write_request(const char *verb, const json_t *fields, struct text *line, struct error *err)
{
    const char *name;
    json_t *value, *item;
    size_t i;
    int code = 0;
    text_add(line, verb);
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
    {
        if (json_is_null(value) || code < 0) continue;
        if (!json_is_array(value)) {
            code = add_value(line, name, value, err);
            continue;
        }
        json_array_foreach(value, i, item) if (code == 0) code = add_value(line, name, item, err);
    }
    text_add_char(line, '\n');
    return code;
}

/* --- the socket --- */
static int nobody(const char *folder, int saved_errno, struct error *err)
{
    int code = error_set(err, ERROR_UNAVAILABLE, NOWHERE, "no keeper answers in %.150s: %s", folder, strerror(saved_errno));
    if (err) err->retryable = true;
    return code;
}

static int open_socket(const char *folder, int *ret, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(close_fd) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0) return nobody(folder, errno, err);
    AUTO(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return error_set_errno(err, errno, "cannot make a socket");
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/keeper.sock", folder_fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return nobody(folder, errno, err);
    *ret = take_fd(&fd);
    return 0;
}

static int wait_for(int fd, short events, int64_t end_ms, const char *folder, struct error *err)
{
    for (;;) {
        int64_t left = end_ms - clock_monotonic_us() / 1000;
        struct pollfd ready = {fd, events, 0};
        int count = left > 0 ? poll(&ready, 1, (int)left) : 0;
        if (count > 0) return 0;
        if (count < 0 && errno == EINTR) continue;
        int code = error_set(err, ERROR_TIMEOUT, NOWHERE, "the keeper in %.150s did not answer in time", folder);
        if (err) err->retryable = true;
        return code;
    }
}

static int send_line(int fd, const struct text *line, int64_t end_ms, const char *folder, struct error *err)
{
    for (size_t at = 0; at < line->size;) {
        ssize_t put = send(fd, line->bytes + at, line->size - at, MSG_NOSIGNAL);
        if (put > 0) at += (size_t)put;
        if (put >= 0 || errno == EINTR) continue;
        if (errno == EPIPE || errno == ECONNRESET) return 0; /* it may have refused a line that is too long, and said so */
        int code = errno == EAGAIN ? wait_for(fd, POLLOUT, end_ms, folder, err) : nobody(folder, errno, err);
        if (code < 0) return code;
    }
    return 0;
}

/* Is the last line whole, and does it begin with "ok" or "error"? */
static bool is_whole(const struct text *answer)
{
    if (!answer->size || answer->bytes[answer->size - 1] != '\n') return false;
    size_t start = answer->size - 1;
    while (start > 0 && answer->bytes[start - 1] != '\n')
        start--;
    const char *last = answer->bytes + start;
    size_t word = strcspn(last, " \n");
    return (word == 2 && memcmp(last, "ok", 2) == 0) || (word == 5 && memcmp(last, "error", 5) == 0);
}

static int read_answer(int fd, int64_t end_ms, const char *folder, struct text *answer, struct error *err)
{
    AUTO(free_text) char *piece = mem_alloc(PIECE_BYTES);
    while (!is_whole(answer)) {
        int code = wait_for(fd, POLLIN, end_ms, folder, err);
        if (code < 0) return code;
        ssize_t got = recv(fd, piece, PIECE_BYTES, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got <= 0) return nobody(folder, got < 0 ? errno : ECONNRESET, err); /* it died in the middle */
        text_add_bytes(answer, piece, (size_t)got);
        if (answer->size > ANSWER_BYTES) return error_set(err, ERROR_PROTOCOL, NOWHERE, "the keeper in %.150s answers without end", folder);
    }
    return 0;
}

/* --- the answer --- */
static int broken(const char *folder, struct error *err)
{
    return error_set(err, ERROR_PROTOCOL, NOWHERE, "the keeper in %.150s answered what is no line of its protocol", folder);
}

static bool read_word(json_t *into, const char *word, size_t size)
{
    const char *equals = memchr(word, '=', size);
    struct text value = {0};
    if (!equals) return false;
    AUTO(free_text) char *name = mem_copy_bytes(word, (size_t)(equals - word));
    AUTO(free_text) char *encoded = mem_copy_bytes(equals + 1, size - (size_t)(equals + 1 - word));
    text_add(&value, "");
    bool good = percent_decode(encoded, &value) && json_object_set_new(into, name, json_stringn(value.bytes, value.size)) == 0;
    text_release(&value);
    return good;
}

/* {"line": WORD, NAME: TEXT, ...}; NULL when it is none. */
static json_t *read_line(const char *line, size_t size)
{
    json_t *object = json_object();
    bool good = true, first = true;
    for (size_t at = 0, length; good && at <= size; at += length + 1, first = false) {
        const char *space = memchr(line + at, ' ', size - at);
        length = space ? (size_t)(space - line) - at : size - at;
        if (first)
            good = length > 0 && json_object_set_new(object, "line", json_stringn(line, length)) == 0;
        else if (length)
            good = read_word(object, line + at, length);
    }
    if (good) return object;
    json_decref(object);
    return NULL;
}

static enum error_code code_of(const char *name)
{
    for (int code = 1; name && code < ERROR_CODE_COUNT; code++)
        if (strcasecmp(error_code_name((enum error_code)code), name) == 0) return (enum error_code)code;
    return ERROR_INTERNAL;
}

static int refused(const json_t *last, struct error *err)
{
    const char *message = json_string_value(json_object_get(last, "message")), *hint = json_string_value(json_object_get(last, "hint"));
    int code =
        error_set(err, code_of(json_string_value(json_object_get(last, "code"))), NOWHERE, "%s", message ? message : "the keeper refused");
    return hint ? error_hint(err, "%s", hint) : code;
}

static int read_lines(const struct text *answer, const char *folder, json_t **ret, json_t **ret_lines, struct error *err)
{
    AUTO(drop_json) json_t *lines = json_array(), *last = NULL;
    for (size_t at = 0, size; at < answer->size; at += size + 1) {
        size = strcspn(answer->bytes + at, "\n");
        if (last) json_array_append_new(lines, last);
        last = read_line(answer->bytes + at, size);
        if (!last) return broken(folder, err);
    }
    if (text_equal(json_string_value(json_object_get(last, "line")), "error")) return refused(last, err);
    json_object_del(last, "line");
    if (ret) *ret = take(&last);
    if (ret_lines) *ret_lines = take(&lines);
    return 0;
}

int keeper_ask(
    const char *folder, const char *verb, const json_t *fields, int timeout_ms, json_t **ret, json_t **ret_lines, struct error *err)
{
    int64_t end_ms = clock_monotonic_us() / 1000 + (timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS);
    AUTO(release_text) struct text line = {0}, answer = {0};
    AUTO(close_fd) int fd = -1;
    int code = write_request(verb, fields, &line, err);
    if (code == 0) code = open_socket(folder, &fd, err);
    if (code == 0) code = send_line(fd, &line, end_ms, folder, err);
    if (code == 0) code = read_answer(fd, end_ms, folder, &answer, err);
    return code < 0 ? code : read_lines(&answer, folder, ret, ret_lines, err);
}
