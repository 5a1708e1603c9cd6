/* test_descriptors.c: what becomes of service.yaml and domains/NAME.yaml: typed values, defaults, what a wrong one leaves. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/descriptor.h"
#include "spec/domain.h"
#include "spec/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int loader(const struct source *source, struct diagnostics *list, json_t **ret);

/* The typed JSON as canonical text; or "CODE: first mistake". */
static char *loaded(loader *load, const char *name, const char *text)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(free_json) json_t *value = NULL;
    const struct source source = {name, text, strlen(text)};
    int failed = load(&source, &list, &value);
    assert_int_equal(failed != 0, list.error_count != 0);
    assert_int_equal(failed != 0, value == NULL);
    return failed ? mem_format("%s: %s", list.items[0].code, list.items[0].message) : json_canonical(value);
}

static void expect(loader *load, const char *name, const char *text, const char *expected)
{
    AUTO(free_text) char *got = loaded(load, name, text);
    assert_string_equal(got, expected);
}

#define HEAD "service: s\nversion: 1.10\ncomponents:\n"

static void units_become_numbers(void **state)
{
    (void)state;
    expect(service_load, "service.yaml",
        HEAD "  - compute: { name: a, cpu: 500m, memory: 256MiB, ports: { http: 8080 }, command: [bin/a, \"1\"], env: { N: 1.10 },\n"
             "               scheduling: { policy: deadline, runtime: 2ms } }\n"
             "  - network: { name: n, slice-type: URLLC, latency: 0.5ms, downlink: 100Mbps, reliability: 99.5%,\n"
             "               traffic-profile: { packet-size: 1200B, rate: 60/s } }\n"
             "  - user: { name: u }\n"
             "sla:\n  - { kpi: latency, quantile: 95%, below: 40ms }\n  - { kpi: errors, below: 0.5% }\n"
             "  - { kpi: throughput, above: 80Mbps }\n  - { kpi: own, above: 2 }\n",
        "{\"components\":[{\"compute\":{\"command\":[\"bin/a\",\"1\"],\"cpu\":500,\"env\":{\"N\":\"1.10\"},\"memory\":268435456,"
        "\"name\":\"a\",\"ports\":{\"http\":8080},\"scheduling\":{\"policy\":\"deadline\",\"runtime\":2.0}}},"
        "{\"network\":{\"downlink\":100000000,\"latency\":0.5,\"name\":\"n\",\"reliability\":99.5,\"slice-type\":\"URLLC\","
        "\"traffic-profile\":{\"packet-size\":1200,\"rate\":60.0}}},{\"user\":{\"count\":1,\"name\":\"u\"}}],"
        "\"kind\":\"microservice\",\"service\":\"s\",\"sla\":[{\"below\":40.0,\"kpi\":\"latency\",\"quantile\":95.0},"
        "{\"below\":0.5,\"kpi\":\"errors\"},{\"above\":80000000,\"kpi\":\"throughput\"},{\"above\":2.0,\"kpi\":\"own\"}],"
        "\"version\":\"1.10\"}");
}

static void only_microservices_need_a_command(void **state)
{
    (void)state;
    expect(service_load, "service.yaml", HEAD "  - compute: { name: a }\n",
        "missing-key: the compute of a microservice needs the key \"command\"");
    expect(service_load, "service.yaml", "kind: vnf\n" HEAD "  - compute: { name: a }\n",
        "{\"components\":[{\"compute\":{\"name\":\"a\"}}],\"kind\":\"vnf\",\"service\":\"s\",\"version\":\"1.10\"}");
}

static void what_is_no_service_is_said(void **state)
{
    (void)state;
    static const char *const examples[][2] = {{"", "empty-file"}, {"[a]\n", "wrong-type"}, {"service: s\n", "missing-key"},
        {HEAD "  []\n", "missing-value"}, {HEAD "  {}\n", "wrong-type"}, {HEAD "  - {}\n", "missing-value"}, {HEAD "  - a\n", "wrong-type"},
        {HEAD "  -\n", "missing-value"}, {HEAD "  - user: { name: u }\n  - user: { name: u }\n", "duplicate-id"},
        {HEAD "  - user: { name: u, count: 99999999 }\n", "out-of-bounds"}, {HEAD "  - user: { name: u }\nsla: []\n", "missing-value"},
        {HEAD "  - &a [*a]\n", "self-reference"}};
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        AUTO(free_text) char *got = loaded(service_load, "service.yaml", examples[i][0]);
        AUTO(free_text) char *wanted = mem_format("%s: ", examples[i][1]);
        if (!text_starts(got, wanted)) fail_msg("%s\ngave %s, not %s", examples[i][0], got, wanted);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    AUTO(text_release) struct text many = {0}, deep = {0};
    text_add(&many, HEAD);
    for (size_t i = 0; i <= SERVICE_COMPONENTS_MAX; i++)
        text_add_format(&many, "  - user: { name: u%zu }\n", i);
    expect(service_load, "service.yaml", text_view(&many), "too-many: 65 components; at most 64 are allowed");
    text_add(&deep, HEAD "  - ");
    text_add_repeated(&deep, '[', 1000);
    AUTO(free_text) char *got = loaded(service_load, "service.yaml", text_view(&deep));
    assert_true(text_starts(got, "too-deep: "));
}

static json_t *domain(const char *name, const char *text)
{
    AUTO(diagnostics_release) struct diagnostics list = {0};
    const struct source source = {name, text, strlen(text)};
    json_t *value = NULL;
    if (domain_load(&source, &list, &value)) fail_msg("%s", list.items[0].message);
    return value;
}

static void a_domain_has_defaults_and_a_digest(void **state)
{
    (void)state;
    AUTO(free_json) json_t *short_one = domain("domains/a.yaml", "domain: a\n"), *other = domain("a.yaml", "domain: a\ndialect: maestro\n");
    assert_string_equal(json_text(short_one, "url", ""), "embedded");
    assert_int_equal(json_array_size(json_object_get(short_one, "capabilities")), 6);
    assert_int_equal(json_array_size(json_object_get(other, "capabilities")), 2);
    assert_int_equal(json_whole(json_object_get(short_one, "policy"), "lease", 0), 60000);
    assert_int_equal(json_whole(json_object_get(other, "policy"), "keep-old", 0), 1800000);
    assert_int_equal(strlen(json_text(short_one, "digest", "")), 64);
    assert_string_not_equal(json_text(short_one, "digest", ""), json_text(other, "digest", ""));
    assert_null(json_object_get(short_one, "site"));
}

static void a_site_is_typed(void **state)
{
    (void)state;
    AUTO(free_json)
    json_t *value =
        domain("a.yaml", "domain: a\npolicy: { lease: 5s }\nsite:\n  flavours: { small: { cpu: 1, memory: 1GiB } }\n  capacity: { "
                         "downlink: 1Gbps, latency: 5ms }\n");
    AUTO(free_text) char *site = json_canonical(json_object_get(value, "site"));
    assert_string_equal(site, "{\"address\":\"127.0.0.1\",\"capacity\":{\"downlink\":1000000000,\"latency\":5.0},\"driver\":\"process\","
                              "\"flavours\":{\"small\":{\"cpu\":1000,\"memory\":1073741824}},\"ports\":\"18080-18099\"}");
    assert_int_equal(json_whole(json_object_get(value, "policy"), "lease", 0), 5000);
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const right[] = {
        "embedded", "http://localhost:8080", "http://127.0.0.1", "https://a.example.org/x/y", "unix:/run/x", "http://[::1]:80"};
    static const char *const wrong[] = {"embeded", "http://", "http://a:0", "http://a:65536", "http://a b", "http://a:80:80", "unix:x",
        "unix:/", "http://a/?q", "http://[::1", "http://[]", "http://u@h", "file:///etc"};
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        AUTO(free_text) char *text = mem_format("domain: a\nurl: \"%s\"\n", right[i]);
        AUTO(free_json) json_t *value = domain("a.yaml", text);
        assert_string_equal(json_text(value, "url", ""), right[i]);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        AUTO(free_text) char *text = mem_format("domain: a\nurl: \"%s\"\n", wrong[i]), *got = loaded(domain_load, "a.yaml", text);
        if (!text_starts(got, "wrong-value: ")) fail_msg("%s gave %s", wrong[i], got);
    }
}

static void kinds_of_files_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum descriptor_kind kind;
    } files[] = {{"service: s\n", DESCRIPTOR_SERVICE}, {"domain: d\n", DESCRIPTOR_DOMAIN},
        {"service: s\nstages: []\n", DESCRIPTOR_PIPELINE}, {"service: s\npipeline: p\n", DESCRIPTOR_PIPELINE}, {"[", DESCRIPTOR_PIPELINE},
        {"", DESCRIPTOR_PIPELINE}};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        assert_int_equal(descriptor_kind(&(struct source){"x.yaml", files[i].text, strlen(files[i].text)}), files[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(units_become_numbers), cmocka_unit_test(only_microservices_need_a_command),
        cmocka_unit_test(what_is_no_service_is_said), cmocka_unit_test(limits_hold), cmocka_unit_test(a_domain_has_defaults_and_a_digest),
        cmocka_unit_test(a_site_is_typed), cmocka_unit_test(addresses_are_checked), cmocka_unit_test(kinds_of_files_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
