/* fuzz_inflate.c: any bytes as what zlib packed: refused or unpacked, never beyond the limit; and a smaller limit gives the same bytes'
 * beginning. */
#include "trigger/hook/inflate.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT_BYTES = 64 * 1024, SMALL_BYTES = 100 };

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct text whole = {0}, part = {0};
    bool good = inflate_zlib(bytes, size, LIMIT_BYTES, &whole), begun = inflate_zlib(bytes, size, SMALL_BYTES, &part);
    if (whole.size > LIMIT_BYTES || part.size > SMALL_BYTES) abort();
    if (good && !begun) abort();
    if (good && memcmp(text_view(&whole), text_view(&part), part.size) != 0) abort();
    text_release(&whole);
    text_release(&part);
    return 0;
}
