/* job.h: an answer that is made in pieces, between which the loop goes round. Within this folder only.

   A job belongs to the API until its end, or until the API is closed: then its reader is gone, and `stop` has ended the answer. */
#ifndef CRESCENDO_TELEMETRY_JOB_H
#define CRESCENDO_TELEMETRY_JOB_H

#include "orchestrator/telemetry/query.h"
#include "orchestrator/telemetry/routes.h"

enum { JOBS_MAX = 32, PIECE_RECORDS = 16 * 1024 }; /* live at once; looked at in one go */

struct job {
    struct telemetry_api *api; /* NULL when it is closed */
    struct job *next, *previous;
    struct telemetry_reader *reader; /* borrowed */
    struct telemetry_query query;
    struct telemetry_cursor cursor;
    uv_idle_t idle;
    bool ended;
    void (*piece)(struct job *job);   /* the next one; calls job_pause or job_end when there is none */
    void (*stop)(struct job *job);    /* the API is closed: answers for the last time */
    void (*release)(struct job *job); /* what is behind the job, then free */
};

/* A domain's reader, refreshed, and what the request asks of it. False: the request was answered. */
bool job_begin(struct request *request, struct telemetry_api *api, struct job *job);
/* Hands it to the loop from now on; job_end frees it, when the loop comes round. */
void job_run(struct job *job);
void job_pause(struct job *job); /* no piece until job_resume */
void job_resume(struct job *job);
void job_end(struct job *job);

void handle_samples(struct request *request, void *context);
void handle_aggregates(struct request *request, void *context);

#endif
