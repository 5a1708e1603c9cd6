/* answer.h: what the service says to a request. Text in, text out; no sockets. */
#ifndef HELLO_ANSWER_H
#define HELLO_ANSWER_H

#include <stddef.h>

enum { ANSWER_MAX = 512 };

/* Writes the whole HTTP answer to a request's first bytes into answer. Returns its size. */
size_t answer_request(const char *request, char answer[ANSWER_MAX]);

#endif
