/* heap.h: memory for a command that is about to need much of it. */
#ifndef CRESCENDO_CLI_HEAP_H
#define CRESCENDO_CLI_HEAP_H

#include <stddef.h>

/* The heap will grow by about that much: reserves it in one piece, in large pages where the kernel has some (MADV_HUGEPAGE), because the
   faults of small ones are a fifth of a large plan's time. Only what is used is taken. Changes nothing else; too little does nothing. */
void heap_expect(size_t bytes);

#endif
