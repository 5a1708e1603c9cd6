/* fuzz_outputs.c: any bytes as the file of outputs: refused with a message, or an object of texts under good names, each found in the file.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "crescendo/limits.h"
#include "run/outputs.h"

#include <stdlib.h>
#include <string.h>

/* A value is what stands in the file, so it is found there. */
static void check_output(const char *name, const json_t *value, const char *bytes, size_t size)
{
    if (!text_is_name(name) || !json_is_string(value)) abort();
    size_t length = json_string_length(value);
    if (length > LIMIT_OUTPUT_BYTES) abort();
    if (length && !memmem(bytes, size, json_string_value(value), length)) abort();
    if (!memmem(bytes, size, name, strlen(name))) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(free_json) json_t *outputs = NULL;
    struct error err = {0};
    int failed = outputs_parse((const char *)bytes, size, &outputs, &err);
    if ((failed < 0) != (err.message[0] != '\0') || failed > 0) abort();
    if (failed && outputs) abort();
    const char *name;
    json_t *value;
    json_object_foreach(outputs, name, value) check_output(name, value, (const char *)bytes, size);
    return 0;
}
