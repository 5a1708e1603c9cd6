/* test_domain_file.c: the file of a new domain is one that the loader takes. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/domain_file.h"
#include "cli/domain_neighbours.h"
#include "spec/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static json_t *loaded(const struct domain_wish *wish)
{
    AUTO(free_text) char *text = NULL;
    AUTO(free_text) char *name = mem_format("domains/%s.yaml", wish->name);
    AUTO(diagnostics_release) struct diagnostics list = {0};
    struct error err;
    json_t *domain = NULL;
    assert_int_equal(domain_file_text(wish, &text, &err), 0);
    const struct source source = {name, text, strlen(text)};
    assert_int_equal(domain_load(&source, &list, &domain), 0);
    return domain;
}

static void test_right(void **state)
{
    (void)state;
    AUTO(free_json) json_t *usual = loaded(&(struct domain_wish){.name = "here"});
    AUTO(free_json)
    json_t *given = loaded(&(struct domain_wish){.name = "greek-indoor", .address = "::1", .ports = "20000-20001", .dialect = "standard"});
    AUTO(free_json) json_t *other = loaded(&(struct domain_wish){.name = "there", .url = "http://10.0.0.1:8080"});
    assert_string_equal(json_text(json_object_get(usual, "site"), "address", ""), "127.0.0.1");
    assert_string_equal(json_text(json_object_get(given, "site"), "address", ""), "::1");
    assert_string_equal(json_text(other, "url", ""), "http://10.0.0.1:8080");
    assert_null(json_object_get(other, "site"));
}

/* The policy stands there as a comment; without the marks it is what holds without it. */
static void test_the_policy_in_it_is_the_default(void **state)
{
    (void)state;
    AUTO(free_text) char *text = NULL;
    AUTO(text_release) struct text said = {0};
    AUTO(diagnostics_release) struct diagnostics list = {0};
    AUTO(free_json) json_t *usual = loaded(&(struct domain_wish){.name = "here"}), *domain = NULL;
    struct error err;
    assert_int_equal(domain_file_text(&(struct domain_wish){.name = "here"}, &text, &err), 0);
    const char *policy = strstr(text, "# policy:");
    assert_non_null(policy);
    text_add(&said, "domain: here\n");
    for (const char *line = policy; *line; line = strchr(line, '\n') + 1)
        text_add_format(&said, "%.*s\n", (int)(strcspn(line, "\n") - strlen("# ")), line + strlen("# "));
    const struct source source = {"here.yaml", text_view(&said), said.size};
    assert_int_equal(domain_load(&source, &list, &domain), 0);
    json_put_text(json_object_get(usual, "policy"), "promotion", "judged"); /* who writes it there means it */
    assert_true(json_equal(json_object_get(domain, "policy"), json_object_get(usual, "policy")));
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct domain_wish wrong[] = {{.name = "Here"}, {.name = "../here"}, {.name = "here", .ports = "80-90"},
        {.name = "here", .ports = "18080"}, {.name = "here", .ports = "18090-18080"}, {.name = "here", .ports = "18080-99999"},
        {.name = "here", .address = "a: b"}, {.name = "here", .address = "1\n2"}, {.name = "here", .url = "http://x #"},
        {.name = "here", .url = ""}, {.name = "here", .url = "http://x", .ports = "18080-18081"}, {.name = "here", .dialect = "a b"}};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct error err;
        char *text = NULL;
        assert_int_equal(domain_file_text(&wrong[i], &text, &err), -ERROR_INVALID);
        assert_null(text);
    }
}

/* Two domains of one machine do not want the same ports; those at another address may. */
static void ports_that_others_have_are_left_to_them(void **state)
{
    (void)state;
    AUTO(free_json) json_t *none = json_object();
    AUTO(free_json)
    json_t *two = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "lab", "address", "127.0.0.1", "ports", "18080-18099", "plant", "address",
        "0.0.0.0", "ports", "18110-18111");
    AUTO(free_text) char *first = neighbours_free_ports(none, "127.0.0.1");
    AUTO(free_text) char *third = neighbours_free_ports(two, "127.0.0.1");
    AUTO(free_text) char *elsewhere = neighbours_free_ports(two, "127.0.0.2");
    assert_string_equal(first, "18080-18099");
    assert_string_equal(third, "18120-18139");
    assert_string_equal(elsewhere, "18080-18099");
    AUTO(free_json) json_t *site = json_pack("{s:s, s:s}", "address", "127.0.0.1", "ports", "18090-18110");
    AUTO(free_text) char *overlap = neighbours_overlap(two, site);
    assert_string_equal(overlap, "lab (18080-18099), plant (18110-18111)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ports_that_others_have_are_left_to_them), cmocka_unit_test(test_right),
        cmocka_unit_test(test_the_policy_in_it_is_the_default), cmocka_unit_test(test_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
