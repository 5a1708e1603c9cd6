/* json.h: the few things that we do with JSON again and again, over jansson. */
#ifndef CRESCENDO_BASE_JSON_H
#define CRESCENDO_BASE_JSON_H

#include "base/text.h"
#include "crescendo/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

void free_json(json_t **json); /* for AUTO(free_json) */

/* Members by name; the fallback where the member is missing or of another type. What is returned is borrowed. */
const char *json_text(const json_t *object, const char *key, const char *fallback);
int64_t json_whole(const json_t *object, const char *key, int64_t fallback);
bool json_flag(const json_t *object, const char *key, bool fallback);

/* Sets a member only when there is a value; the way to build objects without empty members. */
void json_put_text(json_t *object, const char *key, const char *text); /* NULL: nothing is set; bytes that are not UTF-8 become U+FFFD */
void json_put_whole(json_t *object, const char *key, int64_t value);
void json_put_flag(json_t *object, const char *key, bool value);
void json_put(json_t *object, const char *key, json_t *value); /* steals; NULL: nothing is set */

/* One line, keys sorted, no spaces: what is digested and stored. Never NULL. */
char *json_canonical(const json_t *json);
void json_add_canonical(struct text *out, const json_t *json);
/* Canonical text's SHA-256 in hex. */
void json_digest(const json_t *json, char ret_hex[65]);
/* Parts of one, for who writes it without a tree of values; json_add_text adds the quotes, and what is not UTF-8 becomes U+FFFD. */
void json_add_text(struct text *out, const char *text);
void json_add_whole(struct text *out, int64_t value);
/* Canonical text over many lines, indented by two spaces. */
void json_add_lines(struct text *out, const char *canonical);

/* Parses exactly one value. Duplicate keys are refused. source is for the message ("request body"). */
int json_parse(const char *bytes, size_t size, const char *source, json_t **ret_json, struct error *err) MUST_CHECK;
/* The same value as json_parse gives, sooner where the text is canonical: for what we stored ourselves. */
int json_parse_stored(const char *bytes, size_t size, const char *source, json_t **ret_json, struct error *err) MUST_CHECK;
/* NULL: the text is not canonical, or holds what this does not read (a number that is not whole, 64 levels). */
json_t *json_from_canonical(const char *bytes, size_t size);

#endif
