/* answer.c: what the service says to a request. */
#include "answer.h"

#include "work.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *path, *body;
    int works;
} pages[] = {
    {"/", "Hello from Crescendo!\n", 1},
    {"/healthz", "ok\n", 0},
};

static size_t write_answer(char *answer, const char *status, const char *body)
{
    int size = snprintf(answer, ANSWER_MAX, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
        status, strlen(body), body);
    return size < ANSWER_MAX ? (size_t)size : ANSWER_MAX - 1;
}

size_t answer_request(const char *request, char answer[ANSWER_MAX])
{
    if (strncmp(request, "GET ", 4) != 0) return write_answer(answer, "405 Method Not Allowed", "only GET\n");
    const char *path = request + 4;
    size_t size = strcspn(path, " ?\r\n");
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strlen(pages[i].path) != size || memcmp(pages[i].path, path, size) != 0) continue;
        if (pages[i].works) work();
        return write_answer(answer, "200 OK", pages[i].body);
    }
    return write_answer(answer, "404 Not Found", "nothing here\n");
}
