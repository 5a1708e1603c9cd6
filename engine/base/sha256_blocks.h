/* sha256_blocks.h: the two ways in which SHA-256 takes blocks: plainly, and by the instructions that x86 processors have for it.
   Internal to sha256.c, and for its test. */
#ifndef CRESCENDO_BASE_SHA256_BLOCKS_H
#define CRESCENDO_BASE_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds `count` blocks of 64 bytes to the state of FIPS 180-4, section 6.2. */
void sha256_plainly(uint32_t state[8], const unsigned char *blocks, size_t count);

/* Does this processor have the instructions? */
bool sha256_x86_is_there(void);
/* The same, only where they are there. constants: those of 4.2.2. */
void sha256_x86_add(uint32_t state[8], const unsigned char *blocks, size_t count, const uint32_t constants[64]);

#endif
