/* fuzz_expression.c: any bytes as an expression: no crash, and a residual is again an expression, with the same meaning. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "spec/expression.h"

#include <stdlib.h>
#include <string.h>

/* Half of the references are known. all: later, when all of them are. */
static enum lookup look_up(void *context, const char *root, const char *const *parts, size_t part_count, json_t **ret_value,
    char **ret_residual, struct error *err)
{
    (void)err;
    const bool *all = context;
    const char *last = part_count ? parts[part_count - 1] : root;
    if (strcmp(root, "stages") == 0 && !*all) {
        struct text text = {0};
        text_add(&text, root);
        for (size_t i = 0; i < part_count; i++)
            text_add_format(&text, ".%s", parts[i]);
        *ret_residual = text_take(&text);
        return LOOKUP_UNKNOWN;
    }
    switch (last[0] % 5) {
    case 0: *ret_value = json_string(last); break;
    case 1: *ret_value = json_integer(last[0]); break;
    case 2: *ret_value = json_boolean(last[0] % 2); break;
    case 3: *ret_value = json_pack("[s,s]", last, "it's"); break;
    default: *ret_value = json_null(); break;
    }
    return LOOKUP_KNOWN;
}

static int evaluate(const char *text, bool all, json_t **ret_value, char **ret_residual)
{
    AUTO(expression_free) struct expression *expression = NULL;
    struct scope scope = {look_up, &all};
    struct error err = {0};
    int result = expression_parse(text, (struct location){"f", 1, 1}, &expression, &err);
    if (!result) result = expression_evaluate(expression, &scope, ret_value, ret_residual, &err);
    if (result && (result > 0 || !err.message[0] || !err.at.line)) abort(); /* every failure is explained and has a place */
    return result;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(free_text) char *text = mem_copy_bytes((const char *)bytes, size), *residual = NULL, *again = NULL, *none = NULL;
    AUTO(free_json) json_t *value = NULL, *direct = NULL, *later = NULL;
    if (evaluate(text, false, &value, &residual)) return 0;
    if (!residual == !value) abort();
    if (value) return 0;
    if (evaluate(residual, false, &value, &again)) abort();
    if (!again || strcmp(residual, again) != 0) abort(); /* it is canonical */
    if (evaluate(text, true, &direct, &none) || none) return 0;
    if (evaluate(residual, true, &later, &none) || !json_equal(direct, later)) abort();
    return 0;
}
