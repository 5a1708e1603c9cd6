/* main.c: the program crescendo-server: puts engine, triggers and HTTP together on one loop, and takes them apart in order. */
#include "steps/external.h"
#include "steps/registry.h"

#include "orchestrator/drivers/registry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/arguments.h"
#include "server/host.h"
#include "server/offline.h"
#include "server/serve_core.h"
#include "server/server.h"
#include "trigger/repository.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { IDLE_LOOK_MS = 200, IDLE_LOOKS = 10, IDLE_START_MS = 60 * 1000 };

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

static void on_journal_failed(void *context, const struct error *err)
{
    struct server *server = context;
    int code = host_journal_failed(err); /* of the engine's or the core's; the other is stopped with it */
    if (!server->exit_code) server->exit_code = code;
    server->replaced |= err->code == ERROR_STALE;
    uv_stop(&server->loop);
}

static bool authenticate(void *context, const char *token, const char **ret_user, const char *const **ret_groups)
{
    struct server *server = context;
    return server->tokens && tokens_find(server->tokens, token, ret_user, ret_groups);
}

/* The core answers on this server's own socket, too, so that the command line needs one address. */
static void mount_routes(struct server *server)
{
    const struct http_mount own[] = {
        {runs_routes, server},
        {logs_routes, server},
        {events_routes, server},
        {follow_routes, server},
        {explain_routes, server},
        {evidence_routes, server},
        {approvals_routes, server},
        {resolve_routes, server},
        {version_routes, server},
        {push_routes, &server->trigger},
        {manual_routes, &server->trigger},
        {repository_routes, &server->trigger},
    };
    const struct http_mount *core = core_mounts(server->core);
    size_t count = 0;
    while (core[count].routes)
        count++;
    server->mounts = mem_alloc_array(COUNT_OF(own) + count + 1, sizeof *own);
    memcpy(server->mounts, own, sizeof own);
    memcpy(server->mounts + COUNT_OF(own), core, count * sizeof *own);
}

/* The shipped library, in a build tree or installed. Caller frees; NULL: there is none. */
static char *find_library(void)
{
    static const char *const places[] = {"../pipelines", "../share/crescendo/pipelines", "../../share/crescendo/pipelines"};
    AUTO(free_text) char *folder = file_program_folder();
    for (size_t i = 0; folder && i < COUNT_OF(places); i++) {
        char *path = mem_format("%s/%s", folder, places[i]);
        if (file_exists(path)) return path;
        free(path);
    }
    return NULL;
}

static int find_programs(struct server *server, struct error *err)
{
    int code = host_find_program("crescendo-shim", &server->shim, err);
    if (code == 0) code = host_find_program("crescendo-step", &server->step, err);
    return code == 0 ? host_find_program("crescendo-hook", &server->hook, err) : code;
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
        .keep_ms = arguments->keep_ms,
        .spare_shim = !arguments->exit_when_idle,
        .allow_no_sandbox = arguments->allow_no_sandbox,
        .types = types,
        .external_program = external_program,
        .failed = on_journal_failed,
        .context = server,
        .library = server->library,
        .domains = server->domains,
        .core_socket = server->core_socket};
    return engine_open(&server->loop, &options, &server->engine, err);
}

/* The embedded core: a data folder of its own inside of ours. */
static int open_core(struct server *server, struct error *err)
{
    AUTO(free_text) char *data = mem_format("%s/core", server->data);
    struct core_options options = {.data = data,
        .domains = server->domains,
        .shim = server->shim,
        .step = server->step,
        .drivers = driver_types,
        .failed = on_journal_failed,
        .context = server};
    return core_open(&server->loop, &options, &server->core, err);
}

/* Where the pipelines' engine finds the core. Nobody else does, so that a token has no place here. */
static int open_core_socket(struct server *server, struct error *err)
{
    struct http_options options = {.listen_fd = -1, .local = true, .mounts = core_mounts(server->core)};
    int code = http_listen_unix(server->core_socket, &options.listen_fd, err);
    return code < 0 ? code : http_server_open(&server->loop, &options, &server->core_local, err);
}

static int open_local(struct server *server, struct error *err)
{
    struct http_options options = {
        .listen_fd = -1, .local = true, .mounts = server->mounts, .authenticate = authenticate, .context = server};
    int code = http_listen_unix(server->socket_path, &options.listen_fd, err);
    return code < 0 ? code : http_server_open(&server->loop, &options, &server->local, err);
}

static int open_tcp(struct server *server, const char *listen, struct error *err)
{
    struct http_options options = {.listen_fd = -1, .mounts = server->mounts, .authenticate = authenticate, .context = server};
    int code = http_listen_tcp(listen, &options.listen_fd, err);
    if (code < 0) return code;
    server->address = host_address(options.listen_fd, listen);
    return http_server_open(&server->loop, &options, &server->tcp, err);
}

static int check_alone(const struct server *server, struct error *err)
{
    AUTO(free_text) char *core = mem_format("%s/core", server->data);
    int code = host_check_alone(server->data, server->socket_path, err);
    return code < 0 ? code : host_check_alone(core, server->core_socket, err);
}

/* Everything, in the order in which each may rely on the one before. The socket comes last: who can connect finds all of it. */
static int open_server(struct server *server, const struct arguments *arguments, step_types *types, struct error *err)
{
    int code = find_programs(server, err);
    if (code == 0) code = file_make_folders(arguments->data, 0700, err);
    if (code < 0) return code;
    server->data = realpath(arguments->data, NULL);
    if (!server->data) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s vanished", arguments->data);
    server->library = find_library();
    server->domains = mem_format("%s/domains", server->data);
    server->socket_path = mem_format("%s/crescendo.sock", server->data);
    server->core_socket = mem_format("%s/core/core.sock", server->data);
    if (arguments->token_file) code = tokens_open(arguments->token_file, &server->tokens, err);
    if (code == 0) code = check_alone(server, err);
    if (code == 0) code = open_engine(server, arguments, types, err);
    if (code == 0) code = open_core(server, err);
    if (code == 0) code = open_core_socket(server, err);
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
    if (server->local && !server->replaced) unlink(server->socket_path); /* else it is the other server's by now */
    http_server_close(&server->local);
    engine_close(&server->engine);
    if (server->core_local && !server->replaced) unlink(server->core_socket);
    http_server_close(&server->core_local);
    core_close(&server->core);
    spool_close(&server->spool);
    tokens_free(&server->tokens);
    free(server->mounts);
    char *const owned[] = {server->data, server->socket_path, server->core_socket, server->domains, server->library, server->address,
        server->shim, server->step, server->hook};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
}

static void say_ready(const struct server *server, int ready_fd)
{
    log_line(LOG_LEVEL_INFO, "crescendo-server %s is ready: unix:%s%s%s; data in %s", CRESCENDO_VERSION, server->socket_path,
        server->tcp ? ", " : "", server->tcp ? server->address : "", server->data);
    host_tell_ready(ready_fd);
}

static bool is_idle(const struct server *server)
{
    unsigned connections = http_server_connections(server->local) + http_server_connections(server->core_local);
    if (server->tcp) connections += http_server_connections(server->tcp);
    bool began = journal_count(engine_journal(server->engine)).events > 0;
    bool waited = clock_now_ms() - server->started_ms > IDLE_START_MS;
    return connections == 0 && (began || waited) && engine_is_idle(server->engine) && core_is_idle(server->core);
}

static void on_idle_look(uv_timer_t *timer)
{
    struct idle_watch *watch = timer->data;
    watch->idle_looks = is_idle(watch->server) ? watch->idle_looks + 1 : 0;
    if (watch->idle_looks >= IDLE_LOOKS) uv_stop(timer->loop);
}

static void run_loop(struct server *server, const struct arguments *arguments)
{
    struct idle_watch watch = {.server = server};
    uv_timer_init(&server->loop, &watch.timer);
    watch.timer.data = &watch;
    if (arguments->exit_when_idle) uv_timer_start(&watch.timer, on_idle_look, IDLE_LOOK_MS, IDLE_LOOK_MS);
    say_ready(server, arguments->ready_fd);
    if (server->exit_code == 0) host_run(&server->loop);
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
    return code < 0 ? host_exit_code(code) : server.exit_code;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error err;
    step_types *types = NULL;
    int result = 0;
    if (offline_run(argc, argv, &result)) return result;
    int code = arguments_read(argc, argv, &arguments, &err);
    if (code == ARGUMENTS_HELP) fputs(arguments_help, stdout);
    if (code == ARGUMENTS_VERSION) puts("crescendo-server " CRESCENDO_VERSION);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    struct arena *arena = arena_new();
    if (code == ARGUMENTS_RUN)
        code = external_types_load_telling(getenv("PATH"), arena, step_types_builtin, on_wrong_table, NULL, &types, &err);
    if (code < 0) {
        log_error(&err, "crescendo-server");
        result = EXIT_USAGE;
    } else if (code == ARGUMENTS_RUN) {
        result = arguments.core ? serve_core(&arguments, driver_types) : serve(&arguments, types);
    }
    arena_free(&arena);
    free(arguments.data);
    return result;
}
