/* load_http.c: a small state machine over an answer's bytes. */
#include "tests/support/load_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_begin(struct answer *answer, const char *key_header)
{
    memset(answer, 0, offsetof(struct answer, head));
    answer->key_header = key_header;
}

/* The value of a header in the head, or NULL; its size without the line's end. */
static const char *header_of(const struct answer *answer, const char *name, size_t *ret_size)
{
    const char *line = answer->head, *end = answer->head + answer->head_size;
    for (size_t size = strlen(name); line < end; line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1) {
        if ((size_t)(end - line) <= size || strncasecmp(line, name, size) != 0 || line[size] != ':') continue;
        const char *value = line + size + 1;
        value += strspn(value, " ");
        *ret_size = strcspn(value, "\r\n");
        return value;
    }
    return NULL;
}

static bool header_says(const struct answer *answer, const char *name, const char *word)
{
    size_t size;
    const char *value = header_of(answer, name, &size);
    return value && size == strlen(word) && strncasecmp(value, word, size) == 0;
}

static void keep_key(struct answer *answer, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size && !answer->key_whole; i++) {
        answer->key_whole = bytes[i] == '\n' || bytes[i] == '\r' || answer->key_size + 1 == sizeof answer->key;
        if (!answer->key_whole) answer->key[answer->key_size++] = bytes[i];
    }
    answer->key[answer->key_size] = '\0';
}

static enum answer_state state_behind_head(struct answer *answer)
{
    size_t size;
    answer->head[answer->head_size] = '\0';
    if (answer->head_size < 13 || memcmp(answer->head, "HTTP/1.", 7) != 0) return ANSWER_WRONG;
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    if (answer->status < 200 || answer->status > 599) return ANSWER_WRONG;
    answer->closes = header_says(answer, "Connection", "close") || answer->head[7] == '0';
    const char *key = answer->key_header ? header_of(answer, answer->key_header, &size) : NULL;
    if (key) keep_key(answer, key, size);
    if (answer->key_header) answer->key_whole = true;
    if (header_says(answer, "Transfer-Encoding", "chunked")) return ANSWER_CHUNK_SIZE;
    const char *length = header_of(answer, "Content-Length", &size);
    answer->left = length ? strtoull(length, NULL, 10) : 0;
    if (!length && answer->status != 204 && answer->status != 304) return ANSWER_TO_END;
    return answer->left ? ANSWER_COUNTED : ANSWER_WHOLE;
}

static size_t take_head(struct answer *answer, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (answer->head_size + 1 == sizeof answer->head) {
            answer->state = ANSWER_WRONG;
            return i;
        }
        answer->head[answer->head_size++] = bytes[i];
        if (bytes[i] != '\n' || answer->head_size < 4 || memcmp(answer->head + answer->head_size - 4, "\r\n\r\n", 4) != 0) continue;
        answer->state = state_behind_head(answer);
        return i + 1;
    }
    return size;
}

static size_t take_body(struct answer *answer, const char *bytes, size_t size, enum answer_state behind)
{
    size_t taken = answer->left < size ? (size_t)answer->left : size;
    keep_key(answer, bytes, taken);
    answer->left -= taken;
    if (answer->left == 0) answer->state = behind;
    return taken;
}

static void take_size_digit(struct answer *answer, char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    if (c == '\n')
        answer->state = answer->left ? ANSWER_CHUNK : ANSWER_TRAILER;
    else if (c && digit && answer->line < 15)
        answer->left = answer->left * 16 + (unsigned long long)(digit - digits);
    else if (c != '\r')
        answer->state = ANSWER_WRONG;
    answer->line = c == '\n' ? 0 : answer->line + (c != '\r');
}

/* What stands between chunks, a byte at a time. */
static void take_frame(struct answer *answer, char c)
{
    if (answer->state == ANSWER_CHUNK_SIZE) {
        take_size_digit(answer, c);
    } else if (answer->state == ANSWER_CHUNK_END) {
        if (c == '\n') answer->state = ANSWER_CHUNK_SIZE;
    } else if (c == '\n') {
        answer->state = answer->line == 0 ? ANSWER_WHOLE : ANSWER_TRAILER;
        answer->line = 0;
    } else if (c != '\r') {
        answer->line++;
    }
}

size_t answer_take(struct answer *answer, const char *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && answer->state != ANSWER_WHOLE && answer->state != ANSWER_WRONG) {
        if (answer->state == ANSWER_HEAD) {
            taken += take_head(answer, bytes + taken, size - taken);
        } else if (answer->state == ANSWER_COUNTED) {
            taken += take_body(answer, bytes + taken, size - taken, ANSWER_WHOLE);
        } else if (answer->state == ANSWER_CHUNK) {
            taken += take_body(answer, bytes + taken, size - taken, ANSWER_CHUNK_END);
        } else if (answer->state == ANSWER_TO_END) {
            keep_key(answer, bytes + taken, size - taken);
            taken = size;
        } else {
            take_frame(answer, bytes[taken++]);
        }
    }
    return taken;
}

bool answer_end(struct answer *answer)
{
    if (answer->state == ANSWER_TO_END) answer->state = ANSWER_WHOLE;
    return answer->state == ANSWER_WHOLE;
}
