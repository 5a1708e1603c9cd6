/* encode.h: bytes as text and back: base64 (RFC 4648) and percent-encoding (RFC 3986). Uses only mem and text, because
   the static hook carries it. */
#ifndef CRESCENDO_BASE_ENCODE_H
#define CRESCENDO_BASE_ENCODE_H

#include "base/text.h"

/* Appends the standard alphabet's form, padded. */
void base64_encode(const void *bytes, size_t size, struct text *out);

/* Appends the bytes behind text (a NUL is kept behind them). Takes the standard and the URL alphabet, with or without padding;
   no white space. false: not base64, and *out is as it was. */
bool base64_decode(const char *text, size_t size, struct text *out);

/* Appends text with all but unreserved characters as %XX: the slash too, so that it fits in one part of a path. */
void percent_encode(const char *text, struct text *out);

/* Appends text with each %XX as its byte; a '+' stays one. false: a broken or %00 sequence, and *out is as it was. */
bool percent_decode(const char *text, struct text *out);

#endif
