/* main.c: the program crescendo-server: puts engine, triggers and HTTP together on one loop, and takes them apart in order. */
#include "steps/external.h"
#include "steps/registry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/arguments.h"
#include "server/server.h"
#include "trigger/repository.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69, EXIT_JOURNAL = 74, IDLE_LOOK_MS = 200, IDLE_LOOKS = 10, IDLE_START_MS = 60 * 1000 };

struct idle_watch { /* --exit-when-idle */
    uv_timer_t timer;
    struct server *server;
    unsigned idle_looks;
};

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

static void on_journal_failed(void *context, const struct error *err)
{
    struct server *server = context;
    log_error(err, "the journal cannot be written; stopping, so that nothing is promised that is not on disk");
    log_line(LOG_LEVEL_ERROR, "running steps go on; free the disk or repair it and start the server again: it takes them up");
    server->exit_code = EXIT_JOURNAL;
    uv_stop(&server->loop);
}

static bool authenticate(void *context, const char *token, const char **ret_user, const char *const **ret_groups)
{
    struct server *server = context;
    return server->tokens && tokens_find(server->tokens, token, ret_user, ret_groups);
}

static void mount_routes(struct server *server)
{
    const struct http_mount mounts[SERVER_MOUNTS_MAX] = {
        {runs_routes, server},
        {logs_routes, server},
        {events_routes, server},
        {follow_routes, server},
        {approvals_routes, server},
        {version_routes, server},
        {push_routes, &server->trigger},
        {manual_routes, &server->trigger},
        {repository_routes, &server->trigger},
    };
    memcpy(server->mounts, mounts, sizeof mounts);
}

static int find_programs(struct server *server, struct error *err)
{
    AUTO(free_text) char *folder = file_program_folder();
    if (!folder) return error_set(err, ERROR_INTERNAL, NOWHERE, "cannot tell where this program stands: /proc is missing");
    server->shim = mem_format("%s/crescendo-shim", folder);
    server->step = mem_format("%s/crescendo-step", folder);
    server->hook = mem_format("%s/crescendo-hook", folder);
    const char *const programs[] = {server->shim, server->step, server->hook};
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (access(programs[i], X_OK) == 0) continue;
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s is missing", programs[i]);
        return error_hint(err, "the programs of Crescendo stand together in one folder");
    }
    return 0;
}

static char *external_program(const char *type)
{
    return external_type_program(type, getenv("PATH"));
}

static void on_wrong_table(void *context, const struct error *mistake)
{
    (void)context;
    log_line(LOG_LEVEL_WARNING, "a step type cannot be used: %s", mistake->message);
}

static int open_engine(struct server *server, const struct arguments *arguments, step_types *types, struct error *err)
{
    struct engine_options options = {.data = server->data,
        .shim = server->shim,
        .step = server->step,
        .slots = arguments->jobs,
        .allow_no_sandbox = arguments->allow_no_sandbox,
        .types = types,
        .external_program = external_program,
        .failed = on_journal_failed,
        .context = server};
    return engine_open(&server->loop, &options, &server->engine, err);
}

static int open_local(struct server *server, struct error *err)
{
    struct http_options options = {
        .listen_fd = -1, .local = true, .mounts = server->mounts, .authenticate = authenticate, .context = server};
    server->socket_path = mem_format("%s/crescendo.sock", server->data);
    int code = http_listen_unix(server->socket_path, &options.listen_fd, err);
    return code < 0 ? code : http_server_open(&server->loop, &options, &server->local, err);
}

/* With --listen ADDRESS:0 the kernel chose the port. */
static char *address_of(int fd, const char *listen)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &size);
    char port[NI_MAXSERV] = "0";
    int fault = getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    if (fault) return mem_format("http://%s", listen);
    return mem_format("http://%.*s:%s", (int)(strrchr(listen, ':') - listen), listen, port);
}

static int open_tcp(struct server *server, const char *listen, struct error *err)
{
    struct http_options options = {.listen_fd = -1, .mounts = server->mounts, .authenticate = authenticate, .context = server};
    int code = http_listen_tcp(listen, &options.listen_fd, err);
    if (code < 0) return code;
    server->address = address_of(options.listen_fd, listen);
    return http_server_open(&server->loop, &options, &server->tcp, err);
}

/* Everything, in the order in which each may rely on the one before. The socket comes last: who can connect finds all of it. */
static int open_server(struct server *server, const struct arguments *arguments, step_types *types, struct error *err)
{
    int code = find_programs(server, err);
    if (code == 0) code = file_make_folders(arguments->data, 0700, err);
    if (code < 0) return code;
    server->data = realpath(arguments->data, NULL);
    if (!server->data) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s vanished", arguments->data);
    if (arguments->token_file) code = tokens_open(arguments->token_file, &server->tokens, err);
    if (code == 0) code = open_engine(server, arguments, types, err);
    if (code < 0) return code;
    mount_routes(server);
    if (arguments->listen) code = open_tcp(server, arguments->listen, err);
    if (code < 0) return code;
    server->trigger = (struct trigger){server->engine, server->data, server->address, server->hook};
    repository_renew_hooks(server->data, server->hook);
    server->spool = spool_open(&server->loop, &server->trigger);
    return open_local(server, err);
}

static void close_server(struct server *server)
{
    http_server_close(&server->tcp);
    if (server->local) unlink(server->socket_path);
    http_server_close(&server->local);
    engine_close(&server->engine);
    spool_close(&server->spool);
    tokens_free(&server->tokens);
    char *const owned[] = {server->data, server->socket_path, server->address, server->shim, server->step, server->hook};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
}

static void say_ready(const struct server *server, int ready_fd)
{
    log_line(LOG_LEVEL_INFO, "crescendo-server %s is ready: unix:%s%s%s; data in %s", CRESCENDO_VERSION, server->socket_path,
        server->tcp ? ", " : "", server->tcp ? server->address : "", server->data);
    if (ready_fd < 0) return;
    if (write(ready_fd, "\n", 1) < 0) log_line(LOG_LEVEL_WARNING, "nobody waits at --ready-fd %d", ready_fd);
    close(ready_fd);
}

static bool is_idle(const struct server *server)
{
    unsigned connections = http_server_connections(server->local) + (server->tcp ? http_server_connections(server->tcp) : 0);
    bool began = journal_count(engine_journal(server->engine)).events > 0;
    bool waited = clock_now_ms() - server->started_ms > IDLE_START_MS;
    return connections == 0 && (began || waited) && engine_is_idle(server->engine);
}

static void on_idle_look(uv_timer_t *timer)
{
    struct idle_watch *watch = timer->data;
    watch->idle_looks = is_idle(watch->server) ? watch->idle_looks + 1 : 0;
    if (watch->idle_looks >= IDLE_LOOKS) uv_stop(timer->loop);
}

static void run_loop(struct server *server, const struct arguments *arguments)
{
    uv_signal_t terminate, interrupt;
    struct idle_watch watch = {.server = server};
    uv_signal_init(&server->loop, &terminate);
    uv_signal_init(&server->loop, &interrupt);
    uv_timer_init(&server->loop, &watch.timer);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    watch.timer.data = &watch;
    if (arguments->exit_when_idle) uv_timer_start(&watch.timer, on_idle_look, IDLE_LOOK_MS, IDLE_LOOK_MS);
    say_ready(server, arguments->ready_fd);
    if (server->exit_code == 0) uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&terminate, NULL);
    uv_close((uv_handle_t *)&interrupt, NULL);
    uv_close((uv_handle_t *)&watch.timer, NULL);
    uv_run(&server->loop, UV_RUN_NOWAIT);
}

static int serve(const struct arguments *arguments, step_types *types)
{
    struct server server = {.started_ms = clock_now_ms()};
    struct error err;
    uv_loop_init(&server.loop);
    int code = open_server(&server, arguments, types, &err);
    if (code < 0)
        log_error(&err, "crescendo-server cannot start");
    else
        run_loop(&server, arguments);
    close_server(&server);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    uv_loop_close(&server.loop);
    if (code == -ERROR_INVALID) return EXIT_USAGE;
    if (code == -ERROR_NO_SPACE || code == -ERROR_IO) return EXIT_JOURNAL;
    return code < 0 ? EXIT_UNAVAILABLE : server.exit_code;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error err;
    step_types *types = NULL;
    int code = arguments_read(argc, argv, &arguments, &err);
    if (code == ARGUMENTS_HELP) fputs(arguments_help, stdout);
    if (code == ARGUMENTS_VERSION) puts("crescendo-server " CRESCENDO_VERSION);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    struct arena *arena = arena_new();
    int result = 0;
    if (code == ARGUMENTS_RUN)
        code = external_types_load_telling(getenv("PATH"), arena, step_types_builtin, on_wrong_table, NULL, &types, &err);
    if (code < 0) {
        log_error(&err, "crescendo-server");
        result = EXIT_USAGE;
    } else if (code == ARGUMENTS_RUN) {
        result = serve(&arguments, types);
    }
    arena_free(&arena);
    free(arguments.data);
    return result;
}
