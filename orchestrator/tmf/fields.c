/* fields.c: tables of members that several APIs share, after the official definitions (TMF v4). */
#include "orchestrator/tmf/fields.h"

const struct tmf_field tmf_period_fields[] = {
    {.name = "startDateTime", .type = TMF_CLOCK},
    {.name = "endDateTime", .type = TMF_CLOCK},
    TMF_END,
};

const struct tmf_field tmf_quantity_fields[] = {
    {.name = "amount", .type = TMF_NUMBER},
    {.name = "units", .type = TMF_TEXT},
    TMF_END,
};

const struct tmf_field tmf_ref_fields[] = {
    {.name = "id", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "version", .type = TMF_TEXT},
    TMF_END,
};

/* The standard asks for an id and @referredType; people send a name and a role. */
const struct tmf_field tmf_party_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "role", .type = TMF_TEXT},
    TMF_END,
};

const struct tmf_field tmf_attachment_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "description", .type = TMF_TEXT},
    {.name = "attachmentType", .type = TMF_TEXT},
    {.name = "mimeType", .type = TMF_TEXT},
    {.name = "url", .type = TMF_TEXT},
    {.name = "content", .type = TMF_TEXT},
    {.name = "digest", .type = TMF_TEXT},
    {.name = "size", .type = TMF_OBJECT, .fields = tmf_quantity_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

const struct tmf_field tmf_relationship_fields[] = {
    {.name = "id", .type = TMF_TEXT},
    {.name = "href", .type = TMF_TEXT},
    {.name = "name", .type = TMF_TEXT},
    {.name = "relationshipType", .type = TMF_TEXT, .flags = TMF_REQUIRED},
    {.name = "role", .type = TMF_TEXT},
    {.name = "associationSpec", .type = TMF_OBJECT, .fields = tmf_ref_fields},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};

const struct tmf_field tmf_char_value_fields[] = {
    {.name = "isDefault", .type = TMF_BOOLEAN},
    {.name = "rangeInterval", .type = TMF_TEXT},
    {.name = "regex", .type = TMF_TEXT},
    {.name = "unitOfMeasure", .type = TMF_TEXT},
    {.name = "valueFrom", .type = TMF_INTEGER},
    {.name = "valueTo", .type = TMF_INTEGER},
    {.name = "valueType", .type = TMF_TEXT},
    {.name = "value", .type = TMF_ANY},
    {.name = "validFor", .type = TMF_OBJECT, .fields = tmf_period_fields},
    TMF_END,
};
