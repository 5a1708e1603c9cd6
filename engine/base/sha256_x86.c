/* sha256_x86.c: SHA-256's rounds by SHA256RNDS2, SHA256MSG1 and SHA256MSG2 (Intel's Software Developer's Manual, volume 2B).
   RNDS2 does two rounds on the eight words of the state, held as two registers: a b e f and c d g h, the first word highest. MSG1 and
   MSG2 make the next four words of the message schedule from the sixteen before them. */
#include "base/sha256_blocks.h"

#include <stdlib.h>

#ifdef __x86_64__
#include <immintrin.h>

#define WITH_SHA __attribute__((target("sha,sse4.1")))

bool sha256_x86_is_there(void)
{
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sha");
}

/* Words 4 * i to 4 * i + 3 of the schedule take the place of those sixteen words before. */
static WITH_SHA __m128i schedule(__m128i words[4], unsigned i)
{
    __m128i last = words[(i + 3) % 4];
    __m128i sum = _mm_sha256msg1_epu32(words[i % 4], words[(i + 1) % 4]);
    sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, words[(i + 2) % 4], 4));
    return words[i % 4] = _mm_sha256msg2_epu32(sum, last);
}

static WITH_SHA void add_block(__m128i *abef, __m128i *cdgh, const unsigned char *block, const uint32_t constants[64])
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i words[4], first = *abef, second = *cdgh;
    for (unsigned i = 0; i < 16; i++) {
        if (i < 4) words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), big_endian);
        __m128i sum = i < 4 ? words[i] : schedule(words, i);
        sum = _mm_add_epi32(sum, _mm_loadu_si128((const __m128i *)(constants + 4 * i)));
        second = _mm_sha256rnds2_epu32(second, first, sum);
        first = _mm_sha256rnds2_epu32(first, second, _mm_shuffle_epi32(sum, 0x0e));
    }
    *abef = _mm_add_epi32(*abef, first);
    *cdgh = _mm_add_epi32(*cdgh, second);
}

WITH_SHA void sha256_x86_add(uint32_t state[8], const unsigned char *blocks, size_t count, const uint32_t constants[64])
{
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, efgh, 8), cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
    for (; count; count--, blocks += 64)
        add_block(&abef, &cdgh, blocks, constants);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sha256_x86_is_there(void)
{
    return false;
}

void sha256_x86_add(uint32_t state[8], const unsigned char *blocks, size_t count, const uint32_t constants[64])
{
    (void)state, (void)blocks, (void)count, (void)constants;
    abort(); /* a fault of ours: it was asked for where it is not there */
}

#endif
