/* display.h: text from outside, made fit for a terminal: how wide it is, and without what could take the terminal over. Pure.
   Control characters, escape sequences, C1 controls and bidirectional overrides are dropped; bytes that are not UTF-8 become U+FFFD.
   Invariant: what a filter has let through never leaves the terminal in another state than it was at the start of the line. */
#ifndef CRESCENDO_CLI_DISPLAY_H
#define CRESCENDO_CLI_DISPLAY_H

#include "base/text.h"

enum display_keep {
    DISPLAY_LINE,   /* one line: line breaks and tabs become spaces, no colours */
    DISPLAY_COLOUR, /* lines and colours (SGR) stay, each line ends in the plain colour */
    DISPLAY_LINES,  /* lines stay, colours go */
};

/* A filter over a stream that comes in pieces. Starts as {.keep = ...}. */
struct display_filter {
    enum display_keep keep;
    unsigned char pending[8]; /* a started UTF-8 character */
    size_t pending_count, pending_wanted;
    enum display_state { DISPLAY_GROUND, DISPLAY_ESCAPE, DISPLAY_SEQUENCE, DISPLAY_STRING, DISPLAY_STRING_ESCAPE } state;
    char sequence[32]; /* the parameters of a control sequence, when it may be a colour */
    size_t sequence_size;
    bool coloured; /* a colour is on */
    bool carriage; /* the last character was a carriage return */
};
void display_filter_add(struct display_filter *filter, const char *bytes, size_t size, struct text *out);
void display_filter_end(struct display_filter *filter, struct text *out); /* what is still to be said at the end */

void display_add(struct text *out, const char *text, enum display_keep keep);

/* Columns on a terminal: wide characters take two, combining ones none, colours none. */
size_t display_width(const char *text);
/* Adds text, cleaned (DISPLAY_LINE), cut to at most columns with "…" where it is longer. Returns the columns it took. */
size_t display_add_cut(struct text *out, const char *text, size_t columns);
/* Adds text, cleaned (DISPLAY_LINE), broken at blanks into lines of at most columns (0: no limit), those behind the first indented. Ends
   without a line break. */
void display_add_wrapped(struct text *out, const char *text, size_t columns, size_t indent);

#endif
