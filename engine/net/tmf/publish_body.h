/* publish_body.h: the catalogue's documents that a published package becomes, in TM Forum's words (633 service catalogue, 620 product
   catalogue). Pure: the step and the
   command `publish` send the same, and `plan` shows what the step will send. docs/reference/steps-and-tmf.md has them in full. */
#ifndef CRESCENDO_NET_TMF_PUBLISH_BODY_H
#define CRESCENDO_NET_TMF_PUBLISH_BODY_H

#include <jansson.h>

/* What is known. All borrowed; NULL is left out. Any JSON may be {"$unknown": ...}. */
struct publication {
    const json_t *name, *version;
    const json_t *packages;   /* array of {name, digest, size}: the attachments */
    const json_t *descriptor; /* the service's, typed */
    const json_t *category;
    const char *description; /* of the specification, for people: where it came from */
};

/* What a publication consists of, in the order in which it is made: each refers to one before it. */
enum publish_part { PUBLISH_SPECIFICATION, PUBLISH_CANDIDATE, PUBLISH_PRODUCT, PUBLISH_OFFERING, PUBLISH_PART_COUNT };

struct publish_part_name {
    const char *effect; /* "specification" */
    const char *title;  /* "service specification" */
    const char *undone; /* how it is undone, or NULL */
};
extern const struct publish_part_name publish_parts[PUBLISH_PART_COUNT];

/* The document of one part; ids: by enum publish_part, the ids of those before it (borrowed). New. */
json_t *publish_body(enum publish_part part, const struct publication *publication, const json_t *const ids[PUBLISH_PART_COUNT]);

#endif
