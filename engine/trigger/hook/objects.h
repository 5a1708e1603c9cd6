/* objects.h: git's objects, read from where git keeps them: a git of its own would cost some milliseconds. What cannot be read so (a delta,
   a place that this does not know) is asked of git. */
#ifndef CRESCENDO_TRIGGER_OBJECTS_H
#define CRESCENDO_TRIGGER_OBJECTS_H

#include "base/text.h"

/* One object by its id (40 or 64 hexadecimal digits, lower case) in the folder objects of the current folder; its content up to keep bytes
   is appended to *out, and *ret_type is its type, a literal. false: it cannot be read here, which says nothing about whether git can. */
bool object_read(const char *id, size_t keep, struct text *out, const char **ret_type);

#endif
