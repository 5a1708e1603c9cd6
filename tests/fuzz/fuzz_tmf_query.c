/* fuzz_tmf_query.c: four lines: a filter `PATH=VALUES`, a list of fields, a document, a patch. A filter's hint never hides a match, showing
   twice is showing once, patching twice is patching once, a refusal has a message. */
#include "base/json.h"
#include "base/mem.h"
#include "orchestrator/tmf/check.h"
#include "orchestrator/tmf/patch.h"
#include "orchestrator/tmf/select.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 4, DEPTH = 64 };

static const char *const choices[] = {"one", "two", NULL};
static const struct tmf_field part[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED}, {.name = "any", .type = TMF_ANY, .flags = TMF_REQUIRED}, TMF_END};
static const struct tmf_field fields[] = {
    {.name = "name", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "choice", .type = TMF_TEXT, .choices = choices},
    {.name = "at", .type = TMF_TIME},
    {.name = "count", .type = TMF_INTEGER, .flags = TMF_FIXED},
    {.name = "amount", .type = TMF_NUMBER},
    {.name = "flag", .type = TMF_BOOLEAN},
    {.name = "part", .type = TMF_OBJECT, .fields = part},
    {.name = "parts", .type = TMF_LIST, .fields = part},
    {.name = "words", .type = TMF_TEXT_LIST},
    TMF_END,
};

static void free_lines(char *(*lines)[LINES])
{
    for (size_t i = 0; i < LINES; i++)
        free((*lines)[i]);
}

static void split(const char *bytes, size_t size, char *lines[LINES])
{
    for (size_t i = 0; i < LINES; i++) {
        const char *end = size ? memchr(bytes, '\n', size) : NULL;
        size_t used = end && i + 1 < LINES ? (size_t)(end - bytes) : size;
        lines[i] = mem_copy_bytes(size ? bytes : "", used);
        bytes += used < size ? used + 1 : used;
        size -= used < size ? used + 1 : used;
    }
}

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), "input", &json, &err)) return NULL;
    if (tmf_is_shallow(json, DEPTH)) return json;
    json_decref(json);
    return NULL;
}

static void filter(char *line, const json_t *document)
{
    AUTO(select_release) struct selection selection = {0};
    struct error err = {0};
    char *values = strchr(line, '=');
    if (values) *values++ = '\0';
    int failed = select_add_filter(&selection, line, values ? values : "", &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    AUTO(free_text) char *hint = select_hint(&selection);
    AUTO(free_text) char *text = json_canonical(document);
    if (!failed && select_matches(&selection, document) && hint && !strstr(text, hint)) abort();
}

static void show(const char *line, const json_t *document)
{
    AUTO(select_release) struct selection selection = {0};
    struct error err = {0};
    int failed = select_add_fields(&selection, line, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed || !json_is_object(document)) return;
    AUTO(free_json) json_t *once = select_show(&selection, document);
    AUTO(free_json) json_t *twice = select_show(&selection, once);
    if (!json_equal(once, twice)) abort();
    const json_t *id = json_object_get(document, "id");
    if (id && !json_equal(id, json_object_get(once, "id"))) abort();
}

static void patch(const json_t *document, const json_t *change)
{
    AUTO(free_json) json_t *once = tmf_merge(document, change);
    AUTO(free_json) json_t *twice = tmf_merge(once, change);
    struct error err = {0};
    if (!json_equal(once, twice)) abort();
    int failed = tmf_check_fixed(document, once, fields, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
}

static void check(const json_t *document)
{
    struct error err = {0};
    int failed = tmf_check(document, fields, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (!failed && !json_is_string(json_object_get(document, "name"))) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(free_lines) char *lines[LINES];
    split((const char *)bytes, size, lines);
    AUTO(free_json) json_t *document = parse(lines[2]);
    AUTO(free_json) json_t *change = parse(lines[3]);
    if (!document) return 0;
    check(document);
    filter(lines[0], document);
    show(lines[1], document);
    if (change) patch(document, change);
    return 0;
}
