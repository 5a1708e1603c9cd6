/* inflate.h: what zlib packed, unpacked (RFC 1950, RFC 1951): as much as git's objects need. Any bytes may come in. */
#ifndef CRESCENDO_TRIGGER_INFLATE_H
#define CRESCENDO_TRIGGER_INFLATE_H

#include "base/text.h"

/* Appends what the stream holds, at most limit bytes; what is beyond is not unpacked and not checked. false: no such stream, or its end or
   its sum is wrong. out may hold a part of it then. */
bool inflate_zlib(const unsigned char *bytes, size_t size, size_t limit, struct text *out);

#endif
