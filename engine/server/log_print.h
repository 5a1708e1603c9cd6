/* log_print.h: log pieces, cut anywhere, as what people and programs read. Pure but for its memory. */
#ifndef CRESCENDO_SERVER_LOG_PRINT_H
#define CRESCENDO_SERVER_LOG_PRINT_H

#include "base/text.h"
#include "plan/plan.h"
#include "store/logs.h"

enum log_format {
    LOG_FORMAT_TEXT, /* as printed; of several steps: each line with "path | " before it */
    LOG_FORMAT_JSON, /* a line each: {step, attempt, stream, time_ms, text} */
    LOG_FORMAT_RAW,  /* the bytes that the steps wrote, and nothing else */
};

struct log_printer; /* keeps the lines that have no end yet */

/* plan is borrowed for the printer's life and may be NULL: then steps are numbers. */
struct log_printer *log_printer_new(const struct plan *plan, enum log_format format, bool one_step);
void log_printer_free(struct log_printer **printer);
void log_printer_add(struct log_printer *printer, const struct log_piece *piece, struct text *out);
void log_printer_finish(struct log_printer *printer, struct text *out); /* prints lines without an end */

#endif
