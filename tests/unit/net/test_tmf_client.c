/* test_tmf_client.c: the client of TM Forum's APIs against a peer that says exactly what a test tells it to, one answer a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tmf/orders.h"
#include "net/tmf/samples.h"
#include "net/tmf/services.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct script {
    pid_t pid;
    int heard; /* the request lines, one a line */
    struct tmf_client client;
};

#define SILENCE "silence" /* it takes the request and never answers */
#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n" body

/* The last answer is given again and again. */
static void play(int listener, int heard, const char *const *answers)
{
    for (;;) {
        char bytes[16384] = "";
        ssize_t got = 0, more = 0;
        int fd = accept(listener, NULL, NULL);
        while (!strstr(bytes, "\r\n\r\n") && (more = read(fd, bytes + got, sizeof bytes - 1 - (size_t)got)) > 0)
            got += more;
        (void)!write(heard, bytes, strcspn(bytes, "\r"));
        (void)!write(heard, "\n", 1);
        if (strcmp(*answers, SILENCE) != 0) {
            (void)!send(fd, *answers, strlen(*answers), MSG_NOSIGNAL);
            shutdown(fd, SHUT_WR);
            while (read(fd, bytes, sizeof bytes) > 0)
                continue;
            close(fd);
        }
        if (answers[1]) answers++;
    }
}

static struct script script_begin(const char *const *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
    struct script script = {0};
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 50), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    assert_int_equal(pipe(ends), 0);
    script.pid = fork();
    if (script.pid == 0) play(listener, ends[1], answers);
    close(listener);
    close(ends[1]);
    script.heard = ends[0];
    AUTO(free_text) char *url = mem_format("http://127.0.0.1:%d/", ntohs(address.sin_port));
    assert_int_equal(tmf_client_open("lab", url, "standard", &script.client, NULL), 0);
    script.client.patience_ms = 400;
    return script;
}

/* The request lines; caller frees. */
static char *script_end(struct script *script)
{
    struct text heard = {0};
    char chunk[4096];
    ssize_t got;
    kill(script->pid, SIGKILL);
    waitpid(script->pid, NULL, 0);
    while ((got = read(script->heard, chunk, sizeof chunk)) > 0)
        text_add_bytes(&heard, chunk, (size_t)got);
    close(script->heard);
    tmf_client_release(&script->client);
    return text_take(&heard);
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

struct refusal_case {
    const char *answer;
    int result;
    const char *words;
};

static const struct refusal_case refusal_cases[] = {
    {ANSWER("400 Bad", "{\"code\": \"20\", \"reason\": \"bad order\", \"message\": \"item 1 has no action\"}"), -ERROR_INVALID,
        "lab: POST /tmf-api/serviceOrdering/v4/serviceOrder answered 400: bad order: item 1 has no action"},
    {ANSWER("401 No", "{\"error\": \"Unauthorized\"}"), -ERROR_UNAUTHENTICATED, "answered 401: Unauthorized"},
    {ANSWER("403 No", ""), -ERROR_DENIED, "answered 403: it gives no reason"},
    {ANSWER("404 No", "<html>none\nhere</html>"), -ERROR_NOT_FOUND, "answered 404: <html>none here</html>"},
    {ANSWER("409 No", "{\"message\": \"in use\", \"reason\": \"in use\"}"), -ERROR_CONFLICT, "answered 409: in use"},
    {ANSWER("413 No", "{}"), -ERROR_LIMIT, "answered 413"},
    {ANSWER("422 No", "[1]"), -ERROR_INVALID, "answered 422"},
    {ANSWER("429 Slow", "\"\xff\""), -ERROR_UNAVAILABLE, "answered 429"},
    {ANSWER("500 Oh", "{\"message\": \"no\"}"), -ERROR_UNAVAILABLE, "answered 500: no"},
    {ANSWER("501 Oh", ""), -ERROR_UNAVAILABLE, "answered 501"},
    {ANSWER("302 There", ""), -ERROR_PROTOCOL, "answered 302"},
    {ANSWER("201 Made", "not JSON"), -ERROR_PROTOCOL, "lab: "},
    {ANSWER("201 Made", ""), -ERROR_PROTOCOL, "without an id"},
    {ANSWER("201 Made", "{\"id\": 7}"), -ERROR_PROTOCOL, "without an id"},
    {"", -ERROR_PROTOCOL, "lab: POST http://"},
};

/* What changes something is sent once, whatever is answered. */
static void refusals_in_the_peers_words(void **state)
{
    (void)state;
    AUTO(free_json) json_t *body = parse("{\"serviceOrderItem\": [{\"id\": \"1\"}]}");
    for (size_t i = 0; i < COUNT_OF(refusal_cases); i++) {
        const char *const answers[] = {refusal_cases[i].answer, NULL};
        struct script script = script_begin(answers);
        struct error err = {0};
        json_t *order = NULL;
        int result = tmf_order_send(&script.client, body, "k1", &order, &err);
        AUTO(free_text) char *heard = script_end(&script);
        if (result != refusal_cases[i].result || !strstr(err.message, refusal_cases[i].words) || count_lines(heard) != 1)
            fail_msg("%zu: %d %s, %zu requests", i, result, err.message, count_lines(heard));
    }
}

static void no_answer_is_a_timeout(void **state)
{
    (void)state;
    const char *const answers[] = {SILENCE, NULL};
    AUTO(free_json) json_t *body = parse("{}"), *order = NULL;
    struct script script = script_begin(answers);
    struct error err = {0};
    script.client.timeout_ms = 200;
    assert_int_equal(tmf_order_send(&script.client, body, "k1", &order, &err), -ERROR_TIMEOUT);
    AUTO(free_text) char *heard = script_end(&script);
    assert_int_equal(count_lines(heard), 1);
}

static void reading_is_patient(void **state)
{
    (void)state;
    const char *const answers[] = {ANSWER("503 Later", ""), "", ANSWER("200 OK", "{\"id\": \"1\", \"state\": \"COMPLETED\"}"), NULL};
    struct script script = script_begin(answers);
    AUTO(free_json) json_t *order = NULL;
    assert_int_equal(tmf_order_wait(&script.client, "1", 5000, NULL, &order, NULL), 0);
    assert_int_equal(tmf_order_state_of(order), TMF_ORDER_COMPLETED);
    AUTO(free_text) char *heard = script_end(&script);
    assert_int_equal(count_lines(heard), 3);
}

static void patience_ends(void **state)
{
    (void)state;
    const char *const answers[] = {ANSWER("503 Later", ""), NULL};
    struct script script = script_begin(answers);
    struct error err = {0};
    json_t *order = NULL;
    assert_int_equal(tmf_get(&script.client, TMF_SERVICE_ORDER, "1", &order, &err), -ERROR_UNAVAILABLE);
    free(script_end(&script));
}

/* Nobody listens: it was certainly not sent, so also an order is tried again, and then given up. */
static void nobody_there(void **state)
{
    (void)state;
    struct tmf_client client = {0};
    struct error err = {0};
    json_t *order = NULL;
    AUTO(free_json) json_t *body = parse("{}");
    assert_int_equal(tmf_client_open("lab", "unix:/tmp/there-is-no-such-socket", NULL, &client, NULL), 0);
    client.patience_ms = 200;
    assert_int_equal(tmf_order_send(&client, body, "k1", &order, &err), -ERROR_UNAVAILABLE);
    assert_true(text_starts(err.message, "lab: "));
    tmf_client_release(&client);
}

static void urls(void **state)
{
    (void)state;
    struct tmf_client client = {0};
    struct error err = {0};
    for (const char *const *url = (const char *const[]){"", "lab", "file:///etc/passwd", "unix:relative", "embedded", NULL}; *url; url++)
        assert_int_equal(tmf_client_open("lab", *url, NULL, &client, &err), -ERROR_INVALID);
    assert_int_equal(tmf_client_open("lab", NULL, NULL, &client, &err), -ERROR_INVALID);
    assert_int_equal(tmf_client_open("lab", "https://a.example/", NULL, &client, &err), 0);
    assert_string_equal(client.base, "https://a.example");
    tmf_client_release(&client);
}

static bool is_wanted(void *context, const json_t *one)
{
    return text_equal(json_text(one, "externalId", NULL), context);
}

/* A peer that heeds neither filter nor offset gives the same page for ever. */
static void lists_end(void **state)
{
    (void)state;
    const char *const answers[] = {
        ANSWER("200 OK", "[{\"id\": \"1\", \"externalId\": \"a\"}, {\"id\": \"2\", \"externalId\": \"b\"}, 3]"), NULL};
    struct script script = script_begin(answers);
    AUTO(free_json) json_t *found = NULL, *order = NULL;
    AUTO(free_text) char *wanted = mem_copy_text("b"), *heard = NULL;
    assert_int_equal(tmf_list(&script.client, TMF_SERVICE_ORDER, NULL, is_wanted, wanted, &found, NULL), 0);
    assert_int_equal(json_array_size(found), 1);
    assert_int_equal(tmf_order_find(&script.client, "c d&e", &order, NULL), 0);
    assert_int_equal(json_array_size(order), 0);
    heard = script_end(&script);
    assert_int_equal(count_lines(heard), 4);
    assert_non_null(strstr(heard, "&externalId=c%20d%26e HTTP"));
}

/* How long an order may be late: at a socket nothing lies between. */
static void what_a_request_lives(void **state)
{
    (void)state;
    for (unsigned i = 0; tmf_dialect_at(i); i++) {
        const struct tmf_dialect *dialect = tmf_dialect_at(i);
        assert_in_range(tmf_request_life(dialect, "https://peer"), 60 * 1000, 10 * 60 * 1000);
        assert_in_range(tmf_request_life(dialect, "unix:/peer"), 1000, 10 * 1000);
    }
}

static void not_a_list(void **state)
{
    (void)state;
    const char *const answers[] = {ANSWER("200 OK", "{\"id\": \"1\"}"), NULL};
    struct script script = script_begin(answers);
    struct error err = {0};
    json_t *order = NULL;
    assert_int_equal(tmf_order_find(&script.client, "k1", &order, &err), -ERROR_PROTOCOL);
    free(script_end(&script));
}

static void every_wait_ends(void **state)
{
    (void)state;
    const char *const answers[] = {ANSWER("200 OK", "{\"id\": \"1\", \"state\": \"held\"}"), NULL};
    struct script script = script_begin(answers);
    struct error err = {0};
    json_t *order = NULL;
    assert_int_equal(tmf_order_wait(&script.client, "1", 100, NULL, &order, &err), -ERROR_TIMEOUT);
    assert_non_null(strstr(err.message, "order 1 is still held after"));
    free(script_end(&script));
}

static void a_failed_order_says_why(void **state)
{
    (void)state;
    struct tmf_client client = {0};
    struct error err = {0};
    AUTO(free_json)
    json_t *order = parse("{\"id\": \"9\", \"state\": \"FAILED\", \"errorMessage\": [{\"message\": \"no place\"}],"
                          "\"serviceOrderItem\": [{\"id\": \"1\", \"errorMessage\": {\"message\": \"alone\"}},"
                          "{\"id\": \"2\", \"errorMessage\": [{\"message\": \"no place\"}, {\"reason\": \"no port\"}, 7]}]}");
    assert_int_equal(tmf_client_open("lab", "http://127.0.0.1:1", NULL, &client, NULL), 0);
    assert_int_equal(tmf_order_judge(&client, order, &err), -ERROR_CONFLICT);
    assert_string_equal(err.message, "lab: order 9 FAILED: no place; no port");
    tmf_client_release(&client);
}

/* What to do comes last, and is what a cut would take. */
static void a_long_reason_is_told_once_and_whole(void **state)
{
    (void)state;
    struct tmf_client client = {0};
    struct error err = {0};
#define LONG \
    "the state of the domain could not be written to /var/lib/crescendo/a-folder-with-a-name/core/keepers/lab/state: No space left on " \
    "device"
#define HINT "nothing was changed; make room or make the folder writable, then ask again"
    AUTO(free_json)
    json_t *order = parse("{\"id\": \"9\", \"state\": \"failed\", \"errorMessage\": [{\"message\": \"" LONG "; " HINT "\"}],"
                          "\"serviceOrderItem\": [{\"id\": \"1\", \"errorMessage\": [{\"message\": \"" LONG "; " HINT "\"}]}]}");
    assert_int_equal(tmf_client_open("lab", "http://127.0.0.1:1", NULL, &client, NULL), 0);
    assert_int_equal(tmf_order_judge(&client, order, &err), -ERROR_CONFLICT);
    AUTO(free_text) char *told = mem_format("%s; %s", err.message, err.hint);
    assert_string_equal(told, "lab: order 9 failed: " LONG "; " HINT);
    tmf_client_release(&client);
}

static void cancelling_too_late_is_no_error(void **state)
{
    (void)state;
    const char *const answers[] = {ANSWER("409 No", "{\"reason\": \"at rest\"}"), ANSWER("404 No", "{}"), NULL};
    struct script script = script_begin(answers);
    struct error err = {0};
    assert_int_equal(tmf_order_cancel(&script.client, "1", "why not", &err), 0);
    assert_int_equal(tmf_order_cancel(&script.client, "1", "why not", &err), -ERROR_NOT_FOUND);
    free(script_end(&script));
}

/* --- samples --- */

#define SAMPLE(duration) "{\"time\": 1, \"duration\": " duration ", \"status\": 200, \"service\": \"1.1\", \"flags\": [\"aborted\"]}\n"

struct heard_samples {
    uint32_t last_us;
    size_t count, aborted;
    int64_t lost;
};

static void hear_sample(void *context, const struct sample *sample)
{
    struct heard_samples *heard = context;
    assert_string_equal(sample->service, "1.1");
    heard->last_us = sample->duration_us;
    heard->aborted += sample->aborted;
    heard->count++;
}

static void hear_gap(void *context, int64_t lost)
{
    struct heard_samples *heard = context;
    heard->lost += lost;
}

/* Page behind page from the place that the one before named, to the end or as many as are wanted. */
static void samples_are_read_page_by_page(void **state)
{
    (void)state;
    static const char *const answers[] = {ANSWER("200 OK", SAMPLE("5") SAMPLE("6") "{\"next\": \"1.2\", \"more\": true}\n"),
        ANSWER("503 Away", ""), ANSWER("200 OK", "{\"gap\": 12, \"time\": 1}\n" SAMPLE("7") "{\"next\": \"2.0\", \"more\": false}\n"),
        NULL};
    struct script script = script_begin(answers);
    struct heard_samples heard = {0};
    struct error err = {0};
    char next[SAMPLE_PLACE_SIZE] = "";
    const struct sample_question question = {.domain = "a b", .family = "hello", .after = "1.0", .limit = 100, .patience_ms = 400};
    if (samples_read(&script.client, &question, &(struct sample_sink){hear_sample, hear_gap, &heard}, next, &err))
        fail_msg("%s", err.message);
    assert_string_equal(next, "2.0");
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.last_us, 7);
    assert_int_equal(heard.aborted, 3);
    assert_int_equal(heard.lost, 12);
    AUTO(free_text) char *asked = script_end(&script);
    assert_string_equal(asked, "GET /telemetry/v1/samples?limit=100&domain=a%20b&family=hello&after=1.0 HTTP/1.1\n"
                               "GET /telemetry/v1/samples?limit=98&domain=a%20b&family=hello&after=1.2 HTTP/1.1\n"
                               "GET /telemetry/v1/samples?limit=98&domain=a%20b&family=hello&after=1.2 HTTP/1.1\n");
}

static void enough_samples_are_enough(void **state)
{
    (void)state;
    static const char *const answers[] = {ANSWER("200 OK", SAMPLE("5") SAMPLE("6") "{\"next\": \"1.2\", \"more\": true}\n"), NULL};
    struct script script = script_begin(answers);
    struct heard_samples heard = {0};
    char next[SAMPLE_PLACE_SIZE] = "";
    const struct sample_question question = {.domain = "lab", .family = "hello", .limit = 2};
    assert_int_equal(samples_read(&script.client, &question, &(struct sample_sink){hear_sample, hear_gap, &heard}, next, NULL), 0);
    assert_string_equal(next, "1.2");
    assert_int_equal(heard.count, 2);
    AUTO(free_text) char *asked = script_end(&script);
    assert_int_equal(count_lines(asked), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(samples_are_read_page_by_page), cmocka_unit_test(enough_samples_are_enough),
        cmocka_unit_test(refusals_in_the_peers_words), cmocka_unit_test(no_answer_is_a_timeout), cmocka_unit_test(reading_is_patient),
        cmocka_unit_test(patience_ends), cmocka_unit_test(nobody_there), cmocka_unit_test(urls), cmocka_unit_test(lists_end),
        cmocka_unit_test(what_a_request_lives), cmocka_unit_test(not_a_list), cmocka_unit_test(every_wait_ends),
        cmocka_unit_test(a_failed_order_says_why), cmocka_unit_test(a_long_reason_is_told_once_and_whole),
        cmocka_unit_test(cancelling_too_late_is_no_error)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
