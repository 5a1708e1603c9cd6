/* check.c: check PROGRAM SOCKET: starts the service on a Unix socket (a build needs no network for that), asks it what a user would, and
   says line by line what it got. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *request, *status, *body;
} expectations[] = {
    {"GET / HTTP/1.1\r\n\r\n", "200", "Hello from Crescendo!\n"},
    {"GET /healthz HTTP/1.1\r\n\r\n", "200", "ok\n"},
    {"GET /healthz?deep=1 HTTP/1.1\r\n\r\n", "200", "ok\n"},
    {"GET /nothing HTTP/1.1\r\n\r\n", "404", "nothing here\n"},
    {"POST / HTTP/1.1\r\n\r\n", "405", "only GET\n"},
};

/* Starts the program and waits until it says that it listens. */
static pid_t start(const char *program, const char *path)
{
    int out[2];
    char line[100] = "";
    if (pipe(out) < 0) exit(1);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, path, (char *)NULL);
        perror(program);
        _exit(127);
    }
    close(out[1]);
    FILE *said = fdopen(out[0], "r");
    if (!said || !fgets(line, sizeof line, said) || strncmp(line, "listening on ", 13) != 0) {
        fprintf(stderr, "%s did not say where it listens\n", program);
        kill(child, SIGKILL);
        exit(1);
    }
    return child;
}

/* Sends request and collects the answer. */
static int ask(const char *path, const char *request, char *answer, size_t capacity)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    size_t size = 0;
    ssize_t got;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 || write(fd, request, strlen(request)) < 0) {
        perror("connect");
        return -1;
    }
    while (size + 1 < capacity && (got = read(fd, answer + size, capacity - size - 1)) > 0)
        size += (size_t)got;
    answer[size] = '\0';
    close(fd);
    return 0;
}

static int check(const char *path, size_t index)
{
    char answer[4096];
    const char *request = expectations[index].request;
    if (ask(path, request, answer, sizeof answer) < 0) return 1;
    const char *body = strstr(answer, "\r\n\r\n");
    int good = strncmp(answer, "HTTP/1.1 ", 9) == 0 && strncmp(answer + 9, expectations[index].status, 3) == 0 && body &&
               strcmp(body + 4, expectations[index].body) == 0;
    printf("%s %.*s\n", good ? "ok    " : "FAILED", (int)strcspn(request, "\r"), request);
    if (!good) printf("       expected %s \"%s\"\n       got      %s\n", expectations[index].status, expectations[index].body, answer);
    return !good;
}

int main(int argc, char **argv)
{
    int failed = 0, status = 0;
    if (argc != 3) return fprintf(stderr, "usage: check PROGRAM SOCKET\n"), 64;
    pid_t service = start(argv[1], argv[2]);
    const size_t count = sizeof expectations / sizeof *expectations;
    for (size_t i = 0; i < count; i++)
        failed += check(argv[2], i);
    kill(service, SIGTERM);
    waitpid(service, &status, 0);
    printf("%zu checks, %d failed\n", count, failed);
    return failed > 0;
}
