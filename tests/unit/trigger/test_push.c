/* test_push.c: what a push's body becomes, with an engine that only takes notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "trigger/push.h"
#include "trigger/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD "1111111111111111111111111111111111111111"
#define NEW "2222222222222222222222222222222222222222"
#define ZERO "0000000000000000000000000000000000000000"

static struct note { /* what the engine was handed, and what it shall answer */
    unsigned calls;
    char key[256], branch[64], title[64], first_file[64], no_files[128];
    size_t file_count, path_count;
    struct accepted answer;
} note;

void engine_submit(struct engine *engine, const struct submission *submission,
    void (*done)(void *context, const struct accepted *accepted, const struct error *err), void *context)
{
    (void)engine;
    note.calls++;
    snprintf(note.key, sizeof note.key, "%s", submission->key);
    snprintf(note.branch, sizeof note.branch, "%s", submission->branch);
    snprintf(note.title, sizeof note.title, "%s", submission->title ? submission->title : "");
    snprintf(note.no_files, sizeof note.no_files, "%s", submission->no_files ? submission->no_files : "");
    note.file_count = submission->files.count;
    if (submission->files.count) snprintf(note.first_file, sizeof note.first_file, "%s", submission->files.items[0].name);
    for (note.path_count = 0; submission->paths && submission->paths[note.path_count];)
        note.path_count++;
    struct accepted accepted = note.answer;
    struct diagnostics none = {0};
    accepted.diagnostics = &none;
    accepted.files = &submission->files;
    done(context, &accepted, NULL);
}

static char data[64];
static struct trigger trigger;
static struct heard {
    unsigned calls;
    enum error_code code;
    uint64_t run;
    char text[1024];
} heard;

static void on_answer(void *context, const struct push_answer *answer, const struct error *err)
{
    (void)context;
    heard.calls++;
    heard.code = err ? err->code : ERROR_NONE;
    heard.run = answer ? answer->run : 0;
    snprintf(heard.text, sizeof heard.text, "%s", answer ? answer->text : err->message);
}

static void push(const char *ref, const char *old, const char *new, const char *more)
{
    AUTO(free_text)
    char *text =
        mem_format("{\"repository\":\"hello\",\"ref\":\"%s\",\"old\":\"%s\",\"new\":\"%s\",\"colour\":false%s}", ref, old, new, more);
    json_t *body = json_loads(text, 0, NULL);
    assert_non_null(body);
    heard = (struct heard){0};
    note.calls = 0;
    push_submit(&trigger, body, "ann", on_answer, NULL);
    assert_int_equal(heard.calls, 1);
    json_decref(body);
}

static int set_up(void **state)
{
    (void)state;
    struct error err;
    memcpy(data, "/tmp/crescendo-push-XXXXXX", sizeof "/tmp/crescendo-push-XXXXXX");
    if (!mkdtemp(data)) return -1;
    trigger = (struct trigger){.data = data, .address = "http://x", .hook = "/bin/true"};
    return repository_create(data, "hello", "/bin/true", &err);
}

static int tear_down(void **state)
{
    (void)state;
    struct error err;
    return file_remove_tree(data, &err);
}

static void test_a_push_becomes_a_submission(void **state)
{
    (void)state;
    note = (struct note){.answer = {.run = 7}};
    push("refs/heads/feature/x", OLD, NEW,
        ",\"title\":\"T\",\"paths\":[\"a\",\"b\"],"
        "\"files\":[{\"name\":\"pipelines/a.yaml\",\"base64\":\"YQ==\"},{\"name\":\"crescendo.yaml\",\"base64\":\"Yg==\"}]");
    assert_int_equal(heard.code, ERROR_NONE);
    assert_int_equal(heard.run, 7);
    assert_string_equal(heard.text, "run 7 of hello: crescendo show 7\n  http://x/v1/runs/7\n");
    assert_string_equal(note.key, "push hello refs/heads/feature/x " OLD " " NEW);
    assert_string_equal(note.branch, "feature/x");
    assert_string_equal(note.title, "T");
    assert_string_equal(note.first_file, "crescendo.yaml");
    assert_int_equal(note.file_count, 2);
    assert_int_equal(note.path_count, 2);
}

static void test_without_the_file_there_is_no_pipeline(void **state)
{
    (void)state;
    note = (struct note){.answer = {.run = 8, .invalid = true}};
    push("refs/heads/main", OLD, NEW, ",\"files\":[{\"name\":\"pipelines/a.yaml\",\"base64\":\"YQ==\"}]");
    assert_int_equal(note.file_count, 0);
    assert_non_null(strstr(heard.text, "no crescendo.yaml in this commit"));
    assert_null(strchr(heard.text, '\033'));
}

/* What a link holds is its target's path: it is neither read nor shown. */
static void test_a_link_is_no_file(void **state)
{
    (void)state;
    note = (struct note){.answer = {.run = 9, .invalid = true}};
    push("refs/heads/main", OLD, NEW, ",\"link\":true,\"files\":[]");
    assert_non_null(strstr(heard.text, "crescendo.yaml is a symbolic link; Crescendo reads only regular files"));
    assert_non_null(strstr(heard.text, "run 9 of hello"));
    assert_string_equal(note.no_files, "crescendo.yaml is a symbolic link; Crescendo reads only regular files");
}

/* The loader says that it is too large, so that a run records it. */
static void test_a_large_file_is_taken(void **state)
{
    (void)state;
    AUTO(free_text) char *large = mem_alloc(1024 * 1024 + 2);
    memset(large, '#', 1024 * 1024 + 1);
    AUTO(free_text) char *files = mem_format(",\"files\":[{\"name\":\"crescendo.yaml\",\"text\":\"%s\"}]", large);
    note = (struct note){.answer = {.run = 10}};
    push("refs/heads/main", OLD, NEW, files);
    assert_int_equal(heard.code, ERROR_NONE);
    assert_int_equal(note.file_count, 1);
}

static void test_without_tcp_there_is_no_address(void **state)
{
    (void)state;
    const char *address = trigger.address;
    trigger.address = NULL;
    note = (struct note){.answer = {.run = 7}};
    push("refs/heads/main", OLD, NEW, ",\"files\":[{\"name\":\"crescendo.yaml\",\"base64\":\"Yg==\"}]");
    AUTO(free_json) json_t *body = json_object();
    trigger_put_address(&trigger, body, 7);
    assert_int_equal(json_object_size(body), 0);
    trigger.address = address;
    assert_string_equal(heard.text, "run 7 of hello: crescendo show 7\n");
    trigger_put_address(&trigger, body, 7);
    assert_string_equal(json_text(body, "address", ""), "http://x/v1/runs/7");
}

static void test_what_starts_nothing(void **state)
{
    (void)state;
    push("refs/heads/main", OLD, ZERO, ",\"files\":[]");
    assert_string_equal(heard.text, "nothing to run: refs/heads/main was deleted\n");
    assert_int_equal(note.calls, 0);
    push("refs/tags/v1", ZERO, NEW, ",\"files\":[]");
    assert_string_equal(heard.text, "nothing to run: refs/tags/v1 is not a branch\n");
    assert_int_equal(note.calls, 0);
    note = (struct note){.answer = {.unwanted = true}};
    push("refs/heads/main", OLD, NEW, ",\"files\":[{\"name\":\"crescendo.yaml\",\"text\":\"x\"}]");
    assert_int_equal(heard.run, 0);
    assert_non_null(strstr(heard.text, "nothing to run: `on`"));
}

static void test_what_is_refused(void **state)
{
    (void)state;
    push("refs/heads/main", "12", NEW, ",\"files\":[]");
    assert_int_equal(heard.code, ERROR_INVALID);
    push("refs/heads/main", OLD, "2222222222222222222222222222222222222222222222222222222222222222", ",\"files\":[]");
    assert_int_equal(heard.code, ERROR_INVALID);
    push("refs/heads/main", OLD, NEW, ",\"files\":[{\"name\":\"crescendo.yaml\",\"base64\":\"***\"}]");
    assert_int_equal(heard.code, ERROR_INVALID);
    push("refs/heads/main", OLD, NEW, ",\"files\":[{\"name\":\"crescendo.yaml\"}]");
    assert_int_equal(heard.code, ERROR_INVALID);
    push("refs/heads/main", OLD, NEW, ",\"files\":{}");
    assert_int_equal(heard.code, ERROR_INVALID);
    push("refs/heads/main", OLD, NEW, ",\"repository\":\"absent\",\"files\":[]");
    assert_int_equal(heard.code, ERROR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_push_becomes_a_submission),
        cmocka_unit_test(test_without_the_file_there_is_no_pipeline),
        cmocka_unit_test(test_a_link_is_no_file),
        cmocka_unit_test(test_a_large_file_is_taken),
        cmocka_unit_test(test_without_tcp_there_is_no_address),
        cmocka_unit_test(test_what_starts_nothing),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
