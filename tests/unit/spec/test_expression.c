/* test_expression.c: what expressions mean, what is left of them, and what is said of wrong ones. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "spec/expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A scope for tests: what `known` (an object by full reference) says; references beginning with stages.later or
   steps.later are unknown; run.SUBSTITUTE gives the residual that stands in `known` under "residual". */
static enum lookup look_up(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    struct text name = {0};
    text_add(&name, root);
    for (size_t i = 0; i < part_count; i++)
        text_add_format(&name, ".%s", parts[i]);
    json_t *value = json_object_get(context, text_view(&name));
    const char *residual = json_text(value, "$residual", NULL);
    enum lookup result = LOOKUP_MISSING;
    if (residual) {
        *ret_residual = mem_copy_text(residual);
        result = LOOKUP_UNKNOWN;
    } else if (value) {
        *ret_value = json_incref(value);
        result = LOOKUP_KNOWN;
    } else if (strstr(text_view(&name), "later") || part_count == 0) {
        *ret_residual = part_count ? mem_copy_text(text_view(&name)) : mem_format("%s()", root);
        result = LOOKUP_UNKNOWN;
    } else {
        error_set(err, ERROR_INVALID, NOWHERE, "there is no %s", text_view(&name));
    }
    text_release(&name);
    return result;
}

static json_t *known_values(void)
{
    json_error_t fault;
    json_t *known = json_loads("{\"params.n\": 3, \"params.r\": 1.5, \"params.t\": \"text\", \"params.b\": true, \"params.no\": false,"
                               "\"params.null\": null, \"params.list\": [\"a\", \"b\", \"it's\"], \"params.numbers\": [1, 2.5, true],"
                               "\"params.object\": {\"b\": 1, \"a\": [\"'\"]}, \"params.quote\": \"it's\", \"params.greek\": \"Αθήνα\","
                               "\"run.branch\": \"main\", \"stages.build.package.file\": \"a.zip\", \"params.a-b\": 7,"
                               "\"params.chained\": {\"$residual\": \"stages.x.later.a || stages.x.later.b\"},"
                               "\"params.joined\": {\"$residual\": \"concat('v', stages.x.later.n)\"},"
                               "\"stages.indoor/release.order.service\": \"svc-1\"}",
        0, &fault);
    assert_non_null(known);
    return known;
}

/* "= JSON" for a value, "~ EXPR" for a residual, "! message | hint" for an error at evaluation. */
static char *outcome_of(const char *text)
{
    struct expression *expression = NULL;
    struct error err = {0};
    struct location at = {"crescendo.yaml", 7, 11};
    if (expression_parse(text, at, &expression, &err)) return mem_format("? %u: %s | %s", err.at.column, err.message, err.hint);
    json_t *known = known_values(), *value = NULL;
    char *residual = NULL, *outcome;
    struct scope scope = {look_up, known};
    if (expression_evaluate(expression, &scope, &value, &residual, &err)) {
        assert_int_equal(err.at.line, 7);
        outcome = mem_format("! %u: %s | %s", err.at.column, err.message, err.hint);
    } else if (residual) {
        outcome = mem_format("~ %s", residual);
    } else {
        AUTO(free_text) char *json = json_canonical(value);
        outcome = mem_format("= %s", json);
    }
    free(residual);
    json_decref(value);
    json_decref(known);
    expression_free(&expression);
    return outcome;
}

struct example {
    const char *text, *expected;
};

static void check_examples(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(free_text) char *outcome = outcome_of(examples[i].text);
        if (!text_equal(outcome, examples[i].expected)) print_error("%s\n", examples[i].text);
        assert_string_equal(outcome, examples[i].expected);
    }
}

static void values_are_literals_and_references(void **state)
{
    (void)state;
    static const struct example examples[] = {{"'text'", "= \"text\""}, {"'it''s'", "= \"it's\""}, {"''''", "= \"'\""}, {"''", "= \"\""},
        {"12", "= 12"}, {"-5", "= -5"}, {"1.5", "= 1.5"}, {"1e3", "= 1000.0"}, {"-1.5E-2", "= -0.014999999999999999"}, {"true", "= true"},
        {"false", "= false"}, {"null", "= null"}, {" ( ( 12 ) ) ", "= 12"}, {"9223372036854775807", "= 9223372036854775807"},
        {"-9223372036854775808", "= -9223372036854775808"}, {"params.n", "= 3"}, {"params.a-b", "= 7"}, {"run.branch", "= \"main\""},
        {"stages.build.package.file", "= \"a.zip\""}, {"stages.indoor/release.order.service", "= \"svc-1\""}, {"'a\nb'", "= \"a\\nb\""},
        {"params.n\n==\n3", "= true"}};
    check_examples(examples, COUNT_OF(examples));
}

static void operators_are_typed(void **state)
{
    (void)state;
    static const struct example examples[] = {{"1 == 1.0", "= true"}, {"params.n != 3", "= false"}, {"'a' < 'b'", "= true"},
        {"2 >= 10", "= false"}, {"'2' >= '10'", "= true"}, {"true == false", "= false"}, {"null == null", "= true"},
        {"params.t == null", "= false"}, {"null != 3", "= true"}, {"params.list == params.list", "= true"}, {"!params.b", "= false"},
        {"!!params.b", "= true"}, {"true && false || true", "= true"}, {"true || false && false", "= true"},
        {"(true || false) && false", "= false"}, {"!true == false", "= true"}, {"9223372036854775807 == 9223372036854775806", "= false"},
        {"params.n == '3'", "! 20: a number cannot be compared with text | write the number without quotes"},
        {"params.t == 3", "! 20: text cannot be compared with a number | a number stands without quotes; text that is compared needs them"},
        {"params.b == 'true'", "! 20: a boolean cannot be compared with text | true and false stand without quotes"},
        {"params.list == 'a'", "! 23: a list cannot be compared with text | contains(list, x) asks whether x is in the list"},
        {"null < 3", "! 16: null has no order | give a value in its place with default(x, 0)"},
        {"true < false", "! 16: a boolean has no order | < <= > >= compare two numbers or two texts"},
        {"params.t && true", "! 11: && takes true or false, not text | compare it: x == 'text', or x != ''"},
        {"!params.n", "! 12: ! takes true or false, not a number | compare it with something"},
        {"false || null", "! 20: || takes true or false, not null | give a value in its place with default(x, false)"}};
    check_examples(examples, COUNT_OF(examples));
}

static void functions_do_what_they_say(void **state)
{
    (void)state;
    static const struct example examples[] = {{"concat('a', 1, true, 1.5, 2.0)", "= \"a1true1.52.0\""},
        {"concat(params.quote)", "= \"it's\""}, {"default(params.null, 'x')", "= \"x\""}, {"default(params.n, 'x')", "= 3"},
        {"default(null, default(null, 4))", "= 4"}, {"contains(params.list, 'b')", "= true"}, {"contains(params.list, 'c')", "= false"},
        {"contains('abc', 'bc')", "= true"}, {"contains('abc', '')", "= true"}, {"starts-with('release/1', 'release/')", "= true"},
        {"ends-with('a.c', '.h')", "= false"}, {"length(params.greek)", "= 5"}, {"length(params.list)", "= 3"}, {"length('')", "= 0"},
        {"join(params.list, ', ')", "= \"a, b, it's\""}, {"join(params.numbers, '-')", "= \"1-2.5-true\""},
        {"format-json(params.object)", "= \"{\\\"a\\\":[\\\"'\\\"],\\\"b\\\":1}\""}, {"format-json('x')", "= \"\\\"x\\\"\""},
        {"format-json(null)", "= \"null\""}, {"parse-json('[1,{}]')", "= [1,{}]"},
        {"parse-json(format-json(params.object)) == params.object", "= true"},
        {"concat('a', null)",
            "! 23: concat() cannot take null | a skipped step's output is null: give a value in its place with default(x, 'text')"},
        {"concat(params.list)", "! 18: concat() cannot take a list | join(list, ', ') makes text of a list"},
        {"concat(params.object)", "! 18: concat() cannot take an object | format-json(x) makes text of an object"},
        {"contains(params.list, 3)",
            "! 11: text cannot be compared with a number | a number stands without quotes; text that is compared needs them"},
        {"contains('a', 3)", "! 11: contains() looks for text in text, not for a number | "},
        {"starts-with(3, 'a')", "! 23: starts-with() cannot take a number | "}, {"join('a', ',')", "! 16: join() cannot take text | "},
        {"join(parse-json('[null]'), ',')", "! 11: join() takes a list of text, numbers and booleans; item 1 is null | "},
        {"length(3)", "! 18: length() cannot take a number | "},
        {"parse-json('{')",
            "! 11: parse-json() was given text that is not JSON: string or '}' expected near end of file (line 1, column 1) | "},
        {"params.nothing", "! 11: there is no params.nothing | "}};
    check_examples(examples, COUNT_OF(examples));
}

static void what_is_unknown_is_left_and_the_rest_folds(void **state)
{
    (void)state;
    static const struct example examples[] = {{"stages.s.later.out", "~ stages.s.later.out"}, {"false && stages.s.later.ok", "= false"},
        {"stages.s.later.ok && false", "= false"}, {"stages.s.later.ok || true", "= true"},
        {"true && stages.s.later.n == 3", "~ stages.s.later.n == 3"}, {"true && stages.s.later.ok", "~ stages.s.later.ok && true"},
        {"params.n == 3 && stages.s.later.a && stages.s.later.b", "~ stages.s.later.a && stages.s.later.b"},
        {"default(null, stages.s.later.a)", "~ stages.s.later.a"}, {"default('x', stages.s.later.a)", "= \"x\""},
        {"default(stages.s.later.a, params.null)", "~ default(stages.s.later.a, null)"},
        {"concat('a', params.n, stages.s.later.a, 'b', 'c')", "~ concat('a3', stages.s.later.a, 'bc')"},
        {"concat(concat('a', stages.s.later.a), 'b', '')", "~ concat('a', stages.s.later.a, 'b')"},
        {"concat('=', params.joined, params.quote)", "~ concat('=v', stages.x.later.n, 'it''s')"},
        {"params.chained && true", "~ stages.x.later.a || stages.x.later.b"},
        {"!params.chained", "~ !(stages.x.later.a || stages.x.later.b)"},
        {"params.chained && steps.later.out", "~ (stages.x.later.a || stages.x.later.b) && steps.later.out"},
        {"params.chained || false || true && steps.later.out == 'x'", "~ (stages.x.later.a || stages.x.later.b) || steps.later.out == 'x'"},
        {"params.chained == true", "~ (stages.x.later.a || stages.x.later.b) == true"},
        {"!!(stages.s.later.a == 1)", "~ stages.s.later.a == 1"},
        {"contains(params.list, stages.s.later.a)", "~ contains(parse-json('[\"a\",\"b\",\"it''s\"]'), stages.s.later.a)"},
        {"stages.s.later.a == 2.0", "~ stages.s.later.a == 2.0"}, {"length(stages.s.later.a) > -1", "~ length(stages.s.later.a) > -1"},
        {"failed() || params.no", "~ failed()"}, {"always()", "~ always()"}, {"succeeded() && run.branch == 'main'", "~ succeeded()"},
        {"length(stages.s.later.a) == 'a'", "! 36: a number cannot be compared with text | write the number without quotes"},
        {"join(stages.s.later.a, 3)", "! 34: join() cannot take a number | "},
        {"concat(stages.s.later.a, null)",
            "! 36: concat() cannot take null | a skipped step's output is null: give a value in its place with default(x, 'text')"}};
    check_examples(examples, COUNT_OF(examples));
}

static void mistakes_are_explained(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", "? 11: the expression is empty | a value is 'text', a number, true, false, null, a reference or a function"},
        {"   ", "? 14: the expression is empty | a value is 'text', a number, true, false, null, a reference or a function"},
        {"params.n ==",
            "? 22: the expression ends where a value should follow | a value is 'text', a number, true, false, null, a reference "
            "or a function"},
        {"params.b and params.no", "? 20: expected an operator before 'and' | and is written &&"},
        {"params.b or params.no", "? 20: expected an operator before 'or' | or is written ||"},
        {"not params.b", "? 11: 'not' means nothing here | not is written !"},
        {"params.n = 3", "? 20: '=' means nothing here | equality is =="}, {"params.b & true", "? 20: '&' means nothing here | and is &&"},
        {"params.b | true", "? 20: '|' means nothing here | or is ||"},
        {"\"text\"", "? 11: '\"' means nothing here | text stands in single quotes: 'text'"},
        {"1 + 2", "? 13: '+' means nothing here | there is no arithmetic; concat(a, b) joins texts"},
        {"3 - 2", "? 13: '-' means nothing here | there is no arithmetic; a name's hyphen has no spaces round it"},
        {"3 -2", "? 13: expected an operator before '-2' | there is no arithmetic"},
        {"4 / 2", "? 13: expected an operator before '/' | there is no arithmetic"},
        {"params.list[0]", "? 22: '[' means nothing here | there is no index; contains(list, x) and join(list, ', ') read lists"},
        {"${{ params.n }}", "? 11: '$' means nothing here | write the bare expression, without ${{ }}"},
        {"'open", "? 11: text is not closed | put ' behind it; a ' inside text is written ''"},
        {"param.n", "? 11: 'param' means nothing here | did you mean params?"},
        {"stage.a.b.c", "? 11: 'stage' means nothing here | did you mean stages?"},
        {"main", "? 11: 'main' means nothing here | text stands in single quotes ('main'); a reference begins with params, run, steps or "
                 "stages"},
        {"True", "? 11: 'True' means nothing here | write true and false in lower case"},
        {"stages.build(arch=amd64).package.file",
            "? 23: one child of a matrix is in the language, but not in this version | remove it until a "
            "version has it"},
        {"None", "? 11: 'None' means nothing here | write null"},
        {"failed", "? 11: 'failed' means nothing here | it is a function: failed()"},
        {"length + 1", "? 18: '+' means nothing here | there is no arithmetic; concat(a, b) joins texts"},
        {"matrix.arch",
            "? 11: 'matrix' is in the language, but not in this version | this version has params, run, secrets, steps and stages"},
        {"secrets.a.b", "? 11: 'secrets' with 2 names behind it refers to nothing | the form is secrets.NAME"},
        {"starts_with('a', 'b')", "? 11: there is no function starts_with() | did you mean starts-with()?"},
        {"lenght(params.t)", "? 11: there is no function lenght() | did you mean length()?"},
        {"env('X')", "? 11: there is no function env() | there are concat default contains starts-with ends-with length join format-json "
                     "parse-json"},
        {"length()", "? 11: length() takes 1 argument, not 0 | "}, {"default(1)", "? 11: default() takes 2 arguments, not 1 | "},
        {"concat()", "? 11: concat() takes at least 1 argument | "}, {"failed(1)", "? 11: failed() takes no argument | "},
        {"length('a'", "? 21: ( is not closed | the ( stands at column 17"},
        {"length('a' 'b')", "? 22: expected , or ) here | the ( stands at column 17"},
        {"(1 == 1", "? 18: ( is not closed | the ( stands at column 11"},
        {"1 == 1)", "? 17: expected an operator before ')' | no ( is open here"},
        {"1 < 2 < 3", "? 17: comparisons do not chain | write a == b && b == c"},
        {"params", "? 11: 'params' with 0 names behind it refers to nothing | the form is params.NAME"},
        {"params.a.b", "? 11: 'params' with 2 names behind it refers to nothing | the form is params.NAME"},
        {"steps.build", "? 11: 'steps' with 1 name behind it refers to nothing | the form is steps.ID.OUTPUT"},
        {"stages.a.b.c.d.e", "? 11: 'stages' with 4 names behind it refers to nothing | the form is stages.STAGE.ID.OUTPUT, or "
                             "stages.STAGE.OUTPUT for a stage with use"},
        {"params.", "? 18: a name is missing after the dot | names are a lower-case letter, then lower-case letters, digits and hyphens"},
        {"params.A", "? 18: 'A' is not a name | names are lower-case letters, digits and hyphens, at most 63, a letter first"},
        {"params.a_b", "? 18: 'a_b' is not a name | names are lower-case letters, digits and hyphens, at most 63, a letter first"},
        {"99999999999999999999", "? 11: number 99999999999999999999 is too large | "}, {"1e999", "? 11: number 1e999 is too large | "},
        {"'a'.b", "? 14: expected an operator before '.' | only a reference has names behind a dot"},
        {"a\001", "? 12: control character 1 in an expression | "}, {"'Αθήνα' && §", "? 22: '§' means nothing here | "},
        {"\xff", "? 11: expression is not UTF-8 text | "}, {",", "? 11: expected a value before ',' | "}};
    check_examples(examples, COUNT_OF(examples));
}

static char *repeated(const char *before, const char *part, size_t count, const char *after)
{
    struct text text = {0};
    text_add(&text, before);
    while (count--)
        text_add(&text, part);
    text_add(&text, after);
    return text_take(&text);
}

static void check_limit(const char *before, const char *part, size_t count, const char *after, const char *expected)
{
    AUTO(free_text) char *text = repeated(before, part, count, after);
    AUTO(free_text) char *outcome = outcome_of(text);
    if (!strstr(outcome, expected)) print_error("%.200s\n", outcome);
    assert_non_null(strstr(outcome, expected));
}

static void limits_hold(void **state)
{
    (void)state;
    check_limit("", "(", 4000, "1", "nested deeper than 32");
    check_limit("", "!", 4000, "true", "nested deeper than 32");
    check_limit("", "length(", 580, "", "nested deeper than 32");
    check_limit("", "!", 32, "true", "= true");
    check_limit("true", " && true", 500, "", "= true");
    check_limit("stages.s.later.a", " || false", 440, "", "~ stages.s.later.a || false");
    check_limit("true", " && true", 600, "", "longer than 4096 bytes");
    check_limit("true", " ", 5000, "", "longer than 4096 bytes");
    check_limit("concat('", "x", 100000, "', stages.s.later.a)", "~ concat('xxx");
    check_limit("'", "x", 2000000, "'", "longer than 1048576 bytes");
    check_limit("concat('", "x", 700000, "')", "takes more than 10000 steps");
    check_limit("concat(concat('a', stages.s.later.a), '", "x", 700000, "')", "takes more than 10000 steps");
}

static void long_values_cost_budget(void **state)
{
    (void)state;
    AUTO(free_text) char *big = repeated("", "x", LIMIT_OUTPUT_BYTES, "");
    AUTO(free_text) char *text = repeated("concat(params.n", ", params.n", 100, ", stages.s.later.a)");
    AUTO(free_json) json_t *known = json_pack("{s:s}", "params.n", big);
    struct scope scope = {look_up, known};
    struct expression *expression;
    struct error err = {0};
    json_t *value;
    char *residual;
    assert_int_equal(expression_parse(text, NOWHERE, &expression, &err), 0);
    assert_int_equal(expression_evaluate(expression, &scope, &value, &residual, &err), -ERROR_LIMIT);
    expression_free(&expression);
}

/* A residual that would be too long or too deep to be read again is refused when it is made, not when it is read. */
static void residuals_stay_readable(void **state)
{
    (void)state;
    AUTO(free_text) char *deep = repeated("", "!", 30, "stages.s.later.a");
    AUTO(free_json) json_t *known = json_pack("{s:{s:s}}", "params.deep", "$residual", deep);
    struct scope scope = {look_up, known};
    struct expression *expression;
    struct error err = {0};
    json_t *value;
    char *residual;
    assert_int_equal(expression_parse("length(length(length(params.deep)))", NOWHERE, &expression, &err), 0);
    assert_int_equal(expression_evaluate(expression, &scope, &value, &residual, &err), -ERROR_INVALID); /* a boolean has no length */
    expression_free(&expression);
    assert_int_equal(expression_parse("format-json(format-json(format-json(params.deep)))", NOWHERE, &expression, &err), 0);
    assert_int_equal(expression_evaluate(expression, &scope, &value, &residual, &err), -ERROR_LIMIT);
    assert_non_null(strstr(err.message, "what is left of the expression"));
    expression_free(&expression);
}

static int collect_reference(void *context, const char *root, const char *const *parts, size_t part_count, struct location at)
{
    text_add_format(context, "%u:%s", at.column, root);
    for (size_t i = 0; i < part_count; i++)
        text_add_format(context, ".%s", parts[i]);
    text_add_char(context, ' ');
    return strcmp(root, "steps") == 0 ? 42 : 0;
}

static void references_are_visited_in_order(void **state)
{
    (void)state;
    struct expression *expression;
    struct error err = {0};
    struct location at = {"f", 1, 1};
    struct text seen = {0};
    assert_int_equal(expression_parse("concat(params.a, 'é', stages.s.i.o) == run.x || failed()", at, &expression, &err), 0);
    assert_int_equal(expression_references(expression, collect_reference, &seen), 0);
    assert_string_equal(text_view(&seen), "8:params.a 23:stages.s.i.o 40:run.x 49:failed ");
    assert_true(expression_overrides_default(expression));
    expression_free(&expression);
    text_release(&seen);
    assert_int_equal(expression_parse("steps.a.b && params.x && succeeded()", at, &expression, &err), 0);
    assert_int_equal(expression_references(expression, collect_reference, &seen), 42);
    assert_string_equal(text_view(&seen), "1:steps.a.b ");
    assert_false(expression_overrides_default(expression));
    expression_free(&expression);
    text_release(&seen);
}

static void lines_are_counted(void **state)
{
    (void)state;
    struct expression *expression;
    struct error err = {0};
    struct location at = {"f", 4, 9};
    assert_int_equal(expression_parse("params.a ==\n  ?", at, &expression, &err), -ERROR_INVALID);
    assert_int_equal(err.at.line, 5);
    assert_int_equal(err.at.column, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_literals_and_references),
        cmocka_unit_test(operators_are_typed),
        cmocka_unit_test(functions_do_what_they_say),
        cmocka_unit_test(what_is_unknown_is_left_and_the_rest_folds),
        cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(long_values_cost_budget),
        cmocka_unit_test(residuals_stay_readable),
        cmocka_unit_test(references_are_visited_in_order),
        cmocka_unit_test(lines_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
