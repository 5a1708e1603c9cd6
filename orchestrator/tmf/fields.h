/* fields.h: tables of members that several APIs share, after the official definitions (TMF v4). */
#ifndef CRESCENDO_TMF_FIELDS_H
#define CRESCENDO_TMF_FIELDS_H

#include "orchestrator/tmf/resource.h"

extern const struct tmf_field tmf_ref_fields[];          /* a reference: id, href, name, version */
extern const struct tmf_field tmf_party_fields[];        /* relatedParty: an id or only a name */
extern const struct tmf_field tmf_period_fields[];       /* validFor */
extern const struct tmf_field tmf_quantity_fields[];     /* amount, units */
extern const struct tmf_field tmf_attachment_fields[];   /* with `digest`, which is ours */
extern const struct tmf_field tmf_relationship_fields[]; /* between specifications or offerings: relationshipType */
extern const struct tmf_field tmf_char_value_fields[];   /* a value that a characteristic may have */

#endif
