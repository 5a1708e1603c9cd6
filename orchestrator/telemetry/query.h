/* query.h: what a telemetry request asks for: of which domain, which services, which time. Within this folder only. */
#ifndef CRESCENDO_TELEMETRY_QUERY_H
#define CRESCENDO_TELEMETRY_QUERY_H

#include "crescendo/route.h"
#include "orchestrator/telemetry/reader.h"

struct telemetry_query {            /* made by query_read; query_release frees */
    struct telemetry_filter filter; /* its arms are owned */
    bool has_from, has_to;
    struct telemetry_cursor after;
    int64_t limit, step_us; /* 0: none was given */
};

/* From the parameters service, version, family, from, to, after, limit, step. The reader was refreshed. A service that recorded nothing
   yet is none of the arms. -ERROR_INVALID. */
int query_read(
    const struct request *request, const struct telemetry_reader *reader, struct telemetry_query *ret, struct error *err) MUST_CHECK;
void query_release(struct telemetry_query *query);

#endif
