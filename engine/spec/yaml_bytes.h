/* yaml_bytes.h: what a file's bytes must be before a YAML parser sees them. */
#ifndef CRESCENDO_SPEC_YAML_BYTES_H
#define CRESCENDO_SPEC_YAML_BYTES_H

#include "spec/yaml.h"

/* Size, UTF-8, and no characters that hide something from a reader. Fills document->source, line_starts and line_count. A byte
   order mark is left out of the source that document->source then is. */
int yaml_check_bytes(const struct source *source, struct arena *arena, struct diagnostics *list, struct yaml_document *document) MUST_CHECK;

#endif
