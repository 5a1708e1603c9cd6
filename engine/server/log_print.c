/* log_print.c: log pieces, cut anywhere, as what people and programs read. */
#include "server/log_print.h"

#include "base/json.h"
#include "base/mem.h"
#include "exec/protocol.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 * 1024 }; /* longer ones are shown in parts */

struct open_line { /* of one step's stream: what came since its last newline */
    uint32_t step, attempt;
    uint8_t stream;
    int64_t time_us;
    struct text text;
    struct open_line *next;
};

struct log_printer {
    const struct plan *plan;
    enum log_format format;
    bool one_step;
    struct open_line *lines;
};

struct log_printer *log_printer_new(const struct plan *plan, enum log_format format, bool one_step)
{
    struct log_printer *printer = mem_alloc(sizeof *printer);
    *printer = (struct log_printer){plan, format, one_step, NULL};
    return printer;
}

void log_printer_free(struct log_printer **printer)
{
    struct log_printer *one = take(printer);
    if (!one) return;
    while (one->lines) {
        struct open_line *line = one->lines;
        one->lines = line->next;
        text_release(&line->text);
        free(line);
    }
    free(one);
}

static void add_path(const struct log_printer *printer, uint32_t step, struct text *out)
{
    if (printer->plan && step < printer->plan->step_count)
        text_add(out, printer->plan->steps[step].path);
    else
        text_add_format(out, "%u", step);
}

static const char *stream_name(uint8_t stream)
{
    return stream == LOG_STDOUT ? "stdout" : stream == LOG_STDERR ? "stderr" : "engine";
}

/* JSON holds UTF-8 only: other bytes become U+FFFD. */
static json_t *to_json_text(const char *bytes, size_t size)
{
    json_t *text = json_stringn(bytes, size);
    if (text) return text;
    struct text clean = {0};
    for (size_t i = 0; i < size;) {
        size_t length = 1;
        while (length <= 4 && i + length <= size && !text_is_utf8(bytes + i, length))
            length++;
        bool good = length <= 4 && i + length <= size;
        text_add_bytes(&clean, good ? bytes + i : "\xef\xbf\xbd", good ? length : 3);
        i += good ? length : 1;
    }
    text = json_stringn(text_view(&clean), clean.size);
    text_release(&clean);
    return text;
}

static void print_json_line(const struct log_printer *printer, const struct open_line *line, struct text *out)
{
    struct text path = {0};
    add_path(printer, line->step, &path);
    AUTO(free_json)
    json_t *object = json_pack("{s:s, s:I, s:s, s:I, s:o}", "step", text_view(&path), "attempt", (json_int_t)line->attempt, "stream",
        stream_name(line->stream), "time_ms", (json_int_t)(line->time_us / 1000), "text",
        to_json_text(text_view(&line->text), line->text.size));
    text_release(&path);
    char *text = json_dumps(object, JSON_COMPACT);
    text_add(out, text ? text : "{}");
    text_add_char(out, '\n');
    free(text);
}

static void print_line(const struct log_printer *printer, struct open_line *line, struct text *out)
{
    if (printer->format == LOG_FORMAT_JSON) {
        print_json_line(printer, line, out);
    } else {
        add_path(printer, line->step, out);
        text_add(out, " | ");
        text_add_bytes(out, text_view(&line->text), line->text.size);
        text_add_char(out, '\n');
    }
    line->text.size = 0;
}

static struct open_line *find_line(struct log_printer *printer, const struct log_piece *piece)
{
    struct open_line *line = printer->lines;
    while (line && (line->step != piece->step || line->attempt != piece->attempt || line->stream != piece->stream))
        line = line->next;
    if (line) return line;
    line = mem_alloc(sizeof *line);
    line->step = piece->step;
    line->attempt = piece->attempt;
    line->stream = piece->stream;
    line->next = printer->lines;
    printer->lines = line;
    return line;
}

static void drop_line(struct log_printer *printer, struct open_line *line)
{
    struct open_line **at = &printer->lines;
    while (*at != line)
        at = &(*at)->next;
    *at = line->next;
    text_release(&line->text);
    free(line);
}

static void add_lines(struct log_printer *printer, const struct log_piece *piece, struct text *out)
{
    struct open_line *line = find_line(printer, piece);
    for (size_t at = 0; at < piece->size;) {
        const char *start = piece->bytes + at;
        size_t rest = piece->size - at, room = LINE_MAX_BYTES - line->text.size;
        const char *newline = memchr(start, '\n', rest < room ? rest : room);
        size_t size = newline ? (size_t)(newline - start) : rest < room ? rest : room;
        if (line->text.size == 0) line->time_us = piece->time_us;
        text_add_bytes(&line->text, start, size);
        at += size + (newline != NULL);
        if (newline || line->text.size == LINE_MAX_BYTES) print_line(printer, line, out);
    }
    if (line->text.size == 0) drop_line(printer, line);
}

void log_printer_add(struct log_printer *printer, const struct log_piece *piece, struct text *out)
{
    bool bytes_only = printer->format == LOG_FORMAT_RAW || (printer->format == LOG_FORMAT_TEXT && printer->one_step);
    if (!bytes_only)
        add_lines(printer, piece, out);
    else if (printer->format == LOG_FORMAT_TEXT || piece->stream != LOG_ENGINE)
        text_add_bytes(out, piece->bytes, piece->size);
}

void log_printer_finish(struct log_printer *printer, struct text *out)
{
    while (printer->lines) {
        print_line(printer, printer->lines, out);
        drop_line(printer, printer->lines);
    }
}
