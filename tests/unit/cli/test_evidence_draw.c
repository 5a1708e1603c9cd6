/* test_evidence_draw.c: tests/golden/evidence/NAME/records.json → table and charts, picture.svg, as they are told; UPDATE=1 in the
   environment writes the files anew: read the difference, and look at the picture. */
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/evidence_draw.h"
#include "cli/evidence_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <math.h>

static const char folder[] = "tests/golden/evidence";

static json_t *load(const char *name)
{
    AUTO(free_text) char *path = mem_format("%s/%s/records.json", folder, name);
    json_t *records = json_load_file(path, 0, NULL);
    if (!records) fail_msg("cannot read %s", path);
    return records;
}

static void compare(const char *name, const char *file, const struct text *out)
{
    AUTO(free_text) char *path = mem_format("%s/%s/%s", folder, name, file);
    AUTO(free_text) char *expected = NULL;
    struct error err = {0};
    size_t size = 0;
    if (getenv("UPDATE")) {
        if (file_replace(path, text_view(out), out->size, 0644, &err)) fail_msg("%s", err.message);
        return;
    }
    if (file_read(path, 1 << 20, &expected, &size, &err)) fail_msg("%s (UPDATE=1 writes it)", err.message);
    if (strcmp(expected, text_view(out))) fail_msg("%s is another now:\n%s", path, text_view(out));
}

static void draw(const char *name)
{
    struct evidence_record evidence;
    const struct terminal terminal = {.columns = 80};
    struct text text = {0}, picture = {0};
    evidence_record_read(load(name), &evidence);
    evidence_table(&evidence, &terminal, &text);
    text_add_char(&text, '\n');
    evidence_chart(&evidence, &terminal, false, &text);
    text_add_char(&text, '\n');
    evidence_chart(&evidence, &terminal, true, &text);
    evidence_svg(&evidence, "run 12, release/judge", &picture);
    compare(name, "text", &text);
    compare(name, "picture.svg", &picture);
    text_release(&text);
    text_release(&picture);
    evidence_record_release(&evidence);
}

static void each_is_drawn_as_before(void **unused)
{
    (void)unused;
    draw("harm");
    draw("promote");
    draw("open");
    draw("first");
}

/* A record of nothing, and one whose members are of other kinds, are drawn without a word of trouble. */
static void nothing_is_trusted(void **unused)
{
    (void)unused;
    static const char *const records[] = {"[]", "[{}]", "[{\"record\": {\"evidence\": 1}}]",
        "[{\"step\": 3, \"record\": {\"kpis\": [1, {\"kpi\": 2, \"rules\": []}], \"ticks\": [null, {\"used\": true, \"kpis\": 7}], "
        "\"verdict\": 4}}]",
        "[{\"step\": \"a\\u001b[2J<b>\", \"record\": {\"family\": \"<&>\\u0007\", \"kpis\": [{\"kpi\": \"k\", \"rules\": {\"alpha\": 2, "
        "\"beta\": -1}}],"
        "\"ticks\": [{\"used\": true, \"share\": 1e308, \"kpis\": [{\"kpi\": \"k\", \"harm\": 1e308, \"clear\": -1e308}]}]}}]"};
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct evidence_record evidence;
        struct text out = {0};
        evidence_record_read(json_loads(records[i], 0, NULL), &evidence);
        evidence_table(&evidence, &(struct terminal){.columns = 40}, &out);
        evidence_chart(&evidence, &(struct terminal){.columns = 40}, false, &out);
        evidence_svg(&evidence, "run", &out);
        assert_null(strchr(text_view(&out), '\033'));
        assert_null(strstr(strstr(text_view(&out), "<svg"), "<&>"));
        text_release(&out);
        evidence_record_release(&evidence);
    }
}

static void many_ticks_share_a_column(void **unused)
{
    (void)unused;
    json_t *ticks = json_array();
    for (int i = 1; i <= 5000; i++)
        json_array_append_new(ticks, json_pack("{s:i, s:f, s:b, s:[{s:s, s:f, s:f}]}", "tick", i, "share", 5.0, "used", 1, "kpis", "kpi",
                                         "latency", "harm", i == 2500 ? 6.0 : 0.0, "clear", i / 1000.0));
    json_t *records = json_pack("[{s:s, s:{s:[{s:s, s:{s:f, s:f}}], s:o}}]", "step", "a/b", "record", "kpis", "kpi", "latency", "rules",
        "alpha", 0.01, "beta", 0.05, "ticks", ticks);
    struct evidence_record evidence;
    struct text out = {0};
    evidence_record_read(records, &evidence);
    assert_int_equal(evidence.tick_count, 5000);
    evidence_chart(&evidence, &(struct terminal){.columns = 80}, true, &out);
    assert_non_null(strchr(text_view(&out), '#')); /* the one tick that reached the bar is seen */
    for (const char *line = text_view(&out); *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    text_release(&out);
    evidence_svg(&evidence, "run", &out);
    assert_true(out.size < 100 * 1024);
    text_release(&out);
    evidence_record_release(&evidence);
}

static void a_difference_is_named(void **unused)
{
    (void)unused;
    json_t *recorded = json_array(), *computed, *kpi;
    size_t i;
    AUTO(free_json) json_t *records = load("harm");
    struct text line = {0};
    for (i = 0; i < json_array_size(records); i++)
        json_array_append(recorded, json_object_get(json_array_get(records, i), "record"));
    computed = json_deep_copy(recorded);
    assert_false(evidence_difference(recorded, computed, &line));
    kpi = json_array_get(json_object_get(json_array_get(json_object_get(json_array_get(computed, 3), "ticks"), 0), "kpis"), 1);
    json_object_set_new(kpi, "clear", json_real(0.5));
    assert_true(evidence_difference(recorded, computed, &line));
    assert_true(text_starts(text_view(&line), "tick 3, errors: clear is "));
    text_release(&line);
    json_decref(recorded);
    json_decref(computed);
}

static void expect_effect(double effect, double low, double high, const char *expected)
{
    AUTO(text_release) struct text out = {0};
    evidence_add_effect(
        &(struct kpi_record){.measure = "errors", .has_effect = true, .effect = log(effect), .low = log(low), .high = log(high)}, &out);
    assert_string_equal(text_view(&out), expected);
}

static void odds_are_plain_figures(void **unused)
{
    (void)unused;
    expect_effect(40, 2.4, 682, "odds x 40 (2.4..680)");
    expect_effect(1.1, 0.045, 26.4, "odds x 1.1 (0.045..26)");
}

static void a_picture_of_nothing_says_so(void **unused)
{
    (void)unused;
    struct evidence_record evidence;
    struct text picture = {0};
    evidence_record_read(load("open"), &evidence);
    evidence_svg(&evidence, "run 12", &picture);
    assert_null(strstr(text_view(&picture), "No requests counted"));
    for (size_t i = 0; i < evidence.tick_count; i++)
        evidence.ticks[i].used = false;
    evidence_svg(&evidence, "run 12", &picture);
    assert_non_null(strstr(text_view(&picture), "No requests counted"));
    text_release(&picture);
    evidence_record_release(&evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_picture_of_nothing_says_so), cmocka_unit_test(odds_are_plain_figures),
        cmocka_unit_test(each_is_drawn_as_before), cmocka_unit_test(nothing_is_trusted), cmocka_unit_test(many_ticks_share_a_column),
        cmocka_unit_test(a_difference_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
