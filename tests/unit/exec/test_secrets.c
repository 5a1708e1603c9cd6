/* test_secrets.c: a real shim and steps that were given secrets: hidden in the log of whoever prints them, reported by nobody, on no disk.
 */
#include "harness.h"

#define SECRET "hunter2-and-more"
static const char *const given[] = {"TOKEN=" SECRET, NULL};

/* The script's text must live until the loop has turned. */
static void start(struct harness *harness, uint32_t step, const char *script, const char *const *secrets, const char *const *hidden)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct start_request request = harness_request(step, 1, argv);
    request.secrets = secrets;
    request.hidden = hidden;
    if (step > 1) request.after = step - 1;
    supervisor_start(harness->supervisor, &request);
}

/* The run's folder has it nowhere, but where a step itself wrote it into its workspace. */
static void expect_on_no_disk(const struct harness *harness)
{
    static const char *const names[] = {"log", "reports"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO(free_text) char *path = mem_format("%s/%s", harness->folder, names[i]);
        AUTO(free_text) char *bytes = NULL;
        size_t size;
        assert_int_equal(file_read(path, SIZE_MAX / 4, &bytes, &size, NULL), 0);
        assert_null(memmem(bytes, size, SECRET, strlen(SECRET)));
    }
}

static void expect_printed(struct harness *harness, uint32_t step, unsigned stream, const char *wanted)
{
    AUTO(free_text) char *log = harness_log(harness, step, stream);
    assert_string_equal(log, wanted);
}

static void hides_in(enum sandbox_mode mode)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, mode);
    start(harness, 1,
        "[ \"$TOKEN\" = " SECRET " ] || exit 9\n"
        "echo \"raw $TOKEN.\"; printf %s \"$TOKEN\" | base64; printf %s \"$TOKEN\" | od -An -tx1 | tr -d ' '\n"
        "for c in 'h' 'unter2-an' 'd-mor' 'e'; do printf \"$c\" >&2; sleep 0.02; done\n"
        "printf %s \"$TOKEN\" >left-behind",
        given, NULL);
    start(harness, 2, "cat left-behind; echo \" from ${TOKEN:-nobody}\"", NULL, NULL);
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    expect_printed(harness, 1, LOG_STDOUT, "raw ***.\n***\n***\n");
    expect_printed(harness, 1, LOG_STDERR, "***");
    expect_printed(harness, 2, LOG_STDOUT, "*** from nobody\n");
    expect_on_no_disk(harness);
    harness_free(harness);
}

static void hides_without_a_sandbox(void **state)
{
    (void)state;
    hides_in(SANDBOX_NONE);
}

static void hides_in_a_sandbox(void **state)
{
    (void)state;
    hides_in(SANDBOX_DEFAULT);
}

static void hides_what_the_step_was_not_given(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    const char *const hidden[] = {"one-of-them", SECRET, NULL};
    harness_sandbox(harness, 1, SANDBOX_NONE);
    start(harness, 1, "echo 'one-of-them hunter2-and-''more'; echo \"$TOKEN\"", NULL, hidden);
    assert_int_equal(harness_end_of(harness, 1)->report.exit_code, 0);
    expect_printed(harness, 1, LOG_STDOUT, "*** ***\n\n");
    harness_free(harness);
}

static bool has_printed(struct harness *harness, void *wanted)
{
    AUTO(free_text) char *log = harness_log(harness, 1, LOG_STDOUT);
    return text_equal(log, wanted);
}

static void holds_back_no_more_than_it_must(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, SANDBOX_NONE);
    start(harness, 1, "printf 'password? '; while [ ! -e go ]; do sleep 0.01; done; printf hunter2", given, NULL);
    assert_true(harness_turn(harness, has_printed, "password? "));
    AUTO(free_text) char *go = mem_format("%s/go", harness->workspace);
    close(open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const struct seen *end = harness_end_of(harness, 1);
    expect_printed(harness, 1, LOG_STDOUT, "password? hunter2"); /* the beginning of a secret, and then the end */
    assert_int_equal(end->report.log_bytes, 17);
    harness_free(harness);
}

static void refuses_outputs_in(enum sandbox_mode mode)
{
    struct harness *harness = harness_new();
    harness_sandbox(harness, 1, mode);
    start(harness, 1, "echo \"key=$(printf 'x%s' \"$TOKEN\" | base64)\" >>\"$CRESCENDO_OUTPUT\"", given, NULL);
    const struct seen *end = harness_end_of(harness, 1);
    assert_int_equal(end->report.exit_code, 1);
    assert_int_equal(end->report.outputs_size, 0);
    assert_non_null(strstr(end->text, "the file $CRESCENDO_OUTPUT holds a secret"));
    expect_on_no_disk(harness);
    harness_free(harness);
}

static void refuses_a_secret_as_an_output(void **state)
{
    (void)state;
    refuses_outputs_in(SANDBOX_NONE);
    refuses_outputs_in(SANDBOX_DEFAULT);
}

static void refuses_a_secret_on_descriptor_three(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    const char *const argv[] = {"sh", "-c", "echo fine >&3; echo \"it is $TOKEN\" >&3; sleep 60", NULL};
    harness_sandbox(harness, 1, SANDBOX_NONE);
    struct start_request request = harness_request(1, 1, argv);
    request.flags = START_TALKS;
    request.secrets = given;
    supervisor_start(harness->supervisor, &request);
    const struct seen *end = harness_end_of(harness, 1);
    assert_string_equal(harness_find(harness, SHIM_LINE, 1)->text, "fine");
    assert_non_null(strstr(end->text, "a line on descriptor 3 held a secret"));
    expect_on_no_disk(harness);
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_without_a_sandbox),
        cmocka_unit_test(hides_in_a_sandbox),
        cmocka_unit_test(hides_what_the_step_was_not_given),
        cmocka_unit_test(holds_back_no_more_than_it_must),
        cmocka_unit_test(refuses_a_secret_as_an_output),
        cmocka_unit_test(refuses_a_secret_on_descriptor_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
