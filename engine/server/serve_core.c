/* serve_core.c: `crescendo-server core`: the orchestration core as a program by itself, on DIR/core.sock and, when asked, TCP. */
#include "server/serve_core.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "orchestrator/core.h"
#include "server/host.h"
#include "server/tokens.h"

#include <stdlib.h>
#include <unistd.h>

struct program {
    uv_loop_t loop;
    struct core *core;
    struct tokens *tokens; /* NULL without --token-file */
    struct http_server *local, *tcp;
    char *data, *socket_path, *address, *shim, *step;
    int exit_code;
    bool replaced; /* another server has the folder */
};

static void on_failed(void *context, const struct error *err)
{
    struct program *program = context;
    program->exit_code = host_journal_failed(err);
    program->replaced = err->code == ERROR_STALE;
    uv_stop(&program->loop);
}

static bool authenticate(void *context, const char *token, const char **ret_user, const char *const **ret_groups)
{
    struct program *program = context;
    return program->tokens && tokens_find(program->tokens, token, ret_user, ret_groups);
}

static int open_core(struct program *program, step_types *drivers, struct error *err)
{
    AUTO(free_text) char *domains = mem_format("%s/domains", program->data);
    struct core_options options = {.data = program->data,
        .domains = domains,
        .shim = program->shim,
        .step = program->step,
        .drivers = drivers,
        .failed = on_failed,
        .context = program};
    return core_open(&program->loop, &options, &program->core, err);
}

static int open_tcp(struct program *program, const char *listen, struct error *err)
{
    struct http_options options = {.listen_fd = -1,
        .mounts = core_mounts(program->core),
        .authenticate = authenticate,
        .context = program,
        .anonymous = program->tokens ? NULL : "anonymous"};
    int code = http_listen_tcp(listen, &options.listen_fd, err);
    if (code < 0) return code;
    program->address = host_address(options.listen_fd, listen);
    return http_server_open(&program->loop, &options, &program->tcp, err);
}

static int open_local(struct program *program, struct error *err)
{
    struct http_options options = {
        .listen_fd = -1, .local = true, .mounts = core_mounts(program->core), .authenticate = authenticate, .context = program};
    int code = http_listen_unix(program->socket_path, &options.listen_fd, err);
    return code < 0 ? code : http_server_open(&program->loop, &options, &program->local, err);
}

/* In the order in which each may rely on the one before; the socket comes last. */
static int open_program(struct program *program, const struct arguments *arguments, step_types *drivers, struct error *err)
{
    int code = host_find_program("crescendo-shim", &program->shim, err);
    if (code == 0) code = host_find_program("crescendo-step", &program->step, err);
    if (code == 0) code = file_make_folders(arguments->data, 0700, err);
    if (code < 0) return code;
    program->data = realpath(arguments->data, NULL);
    if (!program->data) return error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s vanished", arguments->data);
    program->socket_path = mem_format("%s/core.sock", program->data);
    if (arguments->token_file) code = tokens_open(arguments->token_file, &program->tokens, err);
    if (code == 0) code = host_check_alone(program->data, program->socket_path, err);
    if (code == 0) code = open_core(program, drivers, err);
    if (code == 0 && arguments->listen) code = open_tcp(program, arguments->listen, err);
    return code == 0 ? open_local(program, err) : code;
}

static void close_program(struct program *program)
{
    http_server_close(&program->tcp);
    if (program->local && !program->replaced) unlink(program->socket_path);
    http_server_close(&program->local);
    core_close(&program->core);
    tokens_free(&program->tokens);
    char *const owned[] = {program->data, program->socket_path, program->address, program->shim, program->step};
    for (size_t i = 0; i < COUNT_OF(owned); i++)
        free(owned[i]);
}

static void run(struct program *program, int ready_fd)
{
    log_line(LOG_LEVEL_INFO, "crescendo-server core %s is ready: unix:%s%s%s; data in %s", CRESCENDO_VERSION, program->socket_path,
        program->tcp ? ", " : "", program->tcp ? program->address : "", program->data);
    host_tell_ready(ready_fd);
    if (program->exit_code == 0) host_run(&program->loop);
}

int serve_core(const struct arguments *arguments, step_types *drivers)
{
    struct program program = {0};
    struct error err;
    uv_loop_init(&program.loop);
    int code = open_program(&program, arguments, drivers, &err);
    if (code < 0)
        log_error(&err, "crescendo-server core cannot start");
    else
        run(&program, arguments->ready_fd);
    close_program(&program);
    uv_run(&program.loop, UV_RUN_DEFAULT);
    uv_loop_close(&program.loop);
    return code < 0 ? host_exit_code(code) : program.exit_code;
}
