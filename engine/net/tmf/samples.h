/* samples.h: each request that the services of a family answered, as their domain recorded it (docs/formats/telemetry.md), read on from a
   place. Blocking. */
#ifndef CRESCENDO_NET_TMF_SAMPLES_H
#define CRESCENDO_NET_TMF_SAMPLES_H

#include "net/tmf/client.h"

enum { SAMPLE_PLACE_SIZE = 24 };

struct sample {
    const char *service; /* its id; "" = none took it */
    uint32_t duration_us;
    unsigned status;
    bool aborted;   /* the client left before the answer's end */
    bool no_server; /* no instance took it */
};

struct sample_question {
    const char *domain, *family;
    const char *after; /* a place that an earlier answer named; NULL: nothing that is there yet, only the place behind it */
    size_t limit;      /* of samples; what is left is behind the place that is handed back */
    int patience_ms;   /* how long a peer that cannot be reached is tried again */
};

struct sample_sink {
    void (*sample)(void *context, const struct sample *sample); /* the sample is gone when it returns */
    void (*gap)(void *context, int64_t lost);                   /* so many were not recorded */
    void *context;
};

/* Reads page by page to the present end, or the limit. Where it fails the sink may have been told a part: throw that away. Errors as in
   client.h; -ERROR_STATE: the records are not those of the place any more. */
int samples_read(const struct tmf_client *client, const struct sample_question *question, const struct sample_sink *sink,
    char ret_next[SAMPLE_PLACE_SIZE], struct error *err) MUST_CHECK;

#endif
