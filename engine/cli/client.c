/* client.c: asking our own server. */
#include "cli/client.h"

#include "base/mem.h"
#include "base/text.h"
#include "cli/neighbour.h"
#include "cli/shell_words.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { START_TRIES = 5, START_PAUSE_MS = 100 };

/* As crescendo-server's own default, so that both mean the same folder. */
static char *usual_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (geteuid() == 0) return mem_copy_text("/var/lib/crescendo");
    if (state && state[0] == '/') return mem_format("%s/crescendo", state);
    return mem_format("%s/.local/state/crescendo", home ? home : "");
}

static char *local_folder(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/') return mem_format("%s/crescendo/local", state);
    return mem_format("%s/.local/state/crescendo/local", home ? home : "");
}

static void use_data(struct client *client, const char *data)
{
    char *copy = mem_copy_text(data);
    free(client->data);
    free(client->server);
    client->data = copy;
    client->server = mem_format("unix:%s/crescendo.sock", copy);
}

void client_use_local(struct client *client)
{
    AUTO(free_text) char *data = local_folder();
    use_data(client, data);
    client->chosen = client->local = true;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL; /* empty counts as absent */
}

static int wrong_address(const char *server, struct error *err)
{
    error_set(err, ERROR_INVALID, NOWHERE, "'%s' is no address of a server", server);
    return error_hint(err, "write unix:/path/to/crescendo.sock or http://host:port");
}

int client_open(const struct options *options, struct client *ret, struct error *err)
{
    const char *server = options_value(options, "server"), *data = options_value(options, "data");
    bool local = options_flag(options, "local");
    if ((server != NULL) + (data != NULL) + local > 1)
        return error_set(err, ERROR_INVALID, NOWHERE, "--server, --data and --local each name a server; give one of them");
    *ret = (struct client){.token = options_value(options, "token"), .typed = server || data};
    if (!ret->token) ret->token = variable("CRESCENDO_TOKEN");
    if (local) return client_use_local(ret), 0;
    if (!server && !data) server = variable("CRESCENDO_SERVER"); /* what is typed beats the environment */
    if (!server && !data) data = variable("CRESCENDO_DATA");
    if (server && !text_starts(server, "unix:/") && !text_starts(server, "http://")) return wrong_address(server, err);
    ret->chosen = server || data;
    if (server) {
        ret->server = mem_copy_text(server);
        return 0;
    }
    AUTO(free_text) char *usual = usual_folder();
    use_data(ret, data ? data : usual);
    return 0;
}

int client_use_core(const struct options *options, struct client *client, struct error *err)
{
    const char *typed = options_value(options, "core"), *core = typed ? typed : variable("CRESCENDO_CORE");
    if (!core) return 0;
    if (!text_starts(core, "unix:/") && !text_starts(core, "http://")) {
        error_set(err, ERROR_INVALID, NOWHERE, "'%s' is no address of a core", core);
        return error_hint(err, "write unix:/path/to/core.sock or http://host:port");
    }
    free(client->server);
    client->server = mem_copy_text(core);
    client->core = true;
    client->local = false; /* nothing is started instead of it */
    client->typed = typed;
    return 0;
}

void client_release(struct client *client)
{
    free(client->server);
    free(client->data);
    free(client->text);
    json_decref(client->diagnostics);
    *client = (struct client){0};
}

static enum error_code code_from(const json_t *error, int status)
{
    const char *name = json_text(error, "code", "");
    for (int code = 1; code < ERROR_CODE_COUNT; code++)
        if (strcasecmp(error_code_name((enum error_code)code), name) == 0) return (enum error_code)code;
    for (int code = 1; code < ERROR_CODE_COUNT; code++)
        if (error_code_http((enum error_code)code) == status) return (enum error_code)code;
    return ERROR_PROTOCOL;
}

/* TM Forum's {code, reason, message, status}: reason is a sentence and message what more there is to say of it, or what to do; either may
   be missing, and a reason of one word is but another code. */
static int refused_by_tmf(const struct client *client, int status, const json_t *answer, struct error *err)
{
    const char *reason = json_text(answer, "reason", NULL), *message = json_text(answer, "message", NULL);
    if (reason && message && !strchr(reason, ' ')) reason = message;
    const char *words = reason ? reason : message, *hint = json_text(answer, "hint", text_equal(words, message) ? NULL : message);
    if (!words) return error_set(err, ERROR_PROTOCOL, NOWHERE, "%s answered with status %d", client->server, status);
    int failed = error_set(err, code_from(answer, status), NOWHERE, "%s", words);
    return hint && *hint ? error_hint(err, "%s", hint) : failed;
}

/* Also diagnostics may stand beside the error or in it. */
static int refused(struct client *client, int status, const json_t *answer, struct error *err)
{
    const json_t *error = json_object_get(answer, "error");
    if (!json_is_object(error)) return refused_by_tmf(client, status, answer, err);
    const char *text = json_text(error, "text", json_text(answer, "text", NULL));
    const json_t *diagnostics = json_object_get(error, "diagnostics");
    if (!diagnostics) diagnostics = json_object_get(answer, "diagnostics");
    free(client->text);
    client->text = mem_copy_text(text);
    json_decref(client->diagnostics);
    client->diagnostics = json_incref((json_t *)diagnostics);
    int failed = error_set(err, code_from(error, status), NOWHERE, "%s", json_text(error, "message", "the server gave no reason"));
    const char *hint = json_text(error, "hint", NULL);
    return hint && *hint ? error_hint(err, "%s", hint) : failed;
}

/* Nobody can tell whether a server listens where this user may not look: which place it is that is closed, and whose. */
static int is_closed(const char *path, const char *closed, struct error *err)
{
    struct stat status;
    if (stat(closed, &status) < 0) return 0;
    const struct passwd *owner = getpwuid(status.st_uid);
    AUTO(free_text) char *whose = owner ? mem_copy_text(owner->pw_name) : mem_format("user %u", (unsigned)status.st_uid);
    error_set(err, ERROR_DENIED, NOWHERE, "cannot reach %s: Permission denied: %s belongs to %s", path, closed, whose);
    return error_hint(err, "ask %s, or name a server of your own: --data, --server, --local", whose);
}

/* 0: nothing on the way to the socket is closed to this user. */
static int denied_on_the_way(const char *path, struct error *err)
{
    AUTO(free_text) char *part = mem_copy_text(path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = access(part, X_OK) < 0 && errno == EACCES ? is_closed(path, part, err) : 0;
        if (failed) return failed;
        *slash = '/';
    }
    return access(path, W_OK) < 0 && errno == EACCES ? is_closed(path, path, err) : 0;
}

/* Who is not there, in words that lead on. */
static int nobody_there(const struct client *client, struct error *err)
{
    static const char unix_socket[] = "unix:";
    bool is_socket = text_starts(client->server, unix_socket);
    int failed = is_socket ? denied_on_the_way(client->server + strlen(unix_socket), err) : 0;
    if (failed) return failed;
    error_set(err, ERROR_UNAVAILABLE, NOWHERE, "no %s is listening at %s", client->core ? "core" : "server", client->server);
    if (client->core) return error_hint(err, "is `crescendo core` running there? --core, or CRESCENDO_CORE, names another");
    if (!client->data) return error_hint(err, "is it running there? --server, or CRESCENDO_SERVER, names another");
    const char *option = client->typed ? " --data " : "";
    AUTO(free_text) char *data = client->typed ? shell_word(client->data) : mem_copy_text("");
    return error_hint(err, "start one with `crescendo serve%s%s`, or name another: --data, --server, --local", option, data);
}

/* local_send; the private server is started when nobody is there. It may also end between two requests, because it was idle, or be started
   by somebody else at the same moment: then the next try finds that one. */
static int send_request(const struct client *client, const struct local_request *request, struct local_response *ret, struct error *err)
{
    struct error why = {0};
    int failed = local_send(request, ret, err);
    for (int try = 0; client->local && failed == -ERROR_UNAVAILABLE && try < START_TRIES; try++) {
        if (neighbour_start_server(client->data, client->types_mark, &why))
            nanosleep(&(struct timespec){.tv_nsec = START_PAUSE_MS * 1000L * 1000}, NULL);
        failed = local_send(request, ret, err);
    }
    if (failed != -ERROR_UNAVAILABLE || !why.code) return failed == -ERROR_UNAVAILABLE ? nobody_there(client, err) : failed;
    if (err) *err = why;
    return -(int)why.code;
}

static int exchange(struct client *client, const struct local_request *request, int *ret_status, json_t **ret, struct error *err)
{
    struct local_response response = {0};
    int failed = send_request(client, request, &response, err);
    if (failed) return failed;
    AUTO(free_json) json_t *answer = NULL;
    failed = response.size ? json_parse(response.body, response.size, "the server's answer", &answer, err) : 0;
    int status = response.status;
    local_response_release(&response);
    if (status >= 400) return refused(client, status, answer, err);
    if (failed)
        return error_set(err, ERROR_PROTOCOL, NOWHERE, "the server at %s answered %s %s with what is not JSON", client->server,
            request->method, request->path);
    *ret = answer ? take(&answer) : json_object();
    *ret_status = status;
    return 0;
}

int client_call(struct client *client, const char *method, const char *path, const json_t *body, json_t **ret, struct error *err)
{
    AUTO(free_text) char *bytes = body ? json_canonical(body) : NULL;
    struct local_request request = {.server = client->server,
        .method = method,
        .path = path,
        .token = client->token,
        .body = bytes,
        .body_size = bytes ? strlen(bytes) : 0,
        .timeout_ms = client->timeout_ms ? client->timeout_ms : 30 * 1000};
    int status = 0;
    return exchange(client, &request, &status, ret, err);
}

int client_put_bytes(struct client *client, const char *path, const void *bytes, size_t size, int *ret_status, struct error *err)
{
    struct local_request request = {.server = client->server,
        .method = "PUT",
        .path = path,
        .token = client->token,
        .body = bytes,
        .body_size = size,
        .type = "application/octet-stream",
        .timeout_ms = 60 * 1000};
    AUTO(free_json) json_t *answer = NULL;
    int status = 0, failed = exchange(client, &request, &status, &answer, err);
    if (!failed && ret_status) *ret_status = status;
    return failed;
}

int client_get(struct client *client, json_t **ret, struct error *err, const char *path, ...)
{
    va_list arguments;
    va_start(arguments, path);
    AUTO(free_text) char *whole = mem_format_list(path, arguments);
    va_end(arguments);
    return client_call(client, "GET", whole, NULL, ret, err);
}

int client_stream(struct client *client, const char *path, int timeout_ms, const char *last_event_id,
    int (*on_bytes)(void *context, const char *bytes, size_t size), void *context, struct error *err)
{
    struct local_request request = {.server = client->server,
        .method = "GET",
        .path = path,
        .token = client->token,
        .timeout_ms = timeout_ms,
        .last_event_id = last_event_id,
        .on_bytes = on_bytes,
        .context = context};
    struct local_response response = {0};
    int failed = send_request(client, &request, &response, err);
    if (failed) return failed;
    AUTO(free_json) json_t *answer = NULL;
    if (response.status >= 400 && json_parse(response.body, response.size, "answer", &answer, NULL)) answer = NULL;
    int status = response.status;
    local_response_release(&response);
    return status >= 400 ? refused(client, status, answer, err) : 0;
}

bool client_is_reachable(const struct client *client)
{
    struct local_request request = {.server = client->server, .method = "GET", .path = "/v1/version", .token = client->token};
    struct local_response response = {0};
    bool answers = local_send(&request, &response, NULL) == 0 && response.status < 400;
    local_response_release(&response);
    return answers;
}

int client_run_number(struct client *client, const char *argument, uint64_t *ret, struct error *err)
{
    int64_t number = 0;
    if (argument) {
        if (!text_to_integer(argument, &number) || number < 1) {
            error_set(err, ERROR_INVALID, NOWHERE, "'%s' is no run's number", argument);
            return error_hint(err, "`crescendo runs` lists them");
        }
        *ret = (uint64_t)number;
        return 0;
    }
    AUTO(free_json) json_t *answer = NULL;
    int failed = client_get(client, &answer, err, "/v1/runs?limit=1");
    if (failed) return failed;
    number = json_whole(json_array_get(json_object_get(answer, "runs"), 0), "run", 0);
    if (number < 1) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "there is no run yet");
        return error_hint(err, "start one with a push, or with `crescendo run`");
    }
    *ret = (uint64_t)number;
    return 0;
}

int error_exit_code(const struct error *err)
{
    if (err->code == ERROR_INVALID || err->code == ERROR_UNSUPPORTED) return 64;
    if (err->code == ERROR_DENIED || err->code == ERROR_UNAUTHENTICATED) return 4;
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_TIMEOUT) return 69;
    return 1;
}
