/* diagnose_line.c: one line of a file as it can be shown. Columns of the file are characters; columns of a terminal are cells, of
   which a character has none (combining), one, two (East Asian, pictures) or several (a tab, an escaped control character). */
#include "spec/diagnose_line.h"

#include <string.h>

enum { CELLS_MAX = 120, TAB_CELLS = 4 };

struct range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

static size_t cells_of(uint32_t c)
{
    static const struct range none[] = {{0x300, 0x36f}, {0x200b, 0x200d}, {0xfe00, 0xfe0f}, {0x20d0, 0x20ff}};
    static const struct range two[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
        {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (c < 0x300) return 1;
    if (in_ranges(c, none, sizeof none / sizeof *none)) return 0;
    return in_ranges(c, two, sizeof two / sizeof *two) ? 2 : 1;
}

static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0xfeff;
}

/* One character: its bytes, and how it is shown. */
struct piece {
    size_t size, cells;
    char escaped[20]; /* empty: as it is */
};

static void escape(struct piece *piece, const unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < piece->size; i++) {
        piece->escaped[i * 4] = '\\';
        piece->escaped[i * 4 + 1] = 'x';
        piece->escaped[i * 4 + 2] = digits[bytes[i] >> 4];
        piece->escaped[i * 4 + 3] = digits[bytes[i] & 15];
    }
    piece->cells = piece->size * 4;
}

static struct piece piece_at(const char *text, size_t left)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct piece piece = {.size = 1, .cells = 1};
    if (*bytes == '\t') {
        memset(piece.escaped, ' ', TAB_CELLS);
        piece.cells = TAB_CELLS;
        return piece;
    }
    size_t length = *bytes < 0x80 ? 1 : *bytes < 0xe0 ? 2 : *bytes < 0xf0 ? 3 : 4;
    bool sound = length <= left && text_is_utf8(text, length);
    uint32_t c = length == 1 ? *bytes : (uint32_t)(*bytes & (0xff >> (length + 1)));
    for (size_t i = 1; sound && i < length; i++)
        c = c << 6 | (bytes[i] & 0x3f);
    if (sound) piece.size = length;
    if (!sound || is_unsafe(c))
        escape(&piece, bytes);
    else
        piece.cells = cells_of(c);
    return piece;
}

static void add_piece(struct text *out, const char *text, const struct piece *piece)
{
    if (piece->escaped[0])
        text_add(out, piece->escaped);
    else
        text_add_bytes(out, text, piece->size);
}

void diagnose_add_clean(struct text *out, const char *text)
{
    size_t left = strcspn(text, "\n");
    for (struct piece piece; left > 0; text += piece.size, left -= piece.size) {
        piece = piece_at(text, left);
        add_piece(out, text, &piece);
    }
}

/* The bytes of a line, without its end. */
static bool find_line(const struct source_set *sources, struct location at, const char **ret_line, size_t *ret_size)
{
    const struct source *source = NULL;
    for (size_t i = 0; at.file && !source && i < sources->count; i++)
        if (strcmp(sources->items[i].name, at.file) == 0) source = &sources->items[i];
    if (!source || at.line == 0) return false;
    const char *line = source->bytes, *end = source->bytes + source->size;
    if (source->size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) line += 3;
    for (unsigned i = 1; i < at.line; i++) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next) return false;
        line = next + 1;
    }
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    *ret_line = line;
    *ret_size = (size_t)((stop ? stop : end) - line);
    if (*ret_size && line[*ret_size - 1] == '\r') --*ret_size;
    return true;
}

/* The cells before a column (from 1) of the file. */
static size_t cells_before(const char *line, size_t size, unsigned column)
{
    size_t cells = 0;
    for (unsigned at = 1; size > 0 && at < column; at++) {
        struct piece piece = piece_at(line, size);
        cells += piece.cells;
        line += piece.size;
        size -= piece.size;
    }
    return cells;
}

/* The cells from `from` on, at most CELLS_MAX; what is left out is shown by dots. Returns the cell that is the first shown one. */
static size_t add_window(struct text *out, const char *line, size_t size, size_t from)
{
    size_t cell = 0, first = from;
    bool begun = false;
    if (from) text_add(out, "...");
    for (struct piece piece; size > 0; line += piece.size, size -= piece.size, cell += piece.cells) {
        piece = piece_at(line, size);
        if (cell < from) continue;
        if (!begun) first = cell;
        begun = true;
        if (cell + piece.cells > from + CELLS_MAX) {
            text_add(out, "...");
            break;
        }
        add_piece(out, line, &piece);
    }
    return first;
}

bool diagnose_show_line(const struct source_set *sources, struct location at, unsigned width, struct shown_line *ret)
{
    const char *line;
    size_t size, from = 0;
    if (!find_line(sources, at, &line, &size)) return false;
    size_t caret = cells_before(line, size, at.column), end = cells_before(line, size, at.column + (width ? width : 1));
    if (cells_before(line, size, UINT32_MAX) > CELLS_MAX && caret > CELLS_MAX / 2) from = caret - CELLS_MAX / 2;
    *ret = (struct shown_line){.caret = caret};
    size_t first = add_window(&ret->text, line, size, from);
    if (from) ret->caret = caret - first + 3;
    size_t room = first + CELLS_MAX > caret ? first + CELLS_MAX - caret : 1; /* a caret may stand behind a line that fills the width */
    ret->width = end > caret ? end - caret : 1;
    if (ret->width > room) ret->width = room;
    return true;
}
