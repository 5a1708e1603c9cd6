/* yaml_bytes.c: what a file's bytes must be before a YAML parser sees them.
   What passes has only line feeds as line breaks (a carriage return may stand before one), so that our line numbers, libyaml's
   and the editor's agree, and shows a reader what it says: no control characters, no marks that turn the writing direction. */
#include "spec/yaml_bytes.h"

#include "base/text.h"
#include "crescendo/limits.h"

#include <string.h>

static void find_lines(const struct source *source, struct arena *arena, struct yaml_document *document)
{
    size_t count = 1;
    for (size_t i = 0; i < source->size; i++)
        count += source->bytes[i] == '\n';
    size_t *starts = arena_alloc_array(arena, count, sizeof *starts);
    size_t line = 1;
    for (size_t i = 0; i < source->size; i++)
        if (source->bytes[i] == '\n') starts[line++] = i + 1;
    document->line_starts = starts;
    document->line_count = count;
}

static struct location locate_byte(const struct yaml_document *document, size_t offset)
{
    size_t low = 0, high = document->line_count; /* the last line that starts at or before offset */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (document->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    const struct source *source = document->source;
    size_t start = document->line_starts[low];
    return (struct location){source->name, (unsigned)low + 1, (unsigned)text_columns(source->bytes + start, offset - start) + 1};
}

/* Bytes of the character at bytes, and its number. The text is known to be UTF-8. */
static size_t decode(const unsigned char *bytes, uint32_t *ret_character)
{
    size_t length = *bytes < 0x80 ? 1 : *bytes < 0xe0 ? 2 : *bytes < 0xf0 ? 3 : 4;
    uint32_t character = length == 1 ? *bytes : (uint32_t)(*bytes & (0xff >> (length + 1)));
    for (size_t i = 1; i < length; i++)
        character = character << 6 | (bytes[i] & 0x3f);
    *ret_character = character;
    return length;
}

/* What is wrong with a character; NULL when nothing is. */
static const char *character_fault(uint32_t c, unsigned char next)
{
    if (c == '\r') return next == '\n' ? NULL : "a carriage return without a line feed";
    if ((c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c < 0xa0)) return "a control character";
    if (c == 0x2028 || c == 0x2029) return "an invisible line break";
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) return "a mark that turns the writing direction";
    if (c == 0xfeff || c == 0xfffe || c == 0xffff) return "a byte order mark";
    return NULL;
}

static int check_characters(const struct yaml_document *document, struct diagnostics *list)
{
    const unsigned char *bytes = (const unsigned char *)document->source->bytes;
    size_t size = document->source->size, length;
    int faults = 0;
    for (size_t at = 0; at < size; at += length) {
        uint32_t character;
        if (bytes[at] >= 0x20 && bytes[at] < 0x7f) {
            length = 1;
            continue;
        }
        length = decode(bytes + at, &character);
        const char *fault = character_fault(character, at + length < size ? bytes[at + length] : 0);
        if (!fault) continue;
        diagnostics_add(list, "character", locate_byte(document, at), 0,
            "remove it; where it is meant, write it as an escape in double quotes, like \"\\u0007\"", "%s (U+%04X) in the file", fault,
            character);
        if (++faults == 10) break; /* a binary file: enough said */
    }
    return faults ? -ERROR_INVALID : 0;
}

/* Where the first byte stands that belongs to no character. */
static size_t first_bad_byte(const char *bytes, size_t size)
{
    size_t at = 0, length = 1;
    for (; at < size; at += length) {
        for (length = 1; length <= 4 && length <= size - at && !text_is_utf8(bytes + at, length);)
            length++;
        if (length > 4 || length > size - at) break;
    }
    return at;
}

static int check_encoding(const struct yaml_document *document, struct diagnostics *list)
{
    const struct source *source = document->source;
    if (text_is_utf8(source->bytes, source->size)) return 0;
    size_t at = first_bad_byte(source->bytes, source->size);
    diagnostics_add(list, "encoding", locate_byte(document, at), 0, "save the file as UTF-8",
        "the file is not UTF-8: byte 0x%02X is not part of a character", (unsigned char)source->bytes[at]);
    return -ERROR_INVALID;
}

int yaml_check_bytes(const struct source *source, struct arena *arena, struct diagnostics *list, struct yaml_document *document)
{
    struct source *checked = arena_alloc(arena, sizeof *checked);
    *checked = *source;
    if (source->size >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0) {
        checked->bytes += 3;
        checked->size -= 3;
    }
    document->source = checked;
    if (source->size > LIMIT_PIPELINE_BYTES) {
        diagnostics_add(list, "too-large", (struct location){source->name, 1, 1}, 0,
            "split it: stages can come from pipelines/NAME.yaml by use", "the file has %zu bytes; at most %d are read", source->size,
            LIMIT_PIPELINE_BYTES);
        return -ERROR_INVALID;
    }
    find_lines(checked, arena, document);
    int failed = check_encoding(document, list);
    return failed ? failed : check_characters(document, list);
}
