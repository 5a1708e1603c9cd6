/* diagnose_line.h: one line of a file as it can be shown: no control characters, tabs as spaces, cut to a width. */
#ifndef CRESCENDO_SPEC_DIAGNOSE_LINE_H
#define CRESCENDO_SPEC_DIAGNOSE_LINE_H

#include "base/text.h"
#include "spec/pipeline.h"

/* Appends text so that a terminal shows it and does nothing else: control characters, bytes that are no UTF-8 and marks that turn the
   writing direction become \xNN; a line feed ends it. */
void diagnose_add_clean(struct text *out, const char *text);

struct shown_line {
    struct text text;    /* release */
    size_t caret, width; /* terminal columns in text, from 0: where to underline and how much (at least 1) */
};

/* The location's line with its mark; false where there is none (no such file or line). */
bool diagnose_show_line(const struct source_set *sources, struct location at, unsigned width, struct shown_line *ret);

#endif
