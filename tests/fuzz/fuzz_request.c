/* fuzz_request.c: a request's first bytes: `METHOD PATH`, a newline, a body. Any path is matched or refused and decodes to what it says;
   any body is checked or refused with a message. */
#include "base/encode.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/match.h"
#include "http/validate.h"

#include <stdlib.h>
#include <string.h>

static void handle(struct request *request, void *context)
{
    (void)request, (void)context;
}

static const struct route first[] = {
    {"GET", "/v1/runs", handle, "", NULL},
    {"POST", "/v1/runs", handle, "", NULL},
    {"GET", "/v1/runs/{run}", handle, "", NULL},
    {"POST", "/v1/runs/{run}/approvals/{step}", handle, "", NULL},
    {"GET", "/{a}/{b}/{c}/{d}", handle, "", NULL},
    ROUTE_END,
};
static const struct route second[] = {
    {"GET", "/v1/version", handle, "", NULL}, {"PUT", "/{a}/{b}/{c}/{d}/{e}", handle, "", NULL}, ROUTE_END};

static const char *const choices[] = {"one", "two", NULL};
static const struct field leaves[] = {
    {.name = "path", .type = FIELD_PATH, .flags = FIELD_REQUIRED}, {.name = "any", .type = FIELD_ANY}, FIELD_END};
static const struct field fields[] = {
    {.name = "text", .type = FIELD_TEXT},
    {.name = "name", .type = FIELD_NAME},
    {.name = "flag", .type = FIELD_BOOLEAN},
    {.name = "whole", .type = FIELD_INTEGER, .min = 1, .max = 9},
    {.name = "number", .type = FIELD_NUMBER},
    {.name = "duration", .type = FIELD_DURATION, .min = 0, .max = 60000},
    {.name = "size", .type = FIELD_SIZE},
    {.name = "choice", .type = FIELD_CHOICE, .choices = choices},
    {.name = "texts", .type = FIELD_TEXT_LIST},
    {.name = "names", .type = FIELD_NAME_LIST},
    {.name = "map", .type = FIELD_TEXT_MAP},
    {.name = "object", .type = FIELD_OBJECT, .fields = leaves},
    {.name = "objects", .type = FIELD_OBJECT_MAP, .fields = leaves},
    FIELD_END,
};

/* What was decoded encodes to something that decodes to the same. */
static void check_round_trip(const char *value)
{
    AUTO(text_release) struct text encoded = {0}, decoded = {0};
    percent_encode(value, &encoded);
    if (!percent_decode(text_view(&encoded), &decoded) || strcmp(text_view(&decoded), value) != 0) abort();
}

static void match(const char *method, const char *path)
{
    static const struct http_mount mounts[] = {{first, NULL}, {second, NULL}, {NULL, NULL}};
    AUTO(text_release) struct text allow = {0}, plain = {0};
    struct match found = {0};
    enum match_result result = match_route(mounts, method, path, &found, &allow);
    if (percent_decode(path, &plain)) check_round_trip(text_view(&plain));
    if ((result == MATCH_NO_METHOD) != (allow.size > 0) && result != MATCH_FOUND) abort();
    if (result != MATCH_FOUND) return;
    for (size_t i = 0; i < found.part_count; i++) {
        if (!*found.parts[i].value) abort();
        check_round_trip(found.parts[i].value);
    }
    match_release(&found);
}

static void check_body(const char *bytes, size_t size)
{
    AUTO(free_json) json_t *body = NULL;
    struct error err = {0};
    int failed = json_parse(bytes, size, "request body", &body, &err);
    if (!failed) failed = validate_body(body, fields, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed) return;
    const char *whole = json_text(body, "choice", "one");
    if (!json_is_object(body) || (strcmp(whole, "one") != 0 && strcmp(whole, "two") != 0)) abort();
    if (json_whole(body, "whole", 1) < 1 || json_whole(body, "whole", 1) > 9) abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    const char *text = (const char *)bytes, *newline = size ? memchr(text, '\n', size) : NULL;
    size_t head = newline ? (size_t)(newline - text) : size;
    AUTO(free_text) char *method = mem_copy_bytes(text, head);
    char *path = strchr(method, ' ');
    if (path) *path++ = '\0';
    match(method, path ? path : "");
    if (newline) check_body(newline + 1, size - head - 1);
    return 0;
}
