/* load_http.h: one HTTP/1.1 answer, taken as it arrives: its status, where it ends, and the few bytes that tell versions apart. Pure. */
#ifndef CRESCENDO_TEST_LOAD_HTTP_H
#define CRESCENDO_TEST_LOAD_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_HEAD_BYTES = 16 * 1024, ANSWER_KEY_BYTES = 64 };

enum answer_state {
    ANSWER_HEAD,
    ANSWER_COUNTED,
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK,
    ANSWER_CHUNK_END,
    ANSWER_TRAILER,
    ANSWER_TO_END,
    ANSWER_WHOLE,
    ANSWER_WRONG
};

/* Starts as {0}, but for key_header: NULL = the key is the body's first line, cut; else that header's value. */
struct answer {
    enum answer_state state;
    int status;
    bool closes; /* the peer says that it will */
    const char *key_header;
    char key[ANSWER_KEY_BYTES];
    size_t key_size;
    bool key_whole;
    unsigned long long left; /* of the body or the chunk */
    size_t line;             /* bytes in the line that is read: a chunk's size, a trailer */
    size_t head_size;
    char head[ANSWER_HEAD_BYTES];
};

void answer_begin(struct answer *answer, const char *key_header);
/* Takes bytes until the answer is whole or wrong; returns how many it took. */
size_t answer_take(struct answer *answer, const char *bytes, size_t size);
/* The peer closed: true when that is the answer's end. */
bool answer_end(struct answer *answer);

#endif
