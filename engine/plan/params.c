/* params.c: the values of a pipeline's parameters: given, or their defaults; of the declared type and within the bounds. */
#include "base/json.h"
#include "base/mem.h"
#include "plan/build.h"

#include <stdlib.h>
#include <string.h>

static const struct param *param_find(const struct pipeline *pipeline, const char *name)
{
    for (size_t i = 0; i < pipeline->param_count; i++)
        if (text_equal(pipeline->params[i].name, name)) return &pipeline->params[i];
    return NULL;
}

static void fail_unknown(const struct build *build, const struct pipeline *pipeline, const char *name, struct location at)
{
    const char **names = mem_alloc_array(pipeline->param_count + 1, sizeof *names);
    for (size_t i = 0; i < pipeline->param_count; i++)
        names[i] = pipeline->params[i].name;
    const char *near = text_nearest(name, names);
    AUTO(text_release) struct text hint = {0};
    if (near)
        text_add_format(&hint, "did you mean %s?", near);
    else if (!pipeline->param_count)
        text_add(&hint, "the pipeline declares no parameters");
    else
        text_add(&hint, "there are");
    for (size_t i = 0; !near && i < pipeline->param_count && i < 20; i++)
        text_add_format(&hint, "%s %s", i ? "," : "", names[i]);
    diagnostics_add(build->list, "unknown-param", at, 0, text_view(&hint), "%s has no parameter '%s'", pipeline->file, name);
    free(names);
}

static int fail_choice(const struct param *param, const char *given, struct error *err)
{
    const char *near = text_nearest(given, param->choices);
    AUTO(text_release) struct text list = {0};
    for (size_t i = 0; param->choices[i]; i++)
        text_add_format(&list, "%s%s", i ? ", " : "", param->choices[i]);
    error_set(err, ERROR_INVALID, NOWHERE, "'%.80s' is not one of %.100s", given, text_view(&list));
    return near ? error_hint(err, "did you mean %s?", near) : -ERROR_INVALID;
}

static void add_bound(struct text *text, enum field_type type, int64_t value)
{
    if (type == FIELD_DURATION)
        text_add_duration(text, value);
    else if (type == FIELD_SIZE)
        text_add_size(text, value);
    else
        text_add_format(text, "%lld", (long long)value);
}

int param_check(const struct param *param, const json_t *value, struct error *err)
{
    const char *text = json_string_value(value);
    if (param->choices && text) {
        for (size_t i = 0; param->choices[i]; i++)
            if (text_equal(param->choices[i], text)) return 0;
        return fail_choice(param, text, err);
    }
    if (!json_is_number(value) || (param->min == 0 && param->max == 0)) return 0;
    double number = json_number_value(value);
    bool whole = json_is_integer(value);
    bool low = whole ? json_integer_value(value) < param->min : number < (double)param->min;
    bool high = whole ? json_integer_value(value) > param->max : number > (double)param->max;
    if (!low && !high) return 0;
    AUTO(text_release) struct text bounds = {0};
    text_add(&bounds, low ? "at least " : "at most ");
    add_bound(&bounds, param->type, low ? param->min : param->max);
    return error_set(err, ERROR_INVALID, NOWHERE, "must be %s", text_view(&bounds));
}

/* Stands for a value that is wrong, so that what refers to it is not one more mistake. */
static json_t *param_wrong(void)
{
    return json_pack("{s:s}", "$unknown", "stages.wrong.wrong.wrong");
}

/* The value to use. */
static json_t *param_value(
    const struct build *build, const struct pipeline *pipeline, const struct param *param, const json_t *given, struct location at)
{
    struct error err = {0};
    json_t *value = NULL;
    if (!given && !param->fallback) {
        bool outermost = !at.line;
        diagnostics_add(build->list, "missing-param", outermost ? param->at : at, 0,
            outermost ? "give it with --param NAME=VALUE, or write a default" : "give it under `with:`", "%s needs the parameter '%s'%s%s",
            pipeline->file, param->name, param->help ? ": " : "", param->help ? param->help : "");
        return param_wrong();
    }
    if (value_is_unknown(given)) {
        json_t *unknown = json_copy((json_t *)given);
        json_put_text(unknown, "$type", field_type_name(param->type));
        return unknown;
    }
    int result = value_convert(given ? given : param->fallback, param->type, &value, &err);
    if (!result) result = param_check(param, value, &err);
    if (!result) return value;
    json_decref(value);
    error_wrap(&err, "parameter '%s'", param->name);
    build_fail(build, "wrong-param", given ? at : param->at, &err);
    return param_wrong();
}

json_t *params_resolve(const struct build *build, const struct pipeline *pipeline, const json_t *given, struct location at)
{
    json_t *params = arena_own_json(build->arena, json_object());
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)given, name, value) if (!param_find(pipeline, name)) fail_unknown(build, pipeline, name, at);
    for (size_t i = 0; i < pipeline->param_count; i++) {
        const struct param *param = &pipeline->params[i];
        json_put(params, param->name, param_value(build, pipeline, param, json_object_get(given, param->name), at));
    }
    return params;
}
