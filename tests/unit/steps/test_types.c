/* test_types.c: the built-in tables: complete, and what their checks refuse. */
#include "support.h"

#include "../../../steps/registry.h"
#include "crescendo/limits.h"

static void tables_are_complete(void **state)
{
    (void)state;
    for (step_types *type = step_types_builtin; *type; type++) {
        assert_true(text_is_name((*type)->name));
        assert_non_null((*type)->summary);
        assert_ptr_equal(step_type_find(step_types_builtin, (*type)->name), *type);
        for (const struct field *field = (*type)->fields; field->name; field++)
            assert_non_null(field->help);
        for (const struct field *field = (*type)->outputs; field && field->name; field++)
            assert_non_null(field->help);
    }
    assert_null(step_type_find(step_types_builtin, "nothing"));
}

/* The first complaint's code, or "" when check has none. */
static const char *check(const struct step_type *type, const char *with)
{
    struct diagnostics list = {0};
    AUTO(free_json) json_t *json = parse(with);
    int failed = type->check(json, (struct location){.file = "crescendo.yaml", .line = 3, .column = 5}, &list);
    const char *code = list.count ? list.items[0].code : "";
    if (list.count) assert_int_equal(list.items[0].at.line, 3);
    assert_int_equal(failed != 0, list.error_count > 0);
    diagnostics_release(&list);
    return code;
}

static void run_needs_a_script(void **state)
{
    (void)state;
    assert_string_equal(check(&run_step_type, "{\"script\": \"make\"}"), "");
    assert_string_equal(check(&run_step_type, "{\"script\": \" \\n\\t\"}"), "empty-script");
}

static void package_checks(void **state)
{
    (void)state;
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"bin/a\": \"build/a\", \"all\": \".\"}}"), "");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"bin/a\": {\"$expression\": \"params.x\"}}}"), "");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"$expression\": \"params.x\", \"$type\": \"text-map\"}}"), "");
    assert_string_equal(check(&package_step_type, "{\"contents\": {}}"), "empty-package");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"../a\": \"a\"}}"), "wrong-path");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"manifest.json\": \"a\"}}"), "wrong-path");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"a\": \"/etc/passwd\"}}"), "wrong-path");
    assert_string_equal(check(&package_step_type, "{\"contents\": {\"a\": \"b/../../c\"}}"), "wrong-path");
    assert_string_equal(check(&package_step_type, "{\"format\": \"csar\", \"contents\": {\"a\": \"a\"}}"), "not-in-this-version");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_complete), cmocka_unit_test(run_needs_a_script), cmocka_unit_test(package_checks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
