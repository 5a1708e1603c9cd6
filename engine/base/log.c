/* log.c: the server's own log. A terminal gets plain lines, a journal gets syslog's <level> prefix. */
#include "base/log.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <unistd.h>

void log_line(enum log_level level, const char *format, ...)
{
    struct text line = {0};
    if (getenv("JOURNAL_STREAM"))
        text_add_format(&line, "<%d>", (int)level);
    else
        text_add(&line, level == LOG_LEVEL_ERROR ? "error: " : level == LOG_LEVEL_WARNING ? "warning: " : "");
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&line, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < line.size; i++) /* what others wrote must not look like a line of ours, or steer a terminal */
        if ((unsigned char)line.bytes[i] < ' ' || line.bytes[i] == 127) line.bytes[i] = ' ';
    text_add_char(&line, '\n');
    int ignored = file_write_all(STDERR_FILENO, line.bytes, line.size); /* nobody to tell when the log fails */
    (void)ignored;
    text_release(&line);
}

void log_error(const struct error *err, const char *context)
{
    log_line(LOG_LEVEL_ERROR, "%s: %s%s%s", context, err->message, err->hint[0] ? "; " : "", err->hint);
}
