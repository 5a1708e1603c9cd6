/* params.c: --param NAME=VALUE. */
#include "cli/params.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static int add_param(json_t *params, const char *given, struct error *err)
{
    const char *equals = strchr(given, '=');
    if (!equals || equals == given) {
        error_set(err, ERROR_INVALID, NOWHERE, "--param %.100s has no value", given);
        return error_hint(err, "write --param NAME=VALUE");
    }
    AUTO(free_text) char *name = mem_copy_bytes(given, (size_t)(equals - given));
    json_t *value = json_string(equals + 1);
    if (!value || !text_is_utf8(name, strlen(name))) {
        json_decref(value);
        return error_set(err, ERROR_INVALID, NOWHERE, "--param %.100s is not UTF-8 text", name);
    }
    json_put(params, name, value);
    return 0;
}

int params_read(const struct options *options, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *params = json_object();
    const char *given;
    for (size_t i = 0; (given = options_nth(options, "param", i)); i++) {
        int failed = add_param(params, given, err);
        if (failed) return failed;
    }
    *ret = take(&params);
    return 0;
}
