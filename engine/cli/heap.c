/* heap.c: the heap's growth in one piece and in large pages. glibc does the same where GLIBC_TUNABLES says so, which only who starts us
 * could. */
#include "cli/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE_PAGE_BYTES = 2 << 20, LEAST_BYTES = 2 * LARGE_PAGE_BYTES, MOST_BYTES = 256 << 20 };

/* Forcing: more than malloc has left. What is larger than the second does not come from the heap: the most that can be asked for. */
enum { FORCING_BYTES = 512 << 10, FROM_HEAP_BYTES = 32 << 20 };

void heap_expect(size_t bytes)
{
    if (bytes < LEAST_BYTES) return;
    int most = bytes < MOST_BYTES ? (int)bytes : MOST_BYTES;
    uintptr_t end = (uintptr_t)sbrk(0);
    mallopt(M_TOP_PAD, most);
    mallopt(M_TRIM_THRESHOLD, 2 * most);
    mallopt(M_MMAP_THRESHOLD, FROM_HEAP_BYTES);
    void *volatile forcing = malloc(FORCING_BYTES); /* volatile: an allocation that nobody uses may be left out */
    free(forcing);
    mallopt(M_TOP_PAD, FORCING_BYTES); /* what comes beyond comes in pieces, also where so much was not to be had at once */
    uintptr_t first = (end + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES, last = (uintptr_t)sbrk(0);
    if (first < last) (void)madvise((void *)first, last - first, MADV_HUGEPAGE); /* without, it only takes longer */
}
