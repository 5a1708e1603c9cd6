/* test_sse.c: server-sent events out of pieces. */
#include "base/mem.h"
#include "cli/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int note(void *context, const struct sse_event *event)
{
    struct text *seen = context;
    text_add_format(seen, "[%s|%s|%s]", event->id, event->type, event->data);
    return strcmp(event->data, "stop") == 0 ? 7 : 0;
}

static void check(const char *given, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(given) + 1; piece++) {
        struct sse sse = {0};
        struct text seen = {0};
        for (size_t at = 0; at < strlen(given); at += piece) {
            size_t rest = strlen(given) - at;
            assert_int_equal(sse_add(&sse, given + at, rest < piece ? rest : piece, note, &seen), 0);
        }
        assert_string_equal(text_view(&seen), expected);
        text_release(&seen);
        sse_release(&sse);
    }
}

static void test_events(void **state)
{
    (void)state;
    check("id: 5\nevent: step_running\ndata: {\"a\": 1}\n\n", "[5|step_running|{\"a\": 1}]");
    check("data: one\ndata: two\n\n", "[|message|one\ntwo]");
    check("id:7\r\ndata:x\r\n\r\ndata: y\r\n\r\n", "[7|message|x][7|message|y]"); /* the id stays */
    check("id: 1\rdata: x\r\r", "[1|message|x]");
    check(": keep alive\n\n: again\n\n", "");
    check("event: only\n\ndata: x\n\n", "[|message|x]");
    check("data\n\n", "[|message|]");
    check("retry: 10\nunknown: y\ndata: x\n\n", "[|message|x]");
    check("data: never ended\n", "");
}

static void test_stop(void **state)
{
    (void)state;
    struct sse sse = {0};
    struct text seen = {0};
    const char *given = "data: stop\n\ndata: more\n\n";
    assert_int_equal(sse_add(&sse, given, strlen(given), note, &seen), 7);
    assert_string_equal(text_view(&seen), "[|message|stop]");
    text_release(&seen);
    sse_release(&sse);
}

static void test_limit(void **state)
{
    (void)state;
    struct sse sse = {0};
    struct text seen = {0};
    char *line = mem_alloc(1024 * 1024);
    memset(line, 'x', 1024 * 1024);
    int result = 0;
    for (int i = 0; i < 20 && !result; i++)
        result = sse_add(&sse, line, 1024 * 1024, note, &seen);
    assert_int_equal(result, -1);
    free(line);
    sse_release(&sse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
