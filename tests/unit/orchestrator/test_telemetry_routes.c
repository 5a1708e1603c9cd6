/* test_telemetry_routes.c: samples and aggregates over a real socket: the API answers in a child process, this one records and asks. */
#include "telemetry_writer.h"

#include "base/json.h"
#include "base/text.h"
#include "net/local.h"
#include "orchestrator/telemetry/routes.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { MANY = 300000 };

static struct fixture {
    struct recording recording;
    char keep[64], server[160];
    pid_t child, asker; /* asker: has stopped taking; 0: none */
} fixture;

/* --- in the child --- */

struct child {
    uv_loop_t loop;
    struct http_server *server;
    struct telemetry_api *api;
};

static const char *folder_of(void *context, const char *domain)
{
    (void)context;
    if (text_equal(domain, "here")) return fixture.keep;
    return text_equal(domain, "empty") ? "/nowhere" : NULL;
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    struct child *child = handle->data;
    http_server_close(&child->server);
    telemetry_api_close(&child->api);
    uv_close((uv_handle_t *)handle, NULL);
}

static void serve(int fd)
{
    struct child child = {0};
    struct error err;
    uv_signal_t terminate;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the test is aborted */
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&child.loop);
    uv_signal_init(&child.loop, &terminate);
    terminate.data = &child;
    uv_signal_start(&terminate, on_signal, SIGTERM);
    child.api = telemetry_api_open(&(struct telemetry_context){.loop = &child.loop, .folder = folder_of});
    struct http_mount mounts[] = {telemetry_api_mount(child.api), {.routes = NULL}};
    struct http_options options = {.listen_fd = fd, .local = true, .mounts = mounts};
    if (http_server_open(&child.loop, &options, &child.server, &err) < 0) _exit(1);
    uv_run(&child.loop, UV_RUN_DEFAULT);
    exit(uv_loop_close(&child.loop) == 0 ? 0 : 3); /* 3: something was left open */
}

/* KEEP/telemetry is the recording's folder. */
static void make_keep(void)
{
    snprintf(fixture.keep, sizeof fixture.keep, "/tmp/crescendo-keep-XXXXXX");
    assert_non_null(mkdtemp(fixture.keep));
    AUTO(free_text) char *link = mem_format("%s/telemetry", fixture.keep);
    assert_int_equal(symlink(fixture.recording.folder, link), 0);
}

static int begin(void **state)
{
    (void)state;
    struct error err;
    int fd;
    recording_begin(&fixture.recording);
    make_keep();
    snprintf(fixture.server, sizeof fixture.server, "unix:%s/socket", fixture.recording.folder);
    assert_int_equal(http_listen_unix(fixture.server + 5, &fd, &err), 0);
    fflush(NULL);
    fixture.child = fork();
    if (fixture.child == 0) serve(fd);
    close(fd);
    recording_arm(&fixture.recording, "1 16.1 hello 1.0.0\n2 17.1 hello 2.0.0\n3 18.1 other 1.0.0\n");
    return 0;
}

static int end(void **state)
{
    (void)state;
    int status;
    kill(fixture.child, SIGTERM);
    waitpid(fixture.child, &status, 0);
    if (fixture.asker) {
        kill(fixture.asker, SIGKILL);
        waitpid(fixture.asker, NULL, 0);
        fixture.asker = 0;
    }
    recording_end(&fixture.recording);
    assert_int_equal(file_remove_tree(fixture.keep, NULL), 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) print_error("the server ended with status %x\n", (unsigned)status);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* --- in the test --- */

struct taken {
    struct text text;
    size_t stop_at;
};

static int take_bytes(void *context, const char *bytes, size_t size)
{
    struct taken *taken = context;
    text_add_bytes(&taken->text, bytes, size);
    return taken->stop_at && taken->text.size >= taken->stop_at;
}

/* The whole body of a good answer; of another "STATUS BODY". Caller frees. */
static char *ask(const char *path)
{
    struct taken taken = {0};
    struct local_request request = {.server = fixture.server, .method = "GET", .path = path, .on_bytes = take_bytes, .context = &taken};
    struct local_response answer = {0};
    struct error err = {0};
    if (local_send(&request, &answer, &err) < 0) fail_msg("%s", err.message);
    if (answer.status != 200) text_add_format(&taken.text, "%d %s", answer.status, answer.body);
    local_response_release(&answer);
    return text_take(&taken.text);
}

static json_t *ask_json(const char *path)
{
    AUTO(free_text) char *body = ask(path);
    json_t *json = NULL;
    struct error err = {0};
    if (json_parse(body, strlen(body), path, &json, &err) < 0) fail_msg("%s: %s", err.message, body);
    return json;
}

static void expect(const char *path, const char *body)
{
    AUTO(free_text) char *found = ask(path);
    assert_string_equal(found, body);
}

static void expect_part(const char *path, const char *part)
{
    AUTO(free_text) char *found = ask(path);
    if (!strstr(found, part)) fail_msg("%s: %s", path, found);
}

static void add(int64_t time_us, uint32_t arm, uint16_t status, uint16_t flags)
{
    recording_add(&fixture.recording,
        (struct telemetry_record){
            .time_us = time_us, .duration_us = 250, .status = status, .flags = flags, .arm = arm, .instance = arm ? 1 : 0, .bytes = 12});
}

static void a_few(void)
{
    add(1000000, 1, 200, 0);
    add(2000000, 2, 500, TELEMETRY_RETRIED);
    add(1500000, 0, 503, TELEMETRY_NO_SERVER | TELEMETRY_ABORTED);
    recording_add(&fixture.recording, (struct telemetry_record){.time_us = 2500000, .flags = TELEMETRY_GAP, .bytes = 9});
    add(3000000, 3, 200, 0);
    recording_flush(&fixture.recording);
}

static void samples_are_lines_in_the_order_of_the_file(void **state)
{
    (void)state;
    a_few();
    expect("/telemetry/v1/samples?domain=here",
        "{\"time\": 1000000, \"duration\": 250, \"status\": 200, \"service\": \"16.1\", \"version\": \"1.0.0\", \"instance\": 1, "
        "\"bytes\": 12, "
        "\"flags\": []}\n"
        "{\"time\": 2000000, \"duration\": 250, \"status\": 500, \"service\": \"17.1\", \"version\": \"2.0.0\", \"instance\": 1, "
        "\"bytes\": 12, "
        "\"flags\": [\"retried\"]}\n"
        "{\"time\": 1500000, \"duration\": 250, \"status\": 503, \"service\": null, \"version\": null, \"instance\": 0, \"bytes\": 12, "
        "\"flags\": [\"aborted\", \"no_server\"]}\n"
        "{\"gap\": 9, \"time\": 2500000}\n"
        "{\"time\": 3000000, \"duration\": 250, \"status\": 200, \"service\": \"18.1\", \"version\": \"1.0.0\", \"instance\": 1, "
        "\"bytes\": 12, "
        "\"flags\": []}\n"
        "{\"next\": \"1.5\", \"more\": false}\n");
}

static void a_page_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    a_few();
    expect_part("/telemetry/v1/samples?domain=here&limit=2", "{\"next\": \"1.2\", \"more\": true}\n");
    expect_part("/telemetry/v1/samples?domain=here&limit=1&after=1.4", "\"service\": \"18.1\"");
    expect("/telemetry/v1/samples?domain=here&after=1.5", "{\"next\": \"1.5\", \"more\": false}\n");
    add(1, 1, 200, 0); /* ended late, with an old time */
    recording_flush(&fixture.recording);
    expect_part("/telemetry/v1/samples?domain=here&after=1.5", "{\"time\": 1,");
}

static void services_versions_families_and_times_are_chosen(void **state)
{
    (void)state;
    a_few();
    expect_part("/telemetry/v1/samples?domain=here&service=18.1", "{\"gap\": 9, \"time\": 2500000}\n{\"time\": 3000000,");
    expect("/telemetry/v1/samples?domain=here&service=99.1", "{\"gap\": 9, \"time\": 2500000}\n{\"next\": \"1.5\", \"more\": false}\n");
    AUTO(free_json) json_t *family = ask_json("/telemetry/v1/aggregates?domain=here&family=hello&version=2.0.0");
    assert_int_equal(json_array_size(json_object_get(family, "services")), 1);
    AUTO(free_json)
    json_t *time = ask_json("/telemetry/v1/aggregates?domain=here&from=1970-01-01T00:00:01.5Z&to=1970-01-01T01:00:03%2B01:00");
    assert_int_equal(json_array_size(json_object_get(time, "services")), 2); /* the one at 1.5 s, the one at 2 s */
    assert_int_equal(json_whole(time, "from", 0), 1500000);
}

static void aggregates_count_by_service_and_step(void **state)
{
    (void)state;
    a_few();
    AUTO(free_json) json_t *answer = ask_json("/telemetry/v1/aggregates?domain=here&from=1000000&to=4000000&step=1s");
    const json_t *services = json_object_get(answer, "services"), *steps = json_object_get(answer, "steps");
    assert_int_equal(json_whole(answer, "lost", 0), 9);
    assert_int_equal(json_array_size(services), 4);
    const json_t *second = json_array_get(services, 2);
    assert_string_equal(json_text(second, "version", ""), "2.0.0");
    assert_int_equal(json_whole(second, "errors", 0), 1);
    assert_int_equal(json_whole(json_object_get(second, "latency_us"), "p99", 0), 250);
    assert_int_equal(json_array_size(steps), 3);
    assert_int_equal(json_array_size(json_object_get(json_array_get(steps, 0), "services")), 2);
    assert_int_equal(json_whole(json_array_get(steps, 1), "lost", 0), 9);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    expect_part("/telemetry/v1/samples", "400 ");
    expect_part("/telemetry/v1/samples", "'domain' is missing");
    expect_part("/telemetry/v1/samples?domain=mars", "404 ");
    expect_part("/telemetry/v1/samples?domain=here&from=yesterday", "'from' is no moment: 'yesterday'");
    expect_part("/telemetry/v1/samples?domain=here&from=5&to=5", "'from' must be before 'to'");
    expect_part("/telemetry/v1/samples?domain=here&after=5", "'after' is no place");
    expect_part("/telemetry/v1/samples?domain=here&limit=0", "'limit' must be");
    expect_part("/telemetry/v1/aggregates?domain=here&step=1s", "'step' needs 'from'");
    expect_part("/telemetry/v1/aggregates?domain=here&step=1&from=1", "'step' must be a duration");
    expect_part("/telemetry/v1/aggregates?domain=here&step=1ms&from=1", "413 ");
    expect("/telemetry/v1/samples?domain=empty", "{\"next\": \"0.0\", \"more\": false}\n");
    char other[200] = "CRTELE\0\2";
    recording_append(fixture.recording.folder, "00000001.seg", other, sizeof other);
    expect_part("/telemetry/v1/samples?domain=here", "400 ");
    expect_part("/telemetry/v1/aggregates?domain=here", "is not a telemetry segment of this version");
}

static size_t lines_in(const char *text)
{
    size_t lines = 0;
    while ((text = strchr(text, '\n')) && text++)
        lines++;
    return lines;
}

static void many_are_given_in_one_answer_and_in_pages(void **state)
{
    (void)state;
    for (int64_t i = 0; i < MANY; i++)
        add(i + 1, i % 2 ? 2 : 1, 200, 0);
    recording_flush(&fixture.recording);
    AUTO(free_text) char *all = ask("/telemetry/v1/samples?domain=here&limit=10000000");
    assert_int_equal(lines_in(all), MANY + 1);
    size_t lines = 0;
    char next[64] = "0.0";
    for (bool more = true; more;) {
        AUTO(free_text) char *path = mem_format("/telemetry/v1/samples?domain=here&service=16.1&limit=40000&after=%s", next);
        AUTO(free_text) char *page = ask(path);
        const char *last = strstr(page, "{\"next\": \"");
        assert_non_null(last);
        assert_int_equal(sscanf(last, "{\"next\": \"%40[0-9.]", next), 1);
        more = strstr(last, "\"more\": true") != NULL;
        lines += lines_in(page) - 1;
    }
    assert_int_equal(lines, MANY / 2);
    AUTO(free_json) json_t *sums = ask_json("/telemetry/v1/aggregates?domain=here");
    assert_int_equal(json_whole(json_array_get(json_object_get(sums, "services"), 1), "requests", 0), MANY / 2);
}

/* The server ends in order (`end` looks) though answers are under way: one that nobody takes, one that is being read. */
static void a_peer_that_leaves_and_a_server_that_stops(void **state)
{
    (void)state;
    for (int64_t i = 0; i < MANY; i++)
        add(i + 1, 1, 200, 0);
    recording_flush(&fixture.recording);
    struct taken taken = {.stop_at = 1000};
    struct local_request request = {.server = fixture.server,
        .method = "GET",
        .path = "/telemetry/v1/samples?domain=here&limit=10000000",
        .on_bytes = take_bytes,
        .context = &taken};
    struct local_response answer = {0};
    (void)!local_send(&request, &answer, NULL);
    local_response_release(&answer);
    text_release(&taken.text);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fixture.asker = fork();
    if (fixture.asker == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!write(ends[1], "x", 1);
        request.on_bytes = NULL;
        (void)!local_send(&request, &answer, NULL);
        _exit(0);
    }
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(fixture.asker, SIGSTOP); /* wherever it is: before it asked, or while it takes */
    close(ends[0]);
    close(ends[1]);
    expect_part("/telemetry/v1/aggregates?domain=here", "\"requests\":300000");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(samples_are_lines_in_the_order_of_the_file),
        TEST(a_page_goes_on_where_the_last_one_ended),
        TEST(services_versions_families_and_times_are_chosen),
        TEST(aggregates_count_by_service_and_step),
        TEST(what_is_wrong_is_said),
        TEST(many_are_given_in_one_answer_and_in_pages),
        TEST(a_peer_that_leaves_and_a_server_that_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
