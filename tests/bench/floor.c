/* floor.c: the least that running N commands one after another can cost: a bare loop that spawns `sh -c true` and captures
   its output by a pipe. floor COUNT [SCRIPT]: prints the microseconds that it took. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int run_one(char *script)
{
    int ends[2], status = -1;
    char bytes[4096];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    if (pipe(ends) < 0) return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int failed = posix_spawn(&pid, "/bin/sh", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (!failed && read(ends[0], bytes, sizeof bytes) > 0)
        continue;
    close(ends[0]);
    if (!failed) waitpid(pid, &status, 0);
    return status;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    char *script = argc > 2 ? argv[2] : (char[]){"true"};
    long long start = now_us();
    for (long i = 0; i < count; i++)
        if (run_one(script) != 0) return 1;
    printf("%lld\n", now_us() - start);
    return 0;
}
