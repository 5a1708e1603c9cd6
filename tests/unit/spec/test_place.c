/* test_place.c: the key at the beginning of a message leads to where its value was written. */
#include "base/arena.h"
#include "base/mem.h"
#include "spec/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char file[] = "domain: lab\n"
                           "policy:\n"
                           "  share: [5%]\n"
                           "  kpis:\n"
                           "    - errors\n"
                           "    - { tolerate: 10%,\n"
                           "        kpi: latency,\n"
                           "        clear: 30% }\n";

/* The line that the message leads to; 0: none. */
static unsigned line_of(const char *message)
{
    struct arena *arena = arena_new();
    AUTO(diagnostics_release) struct diagnostics list = {0};
    const struct source source = {"a.yaml", file, strlen(file)};
    struct yaml_document document;
    assert_int_equal(yaml_read(&source, arena, &list, &document), 0);
    const struct yaml_node *node = place_of(document.root, message);
    unsigned line = node ? node->at.line : 0;
    arena_free(&arena);
    return line;
}

static void keys_lead_into_the_file(void **state)
{
    (void)state;
    assert_int_equal(line_of("domain: it is wrong"), 1);
    assert_int_equal(line_of("policy.share, number 2: it is wrong"), 3);
    assert_int_equal(line_of("policy.kpis.errors: it is wrong"), 5);
    assert_int_equal(line_of("policy.kpis.latency.clear: it is wrong"), 8);
    assert_int_equal(line_of("policy.kpis.latency.tolerate"), 6);
}

static void as_far_as_they_can_be_followed(void **state)
{
    (void)state;
    assert_int_equal(line_of("policy.kpis.errors.clear-odds: it is wrong"), 5);
    assert_int_equal(line_of("policy.kpis.throughput: it is wrong"), 5);
    assert_int_equal(line_of("policy.lease: it is wrong"), 3);
    assert_int_equal(line_of("the policy is wrong"), 0);
    assert_int_equal(line_of("domain lab is wrong"), 0);
    assert_int_equal(line_of(""), 0);
    assert_int_equal(line_of("."), 0);
    assert_null(place_of(NULL, "policy: it is wrong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_lead_into_the_file), cmocka_unit_test(as_far_as_they_can_be_followed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
