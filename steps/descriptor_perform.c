/* descriptor_perform.c: reads what a package needs of a service's descriptor: the texts service, version and kind at its top. The rest is
   carried as it is; the step that orders the service reads it. */
#include "package.h"

#include "base/file.h"
#include "base/mem.h"
#include "crescendo/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Where the parser stands: only scalars at depth 1 matter, keys and values by turns. */
struct reading {
    const char *path;
    struct descriptor *descriptor;
    unsigned depth;
    bool is_value;
    char key[16]; /* the last key at the top; cut, as longer ones are none of ours */
};

void descriptor_release(struct descriptor *descriptor)
{
    free(descriptor->path);
    free(descriptor->service);
    free(descriptor->version);
    free(descriptor->kind);
    *descriptor = (struct descriptor){0};
}

static char **slot(struct reading *reading)
{
    if (strcmp(reading->key, "service") == 0) return &reading->descriptor->service;
    if (strcmp(reading->key, "version") == 0) return &reading->descriptor->version;
    if (strcmp(reading->key, "kind") == 0) return &reading->descriptor->kind;
    return NULL;
}

static int wrong(const struct reading *reading, size_t line, const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, NOWHERE, "%s:%zu: %s", reading->path, line + 1, what);
}

static int take_scalar(struct reading *reading, const yaml_event_t *event, struct error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    if (reading->depth == 0) return wrong(reading, event->start_mark.line, "a descriptor holds keys and values", err);
    if (reading->depth > 1) return 0;
    if (!reading->is_value) {
        snprintf(reading->key, sizeof reading->key, "%s", text);
    } else if (slot(reading)) {
        if (*slot(reading)) return wrong(reading, event->start_mark.line, "a key stands twice", err);
        *slot(reading) = mem_copy_text(text);
    }
    reading->is_value = !reading->is_value;
    return 0;
}

static int take_event(struct reading *reading, const yaml_event_t *event, struct error *err)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return take_scalar(reading, event, err);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (reading->depth == 0 && event->type == YAML_SEQUENCE_START_EVENT)
            return wrong(reading, event->start_mark.line, "a descriptor holds keys and values, not a list", err);
        if (++reading->depth > LIMIT_YAML_DEPTH) return wrong(reading, event->start_mark.line, "nested too deep", err);
        return 0;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        if (--reading->depth == 1) reading->is_value = false;
        return 0;
    case YAML_ALIAS_EVENT:
        if (reading->depth == 1) reading->is_value = !reading->is_value;
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT: break;
    }
    return 0;
}

static int read_events(struct reading *reading, yaml_parser_t *parser, struct error *err)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) return wrong(reading, parser->problem_mark.line, parser->problem, err);
        int failed = take_event(reading, &event, err);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (failed) return failed;
    }
    return 0;
}

int descriptor_read(const char *workspace, const char *path, struct descriptor *ret, struct error *err)
{
    AUTO(free_text) char *bytes = NULL;
    AUTO(free_text) char *place = mem_format("%s/%s", workspace, path);
    size_t size = 0;
    struct descriptor found = {.path = mem_copy_text(path)};
    struct reading reading = {.path = path, .descriptor = &found};
    yaml_parser_t parser;
    int failed = file_read(place, LIMIT_PIPELINE_BYTES, &bytes, &size, err);
    if (!failed) {
        if (!yaml_parser_initialize(&parser)) abort();
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
        failed = read_events(&reading, &parser, err);
        yaml_parser_delete(&parser);
    }
    if (failed)
        descriptor_release(&found);
    else
        *ret = found;
    return failed;
}
