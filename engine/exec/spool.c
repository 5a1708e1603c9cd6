/* spool.c: reads frames of reports: from the socket or from RUN/reports. */
#include "exec/spool.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Copies a text field and remembers where: the builder may still move. */
static size_t keep(struct view *payload, struct text *text, size_t *ret_size)
{
    size_t at = text->size;
    const char *bytes = view_text(payload, ret_size);
    text_add_bytes(text, bytes, *ret_size);
    text_add_char(text, '\0');
    return at;
}

static void read_exit(struct view *payload, struct text *text, struct supervisor_report *report)
{
    size_t outputs_size, size;
    report->cause = (enum shim_cause)view_u32(payload);
    report->exit_code = (int)view_u32(payload);
    report->signal = (int)view_u32(payload);
    report->cpu_us = view_u64(payload);
    report->memory_bytes = view_u64(payload);
    report->log_bytes = view_u64(payload);
    size_t outputs = keep(payload, text, &outputs_size), message = keep(payload, text, &size);
    report->outputs = text->bytes + outputs;
    report->outputs_size = outputs_size;
    report->text = text->bytes + message;
}

static void read_started(struct view *payload, struct supervisor_report *report)
{
    report->pid = view_u32(payload);
    report->degree = view_u32(payload);
    report->log_offset = view_u64(payload);
}

static void read_text(struct view *payload, struct text *text, struct supervisor_report *report)
{
    size_t size, at = keep(payload, text, &size);
    report->text = text->bytes + at;
}

bool report_read(unsigned type, struct view payload, struct text *text, struct supervisor_report *ret)
{
    if (type < SHIM_STARTED || type > SHIM_ISOLATION) return false;
    text->size = 0;
    text_add(text, ""); /* so that there are bytes to point to */
    struct supervisor_report report = {.type = (enum shim_report)type, .text = "", .outputs = ""};
    report.sequence = view_u64(&payload);
    report.time_ms = (int64_t)view_u64(&payload);
    if (type == SHIM_ISOLATION) {
        report.stage = view_u32(&payload);
        report.degree = view_u32(&payload);
        read_text(&payload, text, &report);
    } else {
        report.step = view_u32(&payload);
        report.attempt = view_u32(&payload);
        if (type == SHIM_STARTED) read_started(&payload, &report);
        if (type == SHIM_LINE || type == SHIM_REFUSED) read_text(&payload, text, &report);
        if (type == SHIM_EXITED) read_exit(&payload, text, &report);
    }
    if (payload.bad || report.cause > SHIM_CAUSE_PROCESSES) return false;
    *ret = report;
    return true;
}

static bool is_of_this_boot(const char *folder)
{
    AUTO(free_text) char *path = mem_format("%s/boot", folder);
    AUTO(free_text) char *now = NULL;
    AUTO(free_text) char *then = NULL;
    if (!file_exists(path) || file_read(BOOT_ID_PATH, 64, &now, NULL, NULL)) return true; /* an older shim's folder; nobody can tell */
    return file_read(path, 64, &then, NULL, NULL) == 0 && strlen(then) >= BOOT_ID_BYTES && strncmp(then, now, BOOT_ID_BYTES) == 0;
}

void spool_read(
    const char *folder, uint64_t *sequence, void (*report)(void *context, const struct supervisor_report *report), void *context)
{
    AUTO(free_text) char *path = mem_format("%s/reports", folder);
    AUTO(free_text) char *bytes = NULL;
    size_t size, at = 0;
    if (!is_of_this_boot(folder)) return;
    if (file_read(path, SIZE_MAX / 2, &bytes, &size, NULL)) return;
    struct text text = {0};
    unsigned type;
    struct view payload;
    while (frame_peek((const unsigned char *)bytes + at, size - at, &type, &payload) > 0) {
        struct supervisor_report read;
        if (!report_read(type, payload, &text, &read)) break;
        at += frame_size(payload);
        if (read.sequence <= *sequence) continue;
        *sequence = read.sequence;
        report(context, &read);
    }
    text_release(&text);
}
