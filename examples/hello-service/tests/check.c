/* check.c: check PROGRAM: starts the service, asks it what a user would, and says line by line what it got. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/* Starts the program; *ret_port is where it says that it listens. */
static pid_t start(const char *program, int *ret_port)
{
    int out[2];
    char line[100] = "";
    if (pipe(out) < 0) exit(1);
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, "0", (char *)NULL);
        perror(program);
        _exit(127);
    }
    close(out[1]);
    FILE *said = fdopen(out[0], "r");
    if (!said || !fgets(line, sizeof line, said) || sscanf(line, "listening on 127.0.0.1:%d", ret_port) != 1) {
        fprintf(stderr, "%s did not say where it listens\n", program);
        kill(child, SIGKILL);
        exit(1);
    }
    return child;
}

/* Sends request and collects the answer. */
static int ask(int port, const char *request, char *answer, size_t capacity)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t size = 0;
    ssize_t got;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 || write(fd, request, strlen(request)) < 0) {
        perror("connect");
        return -1;
    }
    while (size + 1 < capacity && (got = read(fd, answer + size, capacity - size - 1)) > 0) size += (size_t)got;
    answer[size] = '\0';
    close(fd);
    return 0;
}

static int check(int port, size_t index)
{
    char answer[4096];
    const char *request = expectations[index].request;
    if (ask(port, request, answer, sizeof answer) < 0) return 1;
    const char *body = strstr(answer, "\r\n\r\n");
    int good = strncmp(answer, "HTTP/1.1 ", 9) == 0 && strncmp(answer + 9, expectations[index].status, 3) == 0 && body
        && strcmp(body + 4, expectations[index].body) == 0;
    printf("%s %.*s\n", good ? "ok    " : "FAILED", (int)strcspn(request, "\r"), request);
    if (!good) printf("       expected %s \"%s\"\n       got      %s\n", expectations[index].status, expectations[index].body, answer);
    return !good;
}

int main(int argc, char **argv)
{
    int port = 0, failed = 0, status = 0;
    if (argc != 2) return fprintf(stderr, "usage: check PROGRAM\n"), 64;
    pid_t service = start(argv[1], &port);
    const size_t count = sizeof expectations / sizeof *expectations;
    for (size_t i = 0; i < count; i++) failed += check(port, i);
    kill(service, SIGTERM);
    waitpid(service, &status, 0);
    printf("%zu checks, %d failed\n", count, failed);
    return failed > 0;
}
