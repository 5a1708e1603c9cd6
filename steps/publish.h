/* publish.h: the parts of publishing, each in a file of its own. */
#ifndef CRESCENDO_STEPS_PUBLISH_H
#define CRESCENDO_STEPS_PUBLISH_H

#include "crescendo/step.h"
#include "net/tmf/client.h"
#include "net/tmf/publish_body.h"

/* inspect_perform.c: what a package says of itself (its manifest.json; docs/formats/package.md), and its digest and size: {file, name (of
   the file), digest, size, manifest}. New. -ERROR_INVALID: not a package of ours. */
int package_inspect(const char *file, json_t **ret, struct error *err) MUST_CHECK;

/* upload_perform.c: hands the archive to the catalogue's server, in pieces. Again is harmless: it lies there under its digest. */
int package_upload(const struct tmf_client *client, const char *file, const char *digest, int64_t size, struct error *err) MUST_CHECK;

/* catalogue_perform.c: the document of one part that the catalogue has of this publication; *ret NULL: none. ids: as in publish_body.
   -ERROR_CONFLICT: the version is there with another content. */
int catalogue_find(const struct tmf_client *client, enum publish_part part, const struct publication *publication,
    const json_t *const ids[PUBLISH_PART_COUNT], json_t **ret, struct error *err) MUST_CHECK;
enum tmf_collection publish_collection(enum publish_part part);
bool offering_is_active(const json_t *offering);

#endif
