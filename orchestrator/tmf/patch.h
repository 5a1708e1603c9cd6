/* patch.h: JSON merge patch, RFC 7386. Pure. */
#ifndef CRESCENDO_TMF_PATCH_H
#define CRESCENDO_TMF_PATCH_H

#include <jansson.h>

/* A new value: target with patch merged into it. Neither is changed. As deep as the patch is. */
json_t *tmf_merge(const json_t *target, const json_t *patch);

#endif
