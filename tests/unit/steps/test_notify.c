/* test_notify.c: a webhook is told, and what it says or does not say is in the error, without the rest of its URL. */
#include "core.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct hook {
    int port;
    pid_t pid;
    int heard; /* what the child was sent can be read here */
};

/* A child that takes one request, writes it to `heard`, and answers with these bytes ("": breaks off). */
static struct hook hook_begin(const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 4), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    assert_int_equal(pipe(ends), 0);
    struct hook hook = {.port = ntohs(address.sin_port), .heard = ends[0]};
    hook.pid = fork();
    if (hook.pid == 0) {
        char bytes[8192];
        int fd = accept(listener, NULL, NULL);
        ssize_t got = 0, more;
        while ((more = read(fd, bytes + got, sizeof bytes - 1 - (size_t)got)) > 0) {
            got += more;
            bytes[got] = '\0';
            if (strstr(bytes, "\r\n\r\n") && bytes[got - 1] == '}') break;
        }
        (void)!write(ends[1], bytes, (size_t)got);
        (void)!write(fd, answer, strlen(answer));
        _exit(0);
    }
    close(listener);
    close(ends[1]);
    return hook;
}

/* Waits for the child; what it was sent. Caller frees. */
static char *hook_end(struct hook *hook)
{
    char bytes[8192];
    ssize_t got = read(hook->heard, bytes, sizeof bytes - 1);
    close(hook->heard);
    waitpid(hook->pid, NULL, 0);
    return mem_copy_bytes(bytes, got > 0 ? (size_t)got : 0);
}

static int notify(const char *answer, const char *more, const char *lines, struct peer *ret_peer, char **ret_sent, struct error *err)
{
    struct hook hook = hook_begin(answer);
    AUTO(free_text)
    char *text =
        mem_format("{\"with\": {\"webhook\": \"http://127.0.0.1:%d/hooks/secret\"%s}, \"facts\": {\"run\": 7, \"stage\": \"tell\", "
                   "\"step\": \"tell/notify\", \"repository\": \"hello\"}}",
            hook.port, more);
    *ret_peer = peer_begin(&notify_step_type, parse(text), lines);
    int failed = notify_perform(ret_peer->step, err);
    peer_end(ret_peer);
    *ret_sent = hook_end(&hook);
    return failed;
}

#define NAME "notification"
#define OK_ANSWER "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

static void tells_what_happened(void **state)
{
    (void)state;
    struct peer peer;
    AUTO(free_text) char *sent = NULL;
    assert_int_equal(notify(OK_ANSWER, ", \"message\": \"it is out\"", GO(NAME, "k1") KEPT_OF(NAME), &peer, &sent, NULL), 0);
    assert_non_null(strstr(sent, "POST /hooks/secret HTTP/1.1\r\n"));
    assert_non_null(strstr(sent, "Idempotency-Key: k1\r\n"));
    assert_non_null(strstr(sent, "{\"run\":7,\"stage\":\"tell\",\"step\":\"tell/notify\",\"text\":\"it is out\"}"));
    assert_int_equal(json_integer_value(peer_output(&peer, "status")), 204);
    assert_false(text_ends(json_text(heard(&peer, "intend", 0), "target", ""), "secret"));
    peer_release(&peer);
}

static void a_body_of_its_own(void **state)
{
    (void)state;
    struct peer peer;
    AUTO(free_text) char *sent = NULL;
    assert_int_equal(notify(OK_ANSWER, ", \"body\": {\"a\": [1]}", GO(NAME, "k1") KEPT_OF(NAME), &peer, &sent, NULL), 0);
    assert_true(text_ends(sent, "\r\n\r\n{\"a\":[1]}"));
    peer_release(&peer);
}

/* Nobody can ask what it was told: it is told again. */
static void after_a_crash_again(void **state)
{
    (void)state;
    struct peer peer;
    AUTO(free_text) char *sent = NULL;
    assert_int_equal(notify(OK_ANSWER, "", FIND(NAME, "k1") KEPT_OF(NAME) GO(NAME, "k1") KEPT_OF(NAME), &peer, &sent, NULL), 0);
    assert_non_null(strstr(sent, "Run 7 of hello"));
    peer_release(&peer);
}

static void failures(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int result;
        const char *words;
    } cases[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nno hook\n", -ERROR_INVALID, "answered 404: no hook"},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", -ERROR_UNAVAILABLE, "answered 503: busy"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", -ERROR_PROTOCOL, "answered 302"},
        {"", -ERROR_PROTOCOL, "cannot be reached, or does not answer"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct peer peer;
        struct error err = {0};
        AUTO(free_text) char *sent = NULL;
        int result = notify(cases[i].answer, "", GO(NAME, "k1") KEPT_OF(NAME), &peer, &sent, &err);
        if (result != cases[i].result || !strstr(err.message, cases[i].words) || strstr(err.message, "secret"))
            fail_msg("%zu: %d %s", i, result, err.message);
        peer_release(&peer);
    }
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct peer peer = peer_begin(&notify_step_type, parse("{\"with\": {\"webhook\": \"file:///etc/passwd\"}, \"facts\": {}}"), "");
    assert_int_equal(notify_perform(peer.step, &err), -ERROR_INVALID);
    peer_end(&peer);
    peer_release(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_what_happened), cmocka_unit_test(a_body_of_its_own),
        cmocka_unit_test(after_a_crash_again), cmocka_unit_test(failures), cmocka_unit_test(other_schemes_are_refused)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
