/* canonical_read.c: the canonical text back into JSON. It is what the journal holds by the megabyte and a restart reads all of, and its
   grammar is small: no spaces, keys in order (so none twice), few escapes. Whatever is not of it is left to jansson. */
#include "base/json.h"
#include "base/mem.h"

#include <string.h>

enum { DEPTH_MAX = 64, DIGITS_MAX = 18 };

struct reader {
    const char *at, *end;
    struct text unescaped; /* of the text that is read, where it has an escape */
};

struct piece {
    const char *bytes;
    size_t size;
};

static void reader_release(struct reader *reader)
{
    text_release(&reader->unescaped);
}

static bool take_byte(struct reader *reader, char byte)
{
    if (reader->at == reader->end || *reader->at != byte) return false;
    reader->at++;
    return true;
}

static bool take_word(struct reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0) return false;
    reader->at += size;
    return true;
}

static int hexadecimal(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Behind the backslash. -1: not one that is written here. */
static int take_escape(struct reader *reader)
{
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    if (reader->at == reader->end) return -1;
    const char *name = strchr(names, *reader->at);
    if (name && *name) return reader->at++, values[name - names];
    if (!take_word(reader, "u00") || reader->end - reader->at < 2) return -1;
    int high = hexadecimal(reader->at[0]), low = hexadecimal(reader->at[1]);
    reader->at += 2;
    return high < 0 || low < 0 || high > 1 || high + low == 0 ? -1 : 16 * high + low;
}

/* Up to the next quote or backslash. */
static bool take_plain(struct reader *reader, struct piece *ret)
{
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' && (unsigned char)*reader->at >= 0x20)
        reader->at++;
    *ret = (struct piece){start, (size_t)(reader->at - start)};
    return reader->at < reader->end && (unsigned char)*reader->at >= 0x20;
}

/* Borrowed, until the next text is read. */
static bool take_text(struct reader *reader, struct piece *ret)
{
    if (!take_byte(reader, '"') || !take_plain(reader, ret)) return false;
    if (take_byte(reader, '"')) return true;
    reader->unescaped.size = 0;
    for (struct piece plain = *ret;;) {
        text_add_bytes(&reader->unescaped, plain.bytes, plain.size);
        if (take_byte(reader, '"')) break;
        reader->at++;
        int byte = take_escape(reader);
        if (byte < 0) return false;
        text_add_char(&reader->unescaped, (char)byte);
        if (!take_plain(reader, &plain)) return false;
    }
    *ret = (struct piece){reader->unescaped.bytes, reader->unescaped.size};
    return true;
}

static json_t *read_value(struct reader *reader, unsigned depth);

/* A whole number that has one way to be written. */
static json_t *read_number(struct reader *reader)
{
    const char *start = reader->at;
    bool negative = take_byte(reader, '-');
    const char *digits = reader->at;
    int64_t value = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && reader->at - digits <= DIGITS_MAX; reader->at++)
        value = value * 10 + (*reader->at - '0');
    bool real = reader->at < reader->end && strchr(".eE", *reader->at);
    if (reader->at == digits || reader->at - digits > DIGITS_MAX || real) return NULL;
    if (*digits == '0' && reader->at - start > 1) return NULL;
    return json_integer(negative ? -value : value);
}

static json_t *read_array(struct reader *reader, unsigned depth)
{
    AUTO(free_json) json_t *array = json_array();
    if (take_byte(reader, ']')) return take(&array);
    for (;;) {
        json_t *item = read_value(reader, depth);
        if (!item) return NULL;
        json_array_append_new(array, item);
        if (take_byte(reader, ']')) return take(&array);
        if (!take_byte(reader, ',')) return NULL;
    }
}

static bool is_before(const struct text *last, const struct piece *key)
{
    int order = memcmp(text_view(last), key->bytes, last->size < key->size ? last->size : key->size);
    return order < 0 || (order == 0 && last->size < key->size);
}

static bool read_members(struct reader *reader, json_t *object, struct text *last, unsigned depth)
{
    for (bool first = true;; first = false) {
        struct piece key;
        if (!take_text(reader, &key) || !(first || is_before(last, &key)) || !take_byte(reader, ':')) return false;
        last->size = 0;
        text_add_bytes(last, key.bytes, key.size);
        json_t *value = read_value(reader, depth);
        if (!value || json_object_setn_new(object, last->bytes, last->size, value) < 0) return false;
        if (take_byte(reader, '}')) return true;
        if (!take_byte(reader, ',')) return false;
    }
}

static json_t *read_object(struct reader *reader, unsigned depth)
{
    AUTO(free_json) json_t *object = json_object();
    AUTO(text_release) struct text last = {0};
    if (take_byte(reader, '}')) return take(&object);
    return read_members(reader, object, &last, depth) ? take(&object) : NULL;
}

static json_t *read_value(struct reader *reader, unsigned depth)
{
    struct piece text;
    if (reader->at == reader->end || depth == 0) return NULL;
    switch (*reader->at) {
    case '"': return take_text(reader, &text) ? json_stringn(text.bytes, text.size) : NULL;
    case '{': return reader->at++, read_object(reader, depth - 1);
    case '[': return reader->at++, read_array(reader, depth - 1);
    case 't': return take_word(reader, "true") ? json_true() : NULL;
    case 'f': return take_word(reader, "false") ? json_false() : NULL;
    case 'n': return take_word(reader, "null") ? json_null() : NULL;
    default: return read_number(reader);
    }
}

json_t *json_from_canonical(const char *bytes, size_t size)
{
    AUTO(reader_release) struct reader reader = {.at = bytes, .end = bytes + size};
    AUTO(free_json) json_t *json = read_value(&reader, DEPTH_MAX);
    return reader.at == reader.end ? take(&json) : NULL;
}

int json_parse_stored(const char *bytes, size_t size, const char *source, json_t **ret_json, struct error *err)
{
    json_t *json = json_from_canonical(bytes, size);
    if (!json) return json_parse(bytes, size, source, ret_json, err);
    *ret_json = json;
    return 0;
}
