/* inflate.c: DEFLATE by canonical Huffman codes, bit by bit: small rather than quick, for objects of some kilobytes. */
#include "trigger/hook/inflate.h"

#include <string.h>

enum { CODE_BITS = 15, LITERALS = 288, DISTANCES = 30, LENGTHS = 19, END_OF_BLOCK = 256 };

struct reader {
    const unsigned char *at, *end;
    unsigned bits, count; /* read but not used; how many of them */
    bool bad;             /* there was nothing left to read, or it meant nothing */
    struct text *out;
    size_t start, limit; /* in out: where the stream began; how much may be appended */
};

/* How many codes have each length, and the symbols in the order of their codes. */
struct codes {
    unsigned short counts[CODE_BITS + 1], symbols[LITERALS];
};

static unsigned take_bits(struct reader *reader, unsigned wanted)
{
    while (reader->count < wanted) {
        if (reader->at == reader->end) {
            reader->bad = true;
            return 0;
        }
        reader->bits |= (unsigned)*reader->at++ << reader->count;
        reader->count += 8;
    }
    unsigned value = reader->bits & ((1U << wanted) - 1);
    reader->bits >>= wanted;
    reader->count -= wanted;
    return value;
}

static bool is_full(const struct reader *reader)
{
    return reader->out->size - reader->start >= reader->limit;
}

/* false: more codes than their lengths leave room for. */
static bool codes_make(struct codes *codes, const unsigned char *lengths, unsigned count)
{
    unsigned short places[CODE_BITS + 2] = {0};
    int left = 1;
    memset(codes->counts, 0, sizeof codes->counts);
    for (unsigned i = 0; i < count; i++)
        codes->counts[lengths[i]]++;
    codes->counts[0] = 0;
    for (unsigned length = 1; length <= CODE_BITS; length++) {
        left = left * 2 - codes->counts[length];
        if (left < 0) return false;
        places[length + 1] = (unsigned short)(places[length] + codes->counts[length]);
    }
    for (unsigned i = 0; i < count; i++)
        if (lengths[i]) codes->symbols[places[lengths[i]]++] = (unsigned short)i;
    return true;
}

static unsigned take_symbol(struct reader *reader, const struct codes *codes)
{
    unsigned code = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= CODE_BITS && !reader->bad; length++) {
        code |= take_bits(reader, 1);
        unsigned count = codes->counts[length];
        if (code < first + count) return codes->symbols[index + code - first];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    reader->bad = true;
    return END_OF_BLOCK;
}

static void copy_back(struct reader *reader, size_t distance, size_t length)
{
    struct text *out = reader->out;
    if (distance > out->size - reader->start) {
        reader->bad = true;
        return;
    }
    for (; length > 0 && !is_full(reader); length--)
        text_add_char(out, out->bytes[out->size - distance]);
}

static void repeat(struct reader *reader, unsigned symbol, const struct codes *distances)
{
    static const unsigned short length_bases[] = {
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const unsigned short distance_bases[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025,
        1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    static const unsigned char distance_bits[] = {
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
    unsigned length = symbol - END_OF_BLOCK - 1;
    if (length >= sizeof length_bits) {
        reader->bad = true;
        return;
    }
    size_t size = length_bases[length] + take_bits(reader, length_bits[length]);
    unsigned distance = take_symbol(reader, distances);
    if (distance >= DISTANCES) reader->bad = true;
    if (reader->bad) return;
    size_t back = distance_bases[distance] + take_bits(reader, distance_bits[distance]);
    if (!reader->bad) copy_back(reader, back, size);
}

static void take_packed(struct reader *reader, const struct codes *literals, const struct codes *distances)
{
    while (!reader->bad && !is_full(reader)) {
        unsigned symbol = take_symbol(reader, literals);
        if (reader->bad || symbol == END_OF_BLOCK) return;
        if (symbol < END_OF_BLOCK)
            text_add_char(reader->out, (char)symbol);
        else
            repeat(reader, symbol, distances);
    }
}

static void take_stored(struct reader *reader)
{
    take_bits(reader, reader->count & 7);
    unsigned size = take_bits(reader, 16), complement = take_bits(reader, 16);
    if (size != (~complement & 0xffff)) reader->bad = true;
    for (; size > 0 && !reader->bad && !is_full(reader); size--) {
        unsigned byte = take_bits(reader, 8);
        if (!reader->bad) text_add_char(reader->out, (char)byte);
    }
}

static void take_fixed(struct reader *reader)
{
    struct codes literals, distances;
    unsigned char lengths[LITERALS];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    codes_make(&literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    codes_make(&distances, lengths, DISTANCES);
    take_packed(reader, &literals, &distances);
}

/* The lengths of both codes, themselves packed: a symbol below 16 is a length, 16 repeats the last one, 17 and 18 are many zeros. */
static void take_lengths(struct reader *reader, const struct codes *codes, unsigned char *lengths, unsigned count)
{
    for (unsigned i = 0; i < count && !reader->bad;) {
        unsigned symbol = take_symbol(reader, codes), times = 1;
        if (symbol == 16) times = 3 + take_bits(reader, 2);
        if (symbol == 17) times = 3 + take_bits(reader, 3);
        if (symbol == 18) times = 11 + take_bits(reader, 7);
        if (times > count - i || symbol > 18 || (symbol == 16 && i == 0)) {
            reader->bad = true;
            return;
        }
        memset(lengths + i, symbol < 16 ? (int)symbol : symbol == 16 ? lengths[i - 1] : 0, times);
        i += times;
    }
}

static void take_dynamic(struct reader *reader)
{
    static const unsigned char order[LENGTHS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[LITERALS + DISTANCES + 2] = {0};
    struct codes literals, distances;
    unsigned literal_count = 257 + take_bits(reader, 5), distance_count = 1 + take_bits(reader, 5), count = 4 + take_bits(reader, 4);
    if (literal_count > LITERALS - 2 || distance_count > DISTANCES) reader->bad = true;
    if (reader->bad) return;
    for (unsigned i = 0; i < count; i++)
        lengths[order[i]] = (unsigned char)take_bits(reader, 3);
    if (reader->bad || !codes_make(&literals, lengths, LENGTHS)) {
        reader->bad = true;
        return;
    }
    memset(lengths, 0, sizeof lengths);
    take_lengths(reader, &literals, lengths, literal_count + distance_count);
    if (reader->bad || !codes_make(&literals, lengths, literal_count) || !codes_make(&distances, lengths + literal_count, distance_count)) {
        reader->bad = true;
        return;
    }
    take_packed(reader, &literals, &distances);
}

static unsigned adler32(const char *bytes, size_t size)
{
    unsigned a = 1, b = 0;
    for (size_t i = 0; i < size; i++) {
        a = (a + (unsigned char)bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static bool sum_is_right(struct reader *reader)
{
    unsigned sum = 0;
    take_bits(reader, reader->count & 7);
    for (unsigned i = 0; i < 4; i++)
        sum = sum << 8 | take_bits(reader, 8);
    return !reader->bad && sum == adler32(text_view(reader->out) + reader->start, reader->out->size - reader->start);
}

bool inflate_zlib(const unsigned char *bytes, size_t size, size_t limit, struct text *out)
{
    struct reader reader = {.at = bytes, .end = bytes + size, .out = out, .start = out->size, .limit = limit};
    unsigned method = take_bits(&reader, 8), flags = take_bits(&reader, 8);
    if (reader.bad || (method & 15) != 8 || (method << 8 | flags) % 31 || flags & 32) return false;
    for (bool last = false; !last && !reader.bad && !is_full(&reader);) {
        last = take_bits(&reader, 1);
        switch (take_bits(&reader, 2)) {
        case 0: take_stored(&reader); break;
        case 1: take_fixed(&reader); break;
        case 2: take_dynamic(&reader); break;
        default: reader.bad = true;
        }
    }
    if (reader.bad) return false;
    return is_full(&reader) || sum_is_right(&reader);
}
