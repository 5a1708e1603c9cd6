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

static void ordering_checks(void **state)
{
    (void)state;
    assert_string_equal(check(&order_step_type, "{\"domain\": \"lab\", \"offering\": \"a\"}"), "");
    assert_string_equal(check(&order_step_type, "{\"domain\": \"lab\", \"offering\": {\"$expression\": \"params.x\"}}"), "");
    assert_string_equal(check(&order_step_type, "{\"offering\": \"a\", \"share\": {\"$expression\": \"params.x\"}}"), "");
    assert_string_equal(check(&order_step_type, "{\"offering\": \"a\", \"share\": 100.0}"), "");
    assert_string_equal(check(&order_step_type, "{\"offering\": \"a\", \"share\": 5.0}"), "wrong-value");
    assert_string_equal(check(&order_step_type, "{\"domain\": \"lab\"}"), "missing-key");
    assert_string_equal(check(&order_step_type, "{\"action\": \"delete\", \"service\": \"1.1\", \"replicas\": 2}"), "misplaced-key");
    assert_string_equal(check(&order_step_type, "{\"action\": \"modify\", \"service\": \"1.1\"}"), "missing-key");
    assert_string_equal(check(&order_step_type, "{\"offering\": \"a\", \"via\": \"product\"}"), "not-in-this-version");
    assert_string_equal(check(&publish_step_type, "{\"packages\": {\"$expression\": \"steps.package.file\"}}"), "");
    assert_string_equal(check(&publish_step_type, "{\"packages\": []}"), "empty-list");
    assert_string_equal(check(&retire_step_type, "{\"service\": null}"), "");
    assert_string_equal(check(&retire_step_type, "{\"service\": [1]}"), "wrong-type");
    assert_string_equal(check(&notify_step_type, "{\"webhook\": {\"$expression\": \"params.x\"}}"), "");
    assert_string_equal(check(&notify_step_type, "{\"webhook\": \"ftp://a\"}"), "wrong-url");
    assert_string_equal(check(&notify_step_type, "{\"webhook\": \"https://a\", \"message\": \"a\", \"body\": 1}"), "misplaced-key");
}

/* The effects of a step of this type, planned on this domain for this service. New. */
static json_t *describe(const struct step_type *type, const char *with, const char *domain, const char *service, struct error *err)
{
    AUTO(free_json) json_t *values = parse(with), *place = domain ? parse(domain) : NULL, *descriptor = service ? parse(service) : NULL;
    const struct planned planned = {.path = "a/b", .with = values, .domain = place, .service = descriptor};
    json_t *effects = NULL;
    return type->describe(&planned, &effects, err) < 0 ? NULL : effects;
}

static const json_t *item_of(const json_t *effects, size_t item)
{
    return json_array_get(json_object_get(json_object_get(json_array_get(effects, 0), "body"), "serviceOrderItem"), item);
}

static const char hello[] = "{\"service\": \"hello\", \"version\": \"1.0.0\", \"components\": [{\"compute\": {\"name\": \"web\"}},"
                            "{\"network\": {\"name\": \"slice\"}}]}";

static void orders_are_shown_in_full(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *effects = describe(&order_step_type,
        "{\"domain\": \"lab\", \"offering\": {\"$unknown\": \"stages.a.b.offering\"}, \"replicas\": {\"$unknown\": \"stages.a.b.n\"}}",
        NULL, hello, NULL);
    const json_t *effect = json_array_get(effects, 0), *compute = item_of(effects, 0);
    assert_string_equal(json_text(effect, "name", ""), "order");
    assert_string_equal(json_text(effect, "target", ""), "lab");
    assert_string_equal(json_text(effect, "summary", ""), "orders hello 1.0.0 on lab");
    assert_non_null(json_text(effect, "compensation", NULL));
    const json_t *specification = json_object_get(json_object_get(compute, "service"), "serviceSpecification");
    assert_string_equal(json_text(specification, "version", ""), "1.0.0");
    assert_non_null(json_object_get(json_object_get(specification, "id"), "$unknown"));
    const json_t *asked = json_object_get(json_object_get(compute, "service"), "serviceCharacteristic");
    assert_string_equal(json_text(json_array_get(asked, 0), "value", ""), "web");
    assert_non_null(json_object_get(json_object_get(json_array_get(asked, 1), "value"), "$unknown"));
    assert_int_equal(json_array_size(json_object_get(compute, "serviceOrderItemRelationship")), 1);
    assert_null(json_object_get(item_of(effects, 1), "serviceOrderItemRelationship"));
}

static void shares_are_shown_with_their_lease(void **state)
{
    (void)state;
    static const char lab[] = "{\"domain\": \"lab\", \"policy\": {\"lease\": 20000, \"largest-share\": 50.0}}";
    struct error err = {0};
    AUTO(free_json)
    json_t *effects = describe(&shift_step_type, "{\"domain\": \"lab\", \"service\": \"1.1\", \"share\": 5.0}", lab, NULL, &err);
    const json_t *asked = json_object_get(json_object_get(item_of(effects, 0), "service"), "serviceCharacteristic");
    assert_int_equal(json_whole(json_array_get(asked, 1), "value", 0), 20000);
    assert_null(describe(&shift_step_type, "{\"domain\": \"lab\", \"service\": \"1.1\", \"share\": 50.5}", lab, NULL, &err));
    assert_int_equal(err.code, ERROR_DENIED);
    assert_string_equal(err.message, "the policy of domain lab allows a share of at most 50 %, not 50.5 %");
    static const char none[] = "{\"domain\": \"lab\", \"policy\": {\"largest-share\": 0.0}}";
    assert_null(describe(&shift_step_type, "{\"domain\": \"lab\", \"service\": \"1.1\", \"share\": 0.5}", none, NULL, &err));
}

static const char canary_domain[] =
    "{\"domain\":\"lab\",\"owner\":\"us\",\"policy\":{\"share\":[5.0,25.0],\"every\":500,\"budget\":{\"false-rollback\":1.0,\"shortest\":"
    "90000,"
    "\"longest\":3600000,\"warm-up\":0},\"baseline\":\"in-service\",\"kpis\":[{\"kpi\":\"latency\",\"tolerate\":5.0,\"clear\":20.0,"
    "\"critical\":true,"
    "\"weight\":1.0,\"on-no-data\":{\"hold\":300000,\"then\":\"rollback\"}}],\"concurrency\":\"queue\",\"on\":{\"harm\":\"rollback\","
    "\"doubt\":\"rollback\"},\"lease\":20000,\"keep-old\":0,\"largest-share\":50.0}}";

static const json_t *asked_of(const json_t *effects, size_t index, size_t what)
{
    const json_t *item = json_array_get(json_object_get(json_object_get(json_array_get(effects, index), "body"), "serviceOrderItem"), 0);
    return json_array_get(json_object_get(json_object_get(item, "service"), "serviceCharacteristic"), what);
}

static void a_canary_is_shown_share_by_share(void **state)
{
    (void)state;
    struct error err = {0};
    AUTO(free_json)
    json_t *effects = describe(
        &kpi_step_type, "{\"domain\":\"lab\",\"service\":{\"$unknown\":\"a\"},\"policy\":{\"lease\":10000}}", canary_domain, hello, &err);
    static const char *const names[] = {"share 1", "share 2", "back"};
    static const int shares[] = {5, 25, 0};
    assert_int_equal(json_array_size(effects), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *effect = json_array_get(effects, i);
        assert_string_equal(json_text(effect, "name", ""), names[i]);
        assert_string_equal(json_text(effect, "target", ""), "lab");
        assert_int_equal((int)json_number_value(json_object_get(asked_of(effects, i, 0), "value")), shares[i]);
        assert_int_equal(json_text(effect, "compensation", NULL) != NULL, i < 2);
        assert_int_equal(json_array_size(json_object_get(effect, "notes")), i ? 0 : 6);
    }
    assert_int_equal(json_whole(asked_of(effects, 1, 1), "value", 0), 10000);
    assert_null(asked_of(effects, 2, 1)); /* none of it is lent */
}

static void a_canarys_policy_is_told_in_words(void **state)
{
    (void)state;
    AUTO(free_json) json_t *effects = describe(&kpi_step_type, "{\"domain\":\"lab\",\"service\":\"1.1\"}", canary_domain, NULL, NULL);
    const json_t *notes = json_object_get(json_array_get(effects, 0), "notes");
    static const char *const wanted[] = {
        "ramp: 5 %, 25 %, then the promotion; each share is judged every 500ms for at least 90s; at most 1h in all",
        "latency: harm is being more than 5 % slower; before the promotion more than 20 % is ruled out",
        "latency: between 5 % and 20 % slower either may come first", "latency: without data the share is held for 5m, then rolled back",
        "a canary as good as the baseline is rolled back in at most 1 % of all cases; without a verdict after 1h: rolled back"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        assert_string_equal(json_string_value(json_array_get(notes, i)), wanted[i]);
    assert_true(text_starts(json_string_value(json_array_get(notes, 5)), "policy "));
}

static void what_a_canary_may_not_do(void **state)
{
    (void)state;
    static const struct {
        const char *with, *domain, *service, *message;
        int code;
    } cases[] = {{"{\"domain\":\"lab\",\"service\":\"1.1\"}", canary_domain, "{\"service\":\"a\",\"kind\":\"xapp\"}",
                     "a is of kind xapp: its canary has a set of cells or policy ids, not a share of requests", ERROR_DENIED},
        {"{\"domain\":\"lab\",\"service\":\"1.1\",\"policy\":{\"lease\":30000}}", canary_domain, hello,
            "policy.lease: the pipeline says 30.0 s where the domain says 20.0 s: stricter is shorter", ERROR_DENIED},
        {"{\"domain\":\"lab\",\"service\":\"1.1\"}", "{\"domain\":\"lab\",\"policy\":{\"lease\":20000}}", hello,
            "the domain's policy has no \"budget\"", ERROR_INVALID}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        assert_null(describe(&kpi_step_type, cases[i].with, cases[i].domain, cases[i].service, &err));
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.message, cases[i].message);
    }
    assert_string_equal(check(&kpi_step_type, "{\"policy\":{\"share\":[25.0,5.0]}}"), "wrong-value");
    assert_string_equal(check(&kpi_step_type, "{\"policy\":{\"share\":[5.0]}}"), "");
    assert_string_equal(check(&kpi_step_type, "{}"), "");
}

static void pivots_and_nothing(void **state)
{
    (void)state;
    AUTO(free_json) json_t *promotion = describe(&promote_step_type, "{\"domain\": \"lab\", \"service\": \"1.1\"}", NULL, NULL, NULL);
    assert_true(json_flag(json_array_get(promotion, 0), "pivot", false));
    assert_null(json_object_get(json_array_get(promotion, 0), "compensation"));
    AUTO(free_json) json_t *none = describe(&retire_step_type, "{\"domain\": \"lab\", \"service\": null}", NULL, NULL, NULL);
    assert_int_equal(json_array_size(none), 0);
    AUTO(free_json) json_t *parts = describe(&publish_step_type, "{\"packages\": [\"a\"]}", NULL, hello, NULL);
    assert_int_equal(json_array_size(parts), 5);
    AUTO(free_json) json_t *told = describe(&notify_step_type, "{\"webhook\": \"https://chat.example.org/secret?x\"}", NULL, NULL, NULL);
    assert_string_equal(json_text(json_array_get(told, 0), "summary", ""), "tells https://chat.example.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tables_are_complete), cmocka_unit_test(run_needs_a_script),
        cmocka_unit_test(package_checks), cmocka_unit_test(ordering_checks), cmocka_unit_test(orders_are_shown_in_full),
        cmocka_unit_test(shares_are_shown_with_their_lease), cmocka_unit_test(a_canary_is_shown_share_by_share),
        cmocka_unit_test(a_canarys_policy_is_told_in_words), cmocka_unit_test(what_a_canary_may_not_do),
        cmocka_unit_test(pivots_and_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
