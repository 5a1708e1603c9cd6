/* descriptor.h: what the readers of single files share, those that are no pipelines: service.yaml, domains/NAME.yaml. */
#ifndef CRESCENDO_SPEC_DESCRIPTOR_H
#define CRESCENDO_SPEC_DESCRIPTOR_H

#include "spec/fields.h"

/* Reads source as one map of fields, then lets read_rest do what no table can say. *ret is the caller's, set only where there was no
   mistake; else -ERROR_INVALID. what: "a domain", for messages. */
int descriptor_read(const struct source *source, const struct field *fields, const char *what,
    void (*read_rest)(struct reader *reader, const struct yaml_node *root, json_t *object), struct diagnostics *list,
    json_t **ret) MUST_CHECK;

/* What a file is, by its keys: a descriptor of a service has `service:` and no `stages:`, a domain has `domain:` and neither. What cannot
   be read is taken for a pipeline, whose loader then says why. */
enum descriptor_kind { DESCRIPTOR_PIPELINE, DESCRIPTOR_SERVICE, DESCRIPTOR_DOMAIN };
enum descriptor_kind descriptor_kind(const struct source *source);

#endif
