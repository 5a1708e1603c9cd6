/* terminal.c: what standard output is, and how things look on it. */
#include "cli/terminal.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void terminal_measure(struct terminal *terminal, int fd)
{
    struct winsize size = {0};
    if (!terminal->is_tty || ioctl(fd, TIOCGWINSZ, &size) < 0) return;
    terminal->columns = size.ws_col ? size.ws_col : 80;
    terminal->rows = size.ws_row ? size.ws_row : 24;
}

struct terminal terminal_of(int fd, bool no_colour)
{
    const char *kind = getenv("TERM"), *unwanted = getenv("NO_COLOR");
    struct terminal terminal = {.is_tty = isatty(fd) && !text_equal(kind, "dumb")};
    terminal.colour = terminal.is_tty && !no_colour && !(unwanted && *unwanted);
    terminal_measure(&terminal, fd);
    return terminal;
}

const char *style_open(enum style style, bool colour)
{
    static const char *const codes[] = {[STYLE_PLAIN] = "",
        [STYLE_GOOD] = "\x1b[32m",
        [STYLE_BAD] = "\x1b[31m",
        [STYLE_BUSY] = "\x1b[36m",
        [STYLE_WAIT] = "\x1b[33m",
        [STYLE_QUIET] = "\x1b[2m",
        [STYLE_STRONG] = "\x1b[1m"};
    return colour ? codes[style] : "";
}

const char *style_close(enum style style, bool colour)
{
    return colour && style != STYLE_PLAIN ? "\x1b[0m" : "";
}

struct look {
    const char *state;
    enum style style;
    const char *symbol;
};

static const struct look *look_of(const char *state)
{
    static const struct look looks[] = {{"queued", STYLE_QUIET, "○"}, {"pending", STYLE_QUIET, "○"}, {"ready", STYLE_QUIET, "○"},
        {"starting", STYLE_BUSY, "●"}, {"running", STYLE_BUSY, "●"}, {"waiting", STYLE_WAIT, "◦"}, {"parked", STYLE_WAIT, "◦"},
        {"cancelling", STYLE_WAIT, "●"}, {"succeeded", STYLE_GOOD, "✓"}, {"reused", STYLE_GOOD, "✓"}, {"failed", STYLE_BAD, "✗"},
        {"cancelled", STYLE_WAIT, "–"}, {"skipped", STYLE_QUIET, "–"}, {"unknown", STYLE_BAD, "?"}, {"needs_person", STYLE_BAD, "?"},
        {"rolling_back", STYLE_WAIT, "↺"}, {"rolled_back", STYLE_WAIT, "↺"}, {"rollback_failed", STYLE_BAD, "✗"},
        {"acknowledged", STYLE_QUIET, "○"}, {"inProgress", STYLE_BUSY, "●"}, {"completed", STYLE_GOOD, "✓"}, {"partial", STYLE_BAD, "✗"},
        {"rejected", STYLE_BAD, "✗"}, {"held", STYLE_BAD, "?"}, {"assessingCancellation", STYLE_WAIT, "●"},
        {"pendingCancellation", STYLE_WAIT, "●"}, {"reserved", STYLE_QUIET, "○"}, {"active", STYLE_GOOD, "✓"},
        {"inactive", STYLE_WAIT, "–"}, {"terminated", STYLE_QUIET, "–"}, {"Active", STYLE_GOOD, "✓"}, {"Launched", STYLE_GOOD, "✓"},
        {"Retired", STYLE_QUIET, "–"}, {"healthy", STYLE_GOOD, "✓"}, {"unhealthy", STYLE_BAD, "✗"}, {"backoff", STYLE_WAIT, "↺"},
        {"draining", STYLE_WAIT, "●"}, {"stopping", STYLE_WAIT, "●"}, {"compensating", STYLE_WAIT, "↺"}, {"compensated", STYLE_WAIT, "↺"},
        {"compensation_failed", STYLE_BAD, "✗"}};
    static const struct look other = {"", STYLE_PLAIN, "·"};
    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (text_equal(looks[i].state, state)) return &looks[i];
    return &other;
}

enum style style_of_state(const char *state)
{
    return look_of(state)->style;
}

const char *symbol_of_state(const char *state)
{
    return look_of(state)->symbol;
}

void text_add_styled(struct text *text, enum style style, bool colour, const char *words)
{
    text_add(text, style_open(style, colour));
    text_add(text, words);
    text_add(text, style_close(style, colour));
}
