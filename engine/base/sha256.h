/* sha256.h: SHA-256 (FIPS 180-4). Our own, because the command line and the pure core digest plans and must not pay
   for loading libcrypto at each start (docs/adr/0002-sha256.md). Nothing here is a secret, so timing does not matter. */
#ifndef CRESCENDO_BASE_SHA256_H
#define CRESCENDO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256 {
    uint32_t state[8];
    uint64_t size_bytes;
    unsigned char block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_finish(struct sha256 *hash, unsigned char ret_digest[SHA256_BYTES]);

void sha256_hex(const void *bytes, size_t size, char ret_hex[SHA256_HEX]); /* lower case, NUL-terminated */
void sha256_to_hex(const unsigned char digest[SHA256_BYTES], char ret_hex[SHA256_HEX]);

#endif
