/* facts.c: "name        value" lines. */
#include "cli/facts.h"

#include "base/moment.h"
#include "base/mem.h"
#include "cli/display.h"

enum { NO_LIMIT_COLUMNS = 4000 };

static size_t room(const struct terminal *terminal, size_t taken)
{
    size_t columns = terminal->columns ? terminal->columns : NO_LIMIT_COLUMNS;
    return columns > taken ? columns - taken : 1;
}

void fact_add(struct text *out, const struct terminal *terminal, const char *name, const char *value)
{
    if (!value || !*value) return;
    text_add(out, style_open(STYLE_QUIET, terminal->colour));
    text_add_format(out, "%-*s ", FACT_NAME_COLUMNS - 1, name);
    text_add(out, style_close(STYLE_QUIET, terminal->colour));
    display_add_cut(out, value, room(terminal, FACT_NAME_COLUMNS));
    text_add_char(out, '\n');
}

void fact_add_format(struct text *out, const struct terminal *terminal, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    AUTO(free_text) char *value = mem_format_list(format, arguments);
    va_end(arguments);
    fact_add(out, terminal, name, value);
}

void fact_add_time(struct text *out, const struct terminal *terminal, const char *name, int64_t ms)
{
    char buffer[MOMENT_TEXT_SIZE];
    if (ms) fact_add(out, terminal, name, moment_format(ms, buffer));
}

void fact_add_head(struct text *out, const struct terminal *terminal, const char *state, const char *words)
{
    enum style style = style_of_state(state);
    text_add(out, style_open(style, terminal->colour));
    text_add_format(out, "%s ", symbol_of_state(state));
    display_add_cut(out, words, room(terminal, 2));
    text_add(out, style_close(style, terminal->colour));
    text_add_char(out, '\n');
}
