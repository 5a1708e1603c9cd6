/* match.h: which route of the mounted tables a method and a path mean. */
#ifndef CRESCENDO_HTTP_MATCH_H
#define CRESCENDO_HTTP_MATCH_H

#include "base/text.h"
#include "http/server.h"

enum { MATCH_PARTS_MAX = 4, MATCH_SEGMENTS_MAX = 16 };

struct match {
    const struct http_mount *mount;
    const struct route *route;
    void *context;
    struct {
        const char *name; /* in the route's path: not ended by NUL */
        size_t name_size;
        char *value; /* decoded */
    } parts[MATCH_PARTS_MAX];
    size_t part_count;
};

enum match_result { MATCH_FOUND, MATCH_NO_PATH, MATCH_NO_METHOD, MATCH_MALFORMED };

/* path is as it came, percent-encoded: "/v1/runs/7/approvals/indoor%2Frelease"; a coded slash stays within its part. HEAD finds GET.
   FOUND fills *ret (match_release frees). NO_METHOD appends the methods there are to *allow: "GET, POST". */
enum match_result match_route(const struct http_mount *mounts, const char *method, const char *path, struct match *ret, struct text *allow);
/* The mount whose own format of errors holds for a path that none of them may have: the first with error_body and a route that begins
   with the same part. NULL: the common format. */
const struct http_mount *match_error_mount(const struct http_mount *mounts, const char *path);
void match_release(struct match *match);
const char *match_part(const struct match *match, const char *name); /* NULL when the route has no such part */

#endif
