/* test_keeper.c: the keeper's client against a peer that says exactly what a test tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/crescendo-keeper-client-XXXXXX";

/* A child that reads one line, keeps it in FOLDER/request and answers with these bytes one by one. */
static pid_t answer_with(const char *bytes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/keeper.sock", folder);
    unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        char request[8192], path[128];
        int peer = accept(listener, NULL, NULL);
        ssize_t size = recv(peer, request, sizeof request, 0);
        snprintf(path, sizeof path, "%s/request", folder);
        FILE *file = fopen(path, "we");
        fwrite(request, 1, size > 0 ? (size_t)size : 0, file);
        fclose(file);
        for (; *bytes; bytes++)
            if (send(peer, bytes, 1, MSG_NOSIGNAL) < 0) break;
        _exit(0);
    }
    close(listener);
    return child;
}

static int ask(const char *answer, const json_t *fields, json_t **ret, json_t **ret_lines, struct error *err)
{
    pid_t child = answer_with(answer);
    int code = keeper_ask(folder, "share", fields, 5000, ret, ret_lines, err);
    waitpid(child, NULL, 0);
    return code;
}

static void a_request_is_one_line(void **state)
{
    (void)state;
    json_t *ret = NULL, *fields = json_pack("{s:s, s:i, s:b, s:[s, s], s:n}", "key", "a b/c=\n", "share", 2500, "yes", 1, "command",
                            "bin/x", "$(PORT)", "none");
    struct error err = {0};
    assert_int_equal(ask("ok previous=0\n", fields, &ret, NULL, &err), 0);
    assert_string_equal(json_string_value(json_object_get(ret, "previous")), "0");
    assert_int_equal(json_object_size(ret), 1);
    AUTO(free_text) char *path = mem_format("%s/request", folder);
    AUTO(free_text) char *request = NULL;
    size_t size;
    assert_int_equal(file_read(path, 8192, &request, &size, &err), 0);
    assert_true(text_starts(request, "share ") && text_ends(request, "\n") && strchr(request, '\n') == request + size - 1);
    static const char *const words[] = {" key=a%20b%2Fc%3D%0A", " share=2500", " yes=1", " command=bin%2Fx command=%24%28PORT%29"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_non_null(strstr(request, words[i]));
    assert_null(strstr(request, "none"));
    json_decref(ret);
    json_decref(fields);
}

static void lines_before_the_last_are_objects(void **state)
{
    (void)state;
    json_t *ret = NULL, *lines = NULL;
    struct error err = {0};
    assert_int_equal(ask("domain name=edge message=a%0Ab\nservice service=okay\nok\n", NULL, &ret, &lines, &err), 0);
    assert_int_equal(json_array_size(lines), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(lines, 0), "line")), "domain");
    assert_string_equal(json_string_value(json_object_get(json_array_get(lines, 0), "message")), "a\nb");
    assert_string_equal(json_string_value(json_object_get(json_array_get(lines, 1), "service")), "okay");
    json_decref(ret);
    json_decref(lines);
}

static void its_errors_become_ours(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(ask("error code=conflict message=no%20such hint=do%20this\n", NULL, NULL, NULL, &err), -ERROR_CONFLICT);
    assert_string_equal(err.message, "no such");
    assert_string_equal(err.hint, "do this");
    assert_int_equal(ask("error code=never_heard message=x\n", NULL, NULL, NULL, &err), -ERROR_INTERNAL);
    assert_int_equal(ask("ok broken\n", NULL, NULL, NULL, &err), -ERROR_PROTOCOL);
    assert_int_equal(ask("ok a=%zz\n", NULL, NULL, NULL, &err), -ERROR_PROTOCOL);
    assert_int_equal(ask("domain name=edge\nok prev", NULL, NULL, NULL, &err), -ERROR_UNAVAILABLE); /* it died in the middle */
    assert_true(err.retryable);
}

static void nobody_there_may_be_tried_again(void **state)
{
    (void)state;
    struct error err = {0};
    AUTO(free_text) char *path = mem_format("%s/keeper.sock", folder);
    unlink(path);
    assert_int_equal(keeper_ask(folder, "hello", NULL, 1000, NULL, NULL, &err), -ERROR_UNAVAILABLE);
    assert_true(err.retryable);
    assert_int_equal(keeper_ask("/nowhere/at/all", "hello", NULL, 1000, NULL, NULL, &err), -ERROR_UNAVAILABLE);
    json_t *fields = json_pack("{s:{}}", "object");
    assert_int_equal(keeper_ask(folder, "hello", fields, 1000, NULL, NULL, &err), -ERROR_INVALID);
    json_decref(fields);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_one_line),
        cmocka_unit_test(lines_before_the_last_are_objects),
        cmocka_unit_test(its_errors_become_ours),
        cmocka_unit_test(nobody_there_may_be_tried_again),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
