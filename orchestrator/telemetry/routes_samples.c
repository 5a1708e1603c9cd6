/* routes_samples.c: GET /telemetry/v1/samples: every record as a line of JSON, as fast as the peer takes them. */
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "orchestrator/telemetry/job.h"

#include <stdlib.h>

enum { DEFAULT_LIMIT = 10000, LINES_A_PIECE = 2048, QUEUE_BYTES = 512 * 1024 };

struct samples {
    struct job job;
    struct stream *stream;
    int64_t left;   /* of the limit */
    unsigned lines; /* in this piece */
    struct text page;
    uint32_t arm;    /* the last record's */
    char *arm_words; /* and how it is called in a line; NULL: none yet */
};

static char *arm_words(const struct telemetry_reader *reader, uint32_t number)
{
    const struct telemetry_arm *arm = telemetry_arm_find(reader, number);
    if (!arm) return mem_copy_text("\"service\": null, \"version\": null");
    AUTO(free_json) json_t *service = json_string(arm->service);
    AUTO(free_json) json_t *version = json_string(arm->version);
    AUTO(free_text) char *service_text = json_dumps(service, JSON_ENCODE_ANY);
    AUTO(free_text) char *version_text = json_dumps(version, JSON_ENCODE_ANY);
    return mem_format("\"service\": %s, \"version\": %s", service_text, version_text);
}

static void add_flags(unsigned flags, struct text *out)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{TELEMETRY_ABORTED, "\"aborted\""}, {TELEMETRY_NO_SERVER, "\"no_server\""}, {TELEMETRY_RETRIED, "\"retried\""}};
    const char *comma = "";
    text_add(out, ", \"flags\": [");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!(flags & names[i].flag)) continue;
        text_add(out, comma);
        text_add(out, names[i].name);
        comma = ", ";
    }
    text_add(out, "]}\n");
}

static void add_sample(struct samples *samples, const struct telemetry_record *record)
{
    if (!samples->arm_words || samples->arm != record->arm) {
        free(samples->arm_words);
        samples->arm_words = arm_words(samples->job.reader, record->arm);
        samples->arm = record->arm;
    }
    text_add_format(&samples->page, "{\"time\": %lld, \"duration\": %u, \"status\": %u, %s, \"instance\": %u, \"bytes\": %llu",
        (long long)record->time_us, record->duration_us, record->status, samples->arm_words, record->instance,
        (unsigned long long)record->bytes);
    add_flags(record->flags, &samples->page);
}

static int on_record(void *context, const struct telemetry_record *record)
{
    struct samples *samples = context;
    if (record->flags & TELEMETRY_GAP)
        text_add_format(&samples->page, "{\"gap\": %llu, \"time\": %lld}\n", (unsigned long long)record->bytes, (long long)record->time_us);
    else
        add_sample(samples, record);
    samples->left--;
    return samples->left == 0 || ++samples->lines == LINES_A_PIECE;
}

/* The next lines into samples->page; *ret_last: the last line is among them. */
static int read_piece(struct samples *samples, bool *ret_last, struct error *err)
{
    struct job *job = &samples->job;
    char next[TELEMETRY_CURSOR_SIZE];
    bool at_end = false;
    samples->page.size = 0;
    samples->lines = 0;
    int failed = telemetry_read(job->reader, &job->query.filter, &job->cursor, PIECE_RECORDS, on_record, samples, &at_end, err);
    if (failed) return failed;
    *ret_last = at_end || samples->left == 0;
    if (*ret_last)
        text_add_format(
            &samples->page, "{\"next\": \"%s\", \"more\": %s}\n", telemetry_cursor_format(job->cursor, next), at_end ? "false" : "true");
    return 0;
}

/* In the middle of a 200 answer an error can only be a line; it has no `next`, so nobody takes what came before for all. */
static void add_error(struct samples *samples, const struct error *err)
{
    AUTO(free_json) json_t *line = json_object();
    json_t *error = json_object();
    json_put_text(error, "code", error_code_name(err->code));
    json_put_text(error, "message", err->message);
    json_put_text(error, "hint", err->hint);
    json_put(line, "error", error);
    AUTO(free_text) char *text = json_canonical(line);
    text_add_format(&samples->page, "%s\n", text);
}

static void write_page(struct samples *samples, bool last)
{
    stream_write(samples->stream, text_view(&samples->page), samples->page.size);
    if (!last) return;
    job_pause(&samples->job);
    stream_end(samples->stream);
}

static void send_piece(struct job *job)
{
    struct samples *samples = (struct samples *)job;
    struct error err = {0};
    bool last = true;
    if (stream_queued(samples->stream) > QUEUE_BYTES) {
        job_pause(job); /* until the peer has taken it */
        return;
    }
    if (read_piece(samples, &last, &err)) {
        log_error(&err, "telemetry samples");
        add_error(samples, &err);
    }
    write_page(samples, last);
}

static void on_drained(void *context)
{
    struct samples *samples = context;
    job_resume(&samples->job);
}

static void on_closed(void *context)
{
    struct samples *samples = context;
    job_end(&samples->job);
}

static void stop(struct job *job)
{
    stream_end(((struct samples *)job)->stream);
}

static void release(struct job *job)
{
    struct samples *samples = (struct samples *)job;
    text_release(&samples->page);
    free(samples->arm_words);
    free(samples);
}

static void begin_stream(struct request *request, struct samples *samples, bool last)
{
    samples->job.piece = send_piece;
    samples->job.stop = stop;
    samples->job.release = release;
    job_run(&samples->job);
    samples->stream = respond_stream(request, "application/x-ndjson", on_closed, samples);
    if (!last) stream_on_drained(samples->stream, on_drained);
    write_page(samples, last);
}

void handle_samples(struct request *request, void *context)
{
    struct samples *samples = mem_alloc(sizeof *samples);
    struct error err = {0};
    bool last = false;
    if (!job_begin(request, context, &samples->job)) {
        release(&samples->job);
        return;
    }
    samples->left = samples->job.query.limit ? samples->job.query.limit : DEFAULT_LIMIT;
    if (read_piece(samples, &last, &err)) { /* before the answer's status is sent */
        respond_error(request, &err);
        query_release(&samples->job.query);
        release(&samples->job);
        return;
    }
    begin_stream(request, samples, last);
}
