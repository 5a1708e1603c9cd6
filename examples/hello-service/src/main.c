/* main.c: helloservice [PORT | SOCKET/PATH]: a small HTTP service on the loopback address or a Unix socket. It prints where it listens;
   port 0, the default, is any free one. Each connection is one request and has a thread. SIGTERM ends it. */
#include "answer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int listen_at_port(long port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 64) < 0) return -1;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -1;
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    return fd;
}

static int listen_at_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) return -1;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0) return -1;
    printf("listening on %s\n", path);
    return fd;
}

static void answer(int connection)
{
    char request[2048], said[ANSWER_MAX];
    struct timeval patience = {.tv_sec = 5};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = read(connection, request, sizeof request - 1);
    if (got <= 0) return;
    request[got] = '\0';
    size_t size = answer_request(request, said);
    if (write(connection, said, size) < 0) perror("write");
    shutdown(connection, SHUT_WR);
}

static void *serve(void *connection)
{
    answer((int)(intptr_t)connection);
    close((int)(intptr_t)connection);
    return NULL;
}

/* A small stack each, so that hundreds at a time fit into 16 MiB. Without a thread the answer is given here: slower, but given. */
static void serve_in_thread(int connection)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)connection) != 0) serve((void *)(intptr_t)connection);
    pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv)
{
    const char *where = argc > 1 ? argv[1] : "0";
    long port = strtol(where, NULL, 10);
    if (port < 0 || port > 65535) {
        fprintf(stderr, "usage: helloservice [PORT | SOCKET/PATH]\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = strchr(where, '/') ? listen_at_path(where) : listen_at_port(port);
    if (listener < 0) return fail("helloservice");
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) serve_in_thread(connection);
    }
}
