/* test_external.c: external step types are found, described by their tables, and speak the protocol: the ten-line ones of tests/steps. */
#include "support.h"

#include "../../../steps/external.h"
#include "../../../steps/registry.h"

static const char program[] = "#!/bin/sh\nexit 0\n";

static int load(const char *path, struct arena *arena, step_types **ret, struct error *err)
{
    return external_types_load(path, arena, step_types_builtin, ret, err);
}

static void joined_table(void **state)
{
    const char *folder = *state;
    struct arena *arena = arena_new();
    step_types *types = NULL;
    AUTO(free_text) char *path = mem_format("relative::%s/one:%s/missing:%s/two", folder, folder, folder);
    put_file(folder, "one/crescendo-step-greet", program, 0755);
    put_file(folder, "two/crescendo-step-greet", program, 0755);
    put_file(folder, "two/crescendo-step-count", program, 0755);
    put_file(folder, "two/crescendo-step-package", program, 0755); /* a built-in name */
    put_file(folder, "two/crescendo-step-timeout", program, 0755); /* a key of every step */
    put_file(folder, "two/crescendo-step-plain", program, 0644);   /* not executable */
    put_file(folder, "two/crescendo-step-Upper", program, 0755);   /* not a name */
    put_file(folder, "two/crescendo-step-greet.json", "{}", 0755);
    assert_int_equal(load(path, arena, &types, NULL), 0);
    size_t count = 0, builtin = 0;
    while (step_types_builtin[builtin])
        builtin++;
    while (types[count])
        count++;
    assert_int_equal(count, builtin + 2);
    assert_ptr_equal(step_type_find(types, "package"), &package_step_type);
    const struct step_type *greet = step_type_find(types, "greet");
    assert_non_null(greet);
    assert_non_null(step_type_find(types, "count"));
    assert_string_equal(greet->fields[0].name, "value");
    assert_int_equal(greet->fields[0].type, FIELD_ANY);
    assert_null(greet->outputs); /* the step declares them */
    assert_null(greet->describe);
    AUTO(free_text) char *found = external_type_program("greet", path), *expected = mem_format("%s/one/crescendo-step-greet", folder);
    assert_string_equal(found, expected);
    assert_null(external_type_program("none", path));
    assert_null(external_type_program("../greet", path));
    arena_free(&arena);
}

static void table_beside_program(void **state)
{
    struct arena *arena = arena_new();
    step_types *types = NULL;
    put_file(*state, "crescendo-step-a", program, 0755);
    put_file(*state, "crescendo-step-a.json",
        "{\"summary\": \"Does a\", \"effects\": true,"
        "\"fields\": [{\"name\": \"to\", \"required\": true, \"short\": true, \"help\": \"Whom\"},"
        "{\"name\": \"how\", \"type\": \"choice\", \"choices\": [\"loud\", \"low\"], \"default\": \"low\"},"
        "{\"name\": \"times\", \"type\": \"integer\", \"min\": 1, \"max\": 9}],"
        "\"outputs\": [{\"name\": \"answer\", \"type\": \"text\"}]}",
        0644);
    assert_int_equal(load(*state, arena, &types, NULL), 0);
    const struct step_type *type = step_type_find(types, "a");
    assert_string_equal(type->summary, "Does a");
    assert_int_equal(type->fields[0].flags, FIELD_REQUIRED | FIELD_SHORT);
    assert_int_equal(type->fields[0].type, FIELD_TEXT);
    assert_string_equal(type->fields[1].choices[1], "low");
    assert_string_equal(type->fields[1].fallback, "low");
    assert_int_equal(type->fields[2].max, 9);
    assert_null(type->fields[3].name);
    assert_string_equal(type->outputs[0].name, "answer");
    AUTO(free_json) json_t *effects = NULL;
    assert_int_equal(type->describe(NULL, &effects, NULL), 0);
    assert_int_equal(json_array_size(effects), 1);
    arena_free(&arena);
}

static void keep_mistake(void *context, const struct error *mistake)
{
    *(struct error *)context = *mistake;
}

/* What a pipeline is told that uses the type; whatever it writes behind it. */
static void expect_refused(const struct step_type *type)
{
    struct diagnostics list = {0};
    AUTO(free_json) json_t *with = json_pack("{s:i}", type->fields[0].name, 3);
    assert_int_equal(type->check(with, NOWHERE, &list), -ERROR_INVALID);
    assert_int_equal(list.error_count, 1);
    assert_non_null(strstr(list.items[0].message, "cannot be used: "));
    assert_non_null(strstr(list.items[0].message, "crescendo-step-a.json"));
    assert_int_equal(type->fields[0].flags, FIELD_SHORT);
    assert_null(type->fields[1].name);
    diagnostics_release(&list);
}

static void effects_by_name(void **state)
{
    struct arena *arena = arena_new();
    step_types *types = NULL;
    put_file(*state, "crescendo-step-a", program, 0755);
    put_file(*state, "crescendo-step-a.json",
        "{\"effects\": [{\"name\": \"e\", \"target\": \"t\", \"summary\": \"does\", \"compensation\": \"undoes\", \"other\": 1},"
        "{\"name\": \"p\", \"target\": \"t\", \"summary\": \"ends\", \"pivot\": true}]}",
        0644);
    assert_int_equal(load(*state, arena, &types, NULL), 0);
    const struct step_type *type = step_type_find(types, "a");
    assert_null(type->describe);
    AUTO(free_text) char *effects = json_canonical(type->effects);
    assert_string_equal(effects, "[{\"compensation\":\"undoes\",\"name\":\"e\",\"summary\":\"does\",\"target\":\"t\"},"
                                 "{\"name\":\"p\",\"pivot\":true,\"summary\":\"ends\",\"target\":\"t\"}]");
    arena_free(&arena);
}

/* A wrong table is told, and its type refuses what uses it; all else is as it was. */
static void wrong_tables(void **state)
{
    static const char *const tables[] = {"", "[]", "{\"fields\": {}}", "{\"fields\": [{}]}", "{\"fields\": [3]}",
        "{\"fields\": [{\"name\": \"A b\"}]}", "{\"fields\": [{\"name\": \"a\", \"type\": \"colour\"}]}",
        "{\"fields\": [{\"name\": \"a\", \"type\": \"object\"}]}", "{\"fields\": [{\"name\": \"a\", \"type\": \"choice\"}]}",
        "{\"fields\": [{\"name\": \"a\", \"type\": \"choice\", \"choices\": "
        "[1]}]}",
        "{\"fields\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}",
        "{\"fields\": [{\"name\": \"a\", \"short\": true}, {\"name\": \"b\", "
        "\"short\": true}]}",
        "{\"summary\": \"a\", \"summary\": \"b\"}", "{\"outputs\": [{\"name\": \"\"}]}", "{\"effects\": 1}", "{\"effects\": []}",
        "{\"effects\": [3]}", "{\"effects\": [{\"name\": \"a\", \"target\": \"t\"}]}"};
    put_file(*state, "crescendo-step-a", program, 0755);
    put_file(*state, "crescendo-step-b", program, 0755);
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        struct arena *arena = arena_new();
        struct error err = {0};
        step_types *types = NULL;
        put_file(*state, "crescendo-step-a.json", tables[i], 0644);
        int code = external_types_load_telling(*state, arena, step_types_builtin, keep_mistake, &err, &types, NULL);
        if (code != 0 || err.code != ERROR_INVALID || !strstr(err.message, "crescendo-step-a.json"))
            fail_msg("%s: %s", tables[i], err.message);
        expect_refused(step_type_find(types, "a"));
        assert_null(step_type_find(types, "b")->check);
        assert_int_equal(load(*state, arena, &types, NULL), 0); /* who does not ask is not told */
        assert_non_null(step_type_find(types, "a")->check);
        arena_free(&arena);
    }
}

static void nothing_to_find(void **state)
{
    struct arena *arena = arena_new();
    step_types *types = NULL;
    (void)state;
    assert_int_equal(load(NULL, arena, &types, NULL), 0);
    assert_ptr_equal(types[0], step_types_builtin[0]);
    assert_null(external_type_program("greet", NULL));
    arena_free(&arena);
}

/* Starts program with input on standard input and descriptor 3 at the other end of *ret_engine. */
static pid_t start(const char *path, const char *input, int *ret_engine)
{
    int talk[2], feed[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk), 0);
    assert_int_equal(pipe(feed), 0);
    pid_t child = fork();
    if (child == 0) {
        close(feed[1]);
        if (dup2(talk[1], 100) < 0 || dup2(feed[0], 0) < 0 || dup2(100, 3) < 0) _exit(99);
        for (int fd = 4; fd < 128; fd++)
            close(fd);
        setenv("CRESCENDO_STEP_FD", "3", 1);
        execl(path, path, (char *)NULL);
        _exit(99);
    }
    close(feed[0]);
    close(talk[1]);
    assert_int_equal(file_write_all(feed[1], input, strlen(input)), 0);
    close(feed[1]);
    *ret_engine = talk[0];
    return child;
}

/* Runs tests/steps/NAME to its end with answers ready; returns its exit code. Caller frees *ret_said. */
static int run_external(const char *name, const char *input, const char *answers, char **ret_said)
{
    AUTO(free_text) char *path = mem_format("tests/steps/crescendo-step-%s", name);
    struct text said = {0};
    char chunk[4096];
    ssize_t got;
    int engine = -1, status = -1;
    pid_t child = start(path, input, &engine);
    assert_int_equal(file_write_all(engine, answers, strlen(answers)), 0);
    while ((got = read(engine, chunk, sizeof chunk)) > 0)
        text_add_bytes(&said, chunk, (size_t)got);
    close(engine);
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_said = text_take(&said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void in_shell(void **state)
{
    AUTO(free_text) char *said = NULL;
    (void)state;
    assert_int_equal(run_external("greet", "{\"protocol\":1,\"with\":{\"to\":\"world\"},\"facts\":{}}\n", "", &said), 0);
    assert_string_equal(said, "{\"type\":\"hello\",\"protocol\":1}\n{\"type\":\"progress\",\"message\":\"greeting "
                              "world\",\"fraction\":0.5}\n"
                              "{\"type\":\"output\",\"name\":\"greeting\",\"value\":\"Hello, world!\"}\n");
}

static void in_python(void **state)
{
    AUTO(free_text) char *said = NULL, *again = NULL;
    (void)state;
    if (!shell("/", "python3 -c pass 2>/dev/null")) skip();
    const char *kept = "{\"type\":\"kept\"}\n{\"type\":\"kept\"}\n{\"type\":\"kept\"}\n";
    assert_int_equal(run_external("count", "{\"protocol\":1,\"with\":{\"to\":3},\"facts\":{},\"checkpoint\":null}", kept, &said), 0);
    assert_non_null(strstr(said, "{\"type\": \"checkpoint\", \"checkpoint\": 3}\n{\"type\": \"output\", \"name\": \"count\", \"value\": "
                                 "3}\n"));
    assert_int_equal(run_external("count", "{\"protocol\":1,\"with\":{\"to\":3},\"facts\":{},\"checkpoint\":2}", kept, &again), 0);
    assert_null(strstr(again, "\"checkpoint\": 2}")); /* goes on behind its checkpoint */
}

static int probe(const char *folder, const char *action, const char *more, const char *answers, char **ret_said)
{
    AUTO(free_text)
    char *input = mem_format("{\"protocol\":1,\"with\":{\"action\":\"%s\",\"world\":\"%s/world\"},\"facts\":{}%s}", action, folder, more);
    return run_external("probe", input, answers, ret_said);
}

#define GO "{\"type\":\"go\",\"name\":\"deploy\",\"key\":\"k1\"}\n"
#define FIND "{\"type\":\"find\",\"name\":\"deploy\",\"key\":\"k1\"}\n"
#define KEPT "{\"type\":\"kept\",\"name\":\"deploy\"}\n"

/* One after another, as after crashes: whatever was sent before is found, and the world counts one deployment. */
static void probe_effects(void **state)
{
    AUTO(free_text) char *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    if (!shell("/", "python3 -c pass 2>/dev/null")) skip();
    assert_int_equal(probe(*state, "crash-after-intend", "", GO, &a), -9);
    assert_false(has_file(*state, "world"));
    assert_int_equal(probe(*state, "crash-after-send", "", FIND KEPT GO, &b), -9);
    assert_non_null(strstr(b, "\"seen\": \"absent\""));
    AUTO(free_text) char *world = get_file(*state, "world");
    assert_string_equal(world, "k1\n");
    assert_int_equal(probe(*state, "effect", "", FIND KEPT, &c), 0);
    assert_non_null(strstr(c, "\"seen\": \"done\""));
    assert_int_equal(probe(*state, "effect", "", "{\"type\":\"known\",\"name\":\"deploy\",\"outcome\":{\"key\":\"k1\"}}\n", &d), 0);
    AUTO(free_text) char *after = get_file(*state, "world");
    assert_string_equal(after, "k1\n");
}

static void probe_parks(void **state)
{
    AUTO(free_text) char *first = NULL, *second = NULL;
    if (!shell("/", "python3 -c pass 2>/dev/null")) skip();
    assert_int_equal(probe(*state, "park", "", "", &first), 75);
    assert_non_null(strstr(first, "\"type\": \"park\""));
    assert_int_equal(probe(*state, "park", ",\"checkpoint\":{\"parked\":1}", "", &second), 0);
    assert_null(strstr(second, "\"type\": \"park\""));
    assert_non_null(strstr(second, "\"name\": \"parked\", \"value\": 1"));
}

static void probe_unsure(void **state)
{
    AUTO(free_text) char *said = NULL;
    if (!shell("/", "python3 -c pass 2>/dev/null")) skip();
    assert_int_equal(probe(*state, "unsure", "", FIND KEPT, &said), 1);
    assert_non_null(strstr(said, "\"seen\": \"unsure\""));
    assert_false(has_file(*state, "world"));
}

/* The tables that lie beside the test steps are right themselves. */
static void tables_of_test_steps(void **state)
{
    struct arena *arena = arena_new();
    step_types *types = NULL;
    char here[4096];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    AUTO(free_text) char *path = mem_format("%s/tests/steps", here);
    assert_int_equal(load(path, arena, &types, NULL), 0);
    assert_non_null(step_type_find(types, "probe")->describe);
    assert_string_equal(step_type_find(types, "greet")->fields[0].name, "to");
    assert_null(step_type_find(types, "greet")->describe);
    arena_free(&arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(joined_table), TEST(table_beside_program), TEST(effects_by_name), TEST(wrong_tables),
        cmocka_unit_test(nothing_to_find), cmocka_unit_test(in_shell), cmocka_unit_test(in_python), TEST(probe_effects), TEST(probe_parks),
        TEST(probe_unsure), cmocka_unit_test(tables_of_test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
