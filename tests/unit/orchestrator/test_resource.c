/* test_resource.c: hooks refuse, change, take over and answer later; what was not answered when the core ends is answered then.
   The core's side runs in a child process, this one asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/local.h"
#include "orchestrator/tmf/resource.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture {
    char folder[64], server[96];
    pid_t child;
} fixture;

/* --- in the child --- */

struct child {
    uv_loop_t loop;
    struct journal *journal;
    struct tmf_api *api;
    struct http_server *server;
};

struct later {
    uv_timer_t timer;
    struct tmf_call *call;
    json_t *document;
};

static void on_later(uv_timer_t *timer)
{
    struct later *later = timer->data;
    struct document documents[2];
    AUTO(free_text) char *own = NULL;
    AUTO(free_text) char *other = NULL;
    AUTO(free_json) json_t *body = json_object();
    tmf_put_identity(tmf_resource_of(later->call), later->document, "17");
    tmf_put_identity(tmf_resource_of(later->call), body, "17.1");
    tmf_document(tmf_resource_of(later->call), "17", later->document, &documents[0], &own);
    tmf_document(tmf_resource_of(later->call), "17.1", body, &documents[1], &other);
    tmf_write_and_answer(later->call, documents, 2, 201, later->document);
    uv_close((uv_handle_t *)timer, (uv_close_cb)free);
}

static enum tmf_verdict take_over(struct tmf_change *change)
{
    struct child *child = tmf_context(change->call);
    struct later *later = mem_alloc(sizeof *later);
    later->call = change->call;
    later->document = json_incref(change->document);
    later->timer.data = later;
    uv_timer_init(&child->loop, &later->timer);
    uv_timer_start(&later->timer, on_later, 5, 0);
    return TMF_TAKEN;
}

static enum tmf_verdict on_create(struct tmf_change *change, struct error *err)
{
    const char *name = json_text(change->document, "name", "");
    json_put_text(change->document, "who", request_user(tmf_request(change->call)));
    if (text_equal(name, "later")) return take_over(change);
    if (text_equal(name, "never")) return TMF_TAKEN;
    if (text_equal(name, "own id")) {
        free(change->id);
        change->id = mem_copy_text("a/b");
    }
    if (!text_equal(name, "bad")) return TMF_GO_ON;
    error_set(err, ERROR_CONFLICT, NOWHERE, "bad ones are not wanted");
    error_hint(err, "make it good");
    return TMF_REFUSED;
}

static enum tmf_verdict on_patch(struct tmf_change *change, struct error *err)
{
    if (!json_equal(json_object_get(change->stored, "state"), json_object_get(change->document, "state"))) {
        error_set(err, ERROR_STATE, NOWHERE, "it cannot become that");
        return TMF_REFUSED;
    }
    json_put_text(change->document, "patched", "yes");
    return TMF_GO_ON;
}

static enum tmf_verdict on_delete(struct tmf_change *change, struct error *err)
{
    error_set(err, ERROR_CONFLICT, NOWHERE, "%s stays", json_text(change->stored, "id", ""));
    return TMF_REFUSED;
}

static const struct tmf_field fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "made", .type = TMF_TIME, .flags = TMF_SERVER},
    TMF_END,
};
static const struct tmf_resource thing = {
    .base = "/tmf-api/things/v4",
    .name = "thing",
    .type = "Thing",
    .verbs = TMF_EVERY_VERB,
    .fields = fields,
    .state = "state",
    .first = "acknowledged",
    .on_create = on_create,
    .on_patch = on_patch,
    .on_delete = on_delete,
};
static const struct tmf_resource task = {
    .base = "/tmf-api/things/v4", .name = "task", .type = "Task", .verbs = TMF_READ | TMF_CREATE, .fields = fields};
static const struct tmf_resource *const resources[] = {&thing, &task, NULL};

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    struct child *child = handle->data;
    http_server_close(&child->server);
    journal_close(&child->journal);
    tmf_api_free(&child->api);
    uv_close((uv_handle_t *)handle, NULL);
}

static void serve(int fd)
{
    struct child child = {0};
    struct error err;
    uv_signal_t terminate;
    uv_loop_init(&child.loop);
    uv_signal_init(&child.loop, &terminate);
    terminate.data = &child;
    uv_signal_start(&terminate, on_signal, SIGTERM);
    if (journal_open(&child.loop, &(struct journal_options){.folder = fixture.folder}, &child.journal, &err)) _exit(1);
    child.api = tmf_api_new(child.journal, resources, &child);
    struct http_options options = {.listen_fd = fd, .local = true, .mounts = tmf_api_mounts(child.api)};
    if (http_server_open(&child.loop, &options, &child.server, &err)) _exit(2);
    uv_run(&child.loop, UV_RUN_DEFAULT);
    exit(uv_loop_close(&child.loop) == 0 ? 0 : 3);
}

static int start(void **state)
{
    (void)state;
    struct error err;
    int fd;
    memcpy(fixture.folder, "/tmp/crescendo-tmf-XXXXXX", sizeof "/tmp/crescendo-tmf-XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    AUTO(free_text) char *server = mem_format("unix:%s/socket", fixture.folder);
    memcpy(fixture.server, server, strlen(server) + 1);
    assert_int_equal(http_listen_unix(server + 5, &fd, &err), 0);
    fixture.child = fork();
    if (fixture.child == 0) serve(fd);
    close(fd);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    int status;
    struct error err;
    kill(fixture.child, SIGTERM);
    waitpid(fixture.child, &status, 0);
    (void)!file_remove_tree(fixture.folder, &err);
    if (status) print_error("the core's side ended with status %x\n", (unsigned)status);
    return status ? -1 : 0;
}

/* --- in the test --- */

static json_t *ask(const char *method, const char *path, const char *body, int status)
{
    AUTO(free_text) char *whole = mem_format("/tmf-api/things/v4/%s", path);
    struct local_request request = {
        .server = fixture.server, .method = method, .path = whole, .body = body, .body_size = body ? strlen(body) : 0};
    struct local_response answer = {0};
    struct error err = {0};
    json_t *json = NULL;
    if (local_send(&request, &answer, &err) < 0) fail_msg("%s", err.message);
    if (answer.status != status) fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    if (answer.size && json_parse(answer.body, answer.size, "answer", &json, &err)) fail_msg("%s", err.message);
    local_response_release(&answer);
    return json;
}

static void a_hook_may_change_what_is_written(void **state)
{
    (void)state;
    AUTO(free_json) json_t *made = ask("POST", "thing", "{\"name\":\"x\",\"id\":\"mine\",\"href\":7,\"made\":7}", 201);
    assert_non_null(json_object_get(made, "who"));
    assert_null(json_object_get(made, "made"));
    assert_string_equal(json_text(made, "state", ""), "acknowledged");
    assert_int_equal(strlen(json_text(made, "id", "")), 36); /* not the client's */
    AUTO(free_text) char *path = mem_format("thing/%s", json_text(made, "id", ""));
    AUTO(free_json) json_t *read = ask("GET", path, NULL, 200);
    assert_true(json_equal(made, read));
    AUTO(free_json) json_t *patched = ask("PATCH", path, "{\"name\":\"y\"}", 200);
    assert_string_equal(json_text(patched, "patched", ""), "yes");
    AUTO(free_json) json_t *refused = ask("PATCH", path, "{\"state\":\"done\"}", 409);
    assert_string_equal(json_text(refused, "code", ""), "STATE");
    AUTO(free_json) json_t *kept = ask("DELETE", path, NULL, 409);
    AUTO(free_json) json_t *still = ask("GET", path, NULL, 200);
    assert_true(json_equal(patched, still));
}

static void a_hook_may_refuse(void **state)
{
    (void)state;
    AUTO(free_json) json_t *refused = ask("POST", "thing", "{\"name\":\"bad\"}", 409);
    AUTO(free_text) char *text = json_canonical(refused);
    assert_string_equal(text,
        "{\"@type\":\"Error\",\"code\":\"CONFLICT\",\"message\":\"make it good\",\"reason\":\"bad ones are not wanted\","
        "\"referenceError\":\"https://www.rfc-editor.org/rfc/rfc9110#name-status-codes\",\"status\":\"409\"}");
}

static void a_hook_may_answer_later_and_write_more(void **state)
{
    (void)state;
    AUTO(free_json) json_t *made = ask("POST", "thing", "{\"name\":\"later\"}", 201);
    assert_string_equal(json_text(made, "href", ""), "/tmf-api/things/v4/thing/17");
    AUTO(free_json) json_t *other = ask("GET", "thing/17.1", NULL, 200);
    assert_string_equal(json_text(other, "@type", ""), "Thing");
}

static void a_hook_may_choose_the_id(void **state)
{
    (void)state;
    AUTO(free_json) json_t *made = ask("POST", "thing", "{\"name\":\"own id\"}", 201);
    assert_string_equal(json_text(made, "href", ""), "/tmf-api/things/v4/thing/a%2Fb");
    AUTO(free_json) json_t *read = ask("GET", "thing/a%2Fb", NULL, 200);
    assert_string_equal(json_text(read, "id", ""), "a/b");
}

static void a_resource_has_only_its_verbs(void **state)
{
    (void)state;
    AUTO(free_json) json_t *made = ask("POST", "task", "{\"name\":\"x\"}", 201);
    AUTO(free_text) char *path = mem_format("task/%s", json_text(made, "id", ""));
    AUTO(free_json) json_t *patch = ask("PATCH", path, "{}", 405);
    AUTO(free_json) json_t *removal = ask("DELETE", path, NULL, 405);
    assert_string_equal(json_text(removal, "@type", ""), "Error");
}

/* The hook keeps it for ever: stop() must still end in order. */
static void what_is_never_answered_is_no_leak(void **state)
{
    (void)state;
    pid_t asker = fork();
    if (asker == 0) {
        struct local_request request = {.server = fixture.server,
            .method = "POST",
            .path = "/tmf-api/things/v4/thing",
            .body = "{\"name\":\"never\"}",
            .body_size = 16};
        struct local_response answer = {0};
        _exit(local_send(&request, &answer, NULL) < 0 ? 1 : answer.status == 503 ? 0 : 2);
    }
    AUTO(free_json) json_t *list = ask("GET", "thing", NULL, 200);
    usleep(50 * 1000); /* time for it to arrive; when it does not, this test only says less */
    kill(fixture.child, SIGTERM);
    int status;
    waitpid(asker, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2); /* 503, or it came too late */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_may_change_what_is_written),
        cmocka_unit_test(a_hook_may_refuse),
        cmocka_unit_test(a_hook_may_answer_later_and_write_more),
        cmocka_unit_test(a_hook_may_choose_the_id),
        cmocka_unit_test(a_resource_has_only_its_verbs),
        cmocka_unit_test(what_is_never_answered_is_no_leak),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
