/* test_domains.c: a step that acts at a domain is told of it and reaches the core's socket, with every degree of isolation; and what a
   server's domains forbid is no run. */
#include "run/engine.h"
#include "run/shelf.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct field reach_fields[] = {{.name = "domain", .type = FIELD_NAME, .flags = FIELD_SHORT | FIELD_REQUIRED}, FIELD_END};
static const struct field no_outputs[] = {FIELD_END};
static const char *const needs[] = {"share", NULL};
static const struct step_type reach_type = {.name = "reach",
    .summary = "tells the core what it was told",
    .fields = reach_fields,
    .outputs = no_outputs,
    .capabilities = needs,
    .reaches_out = true};
static const struct step_type *const types[] = {&reach_type, NULL};

/* The step: connects to its domain and sends the facts that it was given. */
static const char program[] = "#!/usr/bin/python3\n"
                              "import json, os, socket, sys\n"
                              "os.write(3, b'{\"type\":\"hello\",\"protocol\":1}\\n')\n"
                              "facts = json.loads(sys.stdin.readline())['facts']\n"
                              "peer = socket.socket(socket.AF_UNIX)\n"
                              "peer.connect(facts['domain']['url'].removeprefix('unix:'))\n"
                              "peer.sendall(json.dumps({key: facts.get(key) for key in ('domain', 'service', 'core')}).encode())\n";

struct fixture {
    uv_loop_t loop;
    uv_pipe_t core, peer;
    bool listens;
    char block[4096];
    struct text heard;
    char folder[64], *shim, *socket, *domains;
    struct engine *engine;
    uint64_t run;
    bool answered, failed, invalid;
    struct error err;
};

/* --- the core: a socket that hears -------------------------------------------------------------------------------------------------- */

static void give_block(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct fixture *fixture = handle->loop->data;
    (void)wanted;
    *ret = uv_buf_init(fixture->block, sizeof fixture->block);
}

static void on_bytes(uv_stream_t *peer, ssize_t size, const uv_buf_t *block)
{
    struct fixture *fixture = peer->loop->data;
    if (size > 0) text_add_bytes(&fixture->heard, block->base, (size_t)size);
    if (size < 0) uv_close((uv_handle_t *)peer, NULL);
}

static void on_peer(uv_stream_t *core, int status)
{
    struct fixture *fixture = core->loop->data;
    assert_int_equal(status, 0);
    assert_int_equal(uv_pipe_init(core->loop, &fixture->peer, 0), 0);
    assert_int_equal(uv_accept(core, (uv_stream_t *)&fixture->peer), 0);
    uv_read_start((uv_stream_t *)&fixture->peer, give_block, on_bytes);
}

static void core_listen(struct fixture *fixture)
{
    assert_int_equal(uv_pipe_init(&fixture->loop, &fixture->core, 0), 0);
    assert_int_equal(uv_pipe_bind(&fixture->core, fixture->socket), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&fixture->core, 4, on_peer), 0);
    assert_int_equal(chmod(fixture->socket, 0660), 0);
    fixture->listens = true;
}

/* --- an engine with domains ---------------------------------------------------------------------------------------------------------- */

static char *program_of(const char *type)
{
    (void)type;
    return mem_copy_text(getenv("TEST_REACH"));
}

static void write_file(const struct fixture *fixture, const char *name, const char *text, mode_t mode)
{
    struct error err = {0};
    AUTO(free_text) char *path = mem_format("%s/%s", fixture->folder, name);
    if (file_replace(path, text, strlen(text), mode, &err)) fail_msg("%s", err.message);
}

static void engine_begin(struct fixture *fixture, bool with_core)
{
    struct error err = {0};
    struct engine_options options = {.data = fixture->folder,
        .shim = fixture->shim,
        .step = "/bin/false",
        .slots = 2,
        .allow_no_sandbox = true,
        .types = types,
        .external_program = program_of,
        .domains = fixture->domains,
        .core_socket = with_core ? fixture->socket : NULL};
    if (with_core) core_listen(fixture);
    if (engine_open(&fixture->loop, &options, &fixture->engine, &err) < 0) fail_msg("%s", err.message);
}

static int begin(void **state)
{
    static const char *const folders[] = {"domains", "core", "bin"};
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    const char *shim = getenv("CRESCENDO_SHIM");
    fixture->shim = realpath(shim ? shim : "build/crescendo-shim", NULL);
    snprintf(fixture->folder, sizeof fixture->folder, "/var/tmp/crescendo-test-XXXXXX"); /* Landlock leaves /tmp to all */
    if (!mkdtemp(fixture->folder) || uv_loop_init(&fixture->loop)) return -1;
    if (!fixture->shim) fail_msg("no crescendo-shim: build it, or set CRESCENDO_SHIM");
    fixture->loop.data = fixture;
    fixture->socket = mem_format("%s/core/core.sock", fixture->folder);
    fixture->domains = mem_format("%s/domains", fixture->folder);
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        AUTO(free_text) char *path = mem_format("%s/%s", fixture->folder, folders[i]);
        mkdir(path, i == 2 ? 0755 : 0700); /* programs are for all */
    }
    write_file(fixture, "domains/indoor.yaml", "domain: indoor\n", 0600);
    write_file(fixture, "domains/far.yaml", "domain: far\nurl: http://127.0.0.1:9\ncapabilities: [events]\n", 0600);
    write_file(fixture, "bin/reach", program, 0755);
    AUTO(free_text) char *reach = mem_format("%s/bin/reach", fixture->folder);
    setenv("TEST_REACH", reach, 1);
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    engine_close(&fixture->engine);
    if (fixture->listens) uv_close((uv_handle_t *)&fixture->core, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&fixture->loop), kept = file_remove_tree(fixture->folder, &err);
    text_release(&fixture->heard);
    free(fixture->shim);
    free(fixture->socket);
    free(fixture->domains);
    free(fixture);
    return left || kept ? -1 : 0;
}

static void on_accepted(void *context, const struct accepted *accepted, const struct error *err)
{
    struct fixture *fixture = context;
    fixture->answered = true;
    fixture->run = accepted->run;
    fixture->invalid = accepted->invalid;
    fixture->failed = err != NULL;
    if (err) fixture->err = *err;
}

#define SERVICE "service: hello\nversion: 1.0.0\ncomponents:\n  - user: { name: u }\n"
#define STAGES(sandbox, domain) \
    "service: service.yaml\nstages:\n  - stage: s\n    checkout: none\n    sandbox: " sandbox "\n    steps: [{ reach: " domain " }]\n"

static void submit(struct fixture *fixture, const char *text, const char *key)
{
    static const char service[] = SERVICE, trojan[] = "domain: far\ncapabilities: [share]\n";
    const struct source sources[] = {{"crescendo.yaml", text, strlen(text)}, {"service.yaml", service, strlen(service)},
        {"domains/far.yaml", trojan, strlen(trojan)}, {"domains/mine.yaml", "domain: mine\n", 13}};
    fixture->answered = false;
    engine_submit(fixture->engine,
        &(struct submission){.key = key, .trigger = key ? "push" : "manual", .author = "ada", .files = {sources, 4}}, on_accepted, fixture);
    while (!fixture->answered)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static json_t *wait_end(struct fixture *fixture)
{
    struct error err = {0};
    for (json_t *row = NULL;; json_decref(row)) {
        if (journal_get_run(engine_journal(fixture->engine), fixture->run, &row, &err) < 0) fail_msg("%s", err.message);
        if (run_status_at_rest((enum run_status)run_status_from_name(json_text(row, "state", "")))) return row;
        uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

/* --- what holds ---------------------------------------------------------------------------------------------------------------------- */

static void reaches(struct fixture *fixture, const char *pipeline)
{
    engine_begin(fixture, true);
    submit(fixture, pipeline, NULL);
    if (fixture->failed) fail_msg("%s", fixture->err.message);
    AUTO(free_json) json_t *row = wait_end(fixture), *heard = NULL;
    if (!text_equal(json_text(row, "state", ""), "succeeded"))
        fail_msg("%s: %s", json_text(row, "state", ""), json_text(row, "message", ""));
    struct error err = {0};
    if (json_parse(text_view(&fixture->heard), fixture->heard.size, "what the core heard", &heard, &err)) fail_msg("%s", err.message);
    AUTO(free_text) char *url = mem_format("unix:%s", fixture->socket);
    const json_t *domain = json_object_get(heard, "domain");
    assert_string_equal(json_text(domain, "domain", ""), "indoor");
    assert_string_equal(json_text(domain, "url", ""), url);
    const char *digest = json_text(domain, "digest", "");
    assert_int_equal(strlen(digest), 64);
    assert_null(json_object_get(domain, "changed"));
    assert_false(shelf_differs(fixture->domains, "indoor", digest));
    write_file(fixture, "domains/indoor.yaml", "domain: indoor\npolicy: { lease: 30s }\n", 0600);
    assert_true(shelf_differs(fixture->domains, "indoor", digest));
    assert_true(shelf_differs(fixture->domains, "gone", digest));
    assert_string_equal(json_text(heard, "core", ""), url);
    assert_string_equal(json_text(json_object_get(heard, "service"), "service", ""), "hello");
}

static void a_sandboxed_step_reaches_the_core(void **state)
{
    reaches(*state, STAGES("{ memory: 512MiB }", "indoor"));
}

static void one_without_a_sandbox_too(void **state)
{
    reaches(*state, STAGES("none", "indoor"));
}

/* The shim where the kernel refuses namespaces, so that Landlock is the only wall. */
static void one_behind_landlock_too(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text)
    char *wrapper = mem_format("#!/bin/sh\nexec unshare --user --map-root-user sh -c '"
                               "for kind in user mnt pid net; do echo 0 > /proc/sys/user/max_${kind}_namespaces; done; "
                               "exec setpriv --bounding-set=-all --inh-caps=-all -- %s \"$1\"' sh \"$1\"\n",
        fixture->shim);
    AUTO(free_text) char *probe = mem_format("%s/bin/shim", fixture->folder);
    pid_t pid = fork();
    int status = 1;
    if (pid == 0) {
        execlp("unshare", "unshare", "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces", (char *)NULL);
        _exit(1);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0) skip();
    write_file(fixture, "bin/shim", wrapper, 0755);
    free(fixture->shim);
    fixture->shim = take(&probe);
    reaches(fixture, STAGES("{ memory: 512MiB }", "indoor"));
}

/* The shim as root of a machine without user namespaces: its steps run as another user, and ids cannot be mapped. */
static void one_of_another_user_too(void **state)
{
    struct fixture *fixture = *state;
    AUTO(free_text)
    char *wrapper = mem_format("#!/usr/bin/python3\n"
                               "import ctypes, os, sys\n"
                               "ready, go = os.pipe(), os.pipe()\n"
                               "if os.fork() == 0:\n"
                               "    os.read(ready[0], 1)\n"
                               "    for kind in ('uid', 'gid'):\n"
                               "        open(f'/proc/{os.getppid()}/{kind}_map', 'w').write('0 0 4294967295')\n"
                               "    os.write(go[1], b'x')\n"
                               "    os._exit(0)\n"
                               "if ctypes.CDLL(None).unshare(0x10000000): sys.exit(1)\n"
                               "os.write(ready[1], b'x')\n"
                               "os.read(go[0], 1)\n"
                               "os.wait()\n"
                               "open('/proc/sys/user/max_user_namespaces', 'w').write('0')\n"
                               "os.execv('%s', ['%s'] + sys.argv[1:])\n",
        fixture->shim, fixture->shim);
    AUTO(free_text) char *probe = mem_format("%s/bin/shim", fixture->folder);
    if (geteuid() != 0) skip();
    write_file(fixture, "bin/shim", wrapper, 0755);
    free(fixture->shim);
    fixture->shim = take(&probe);
    reaches(fixture, STAGES("{ memory: 512MiB }", "indoor"));
}

static void a_server_without_a_core_says_so(void **state)
{
    struct fixture *fixture = *state;
    engine_begin(fixture, false);
    submit(fixture, STAGES("none", "indoor"), NULL);
    AUTO(free_json) json_t *row = wait_end(fixture);
    assert_string_equal(json_text(row, "state", ""), "failed");
    assert_non_null(strstr(json_text(row, "message", ""), "this server has none embedded"));
}

static void what_a_domain_cannot_do_is_denied(void **state)
{
    struct fixture *fixture = *state;
    engine_begin(fixture, false);
    submit(fixture, STAGES("none", "far"), NULL); /* that the submission says otherwise does not count */
    assert_true(fixture->invalid && fixture->failed);
    assert_int_equal(fixture->err.code, ERROR_DENIED);
    submit(fixture, STAGES("none", "far"), "key");
    assert_true(fixture->invalid && !fixture->failed);
    AUTO(free_json) json_t *row = wait_end(fixture);
    assert_string_equal(json_text(row, "reason", ""), "denied");
    submit(fixture, STAGES("none", "mine"), NULL);
    assert_true(fixture->invalid && fixture->failed);
    assert_int_equal(fixture->err.code, ERROR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_sandboxed_step_reaches_the_core), TEST(one_without_a_sandbox_too),
        TEST(one_behind_landlock_too), TEST(one_of_another_user_too), TEST(a_server_without_a_core_says_so),
        TEST(what_a_domain_cannot_do_is_denied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
