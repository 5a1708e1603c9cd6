/* fuzz_pipeline.c: any bytes are a pipeline or diagnostics, never a crash; and diagnostics can always be shown.
   Build: clang -fsanitize=fuzzer,address (make fuzz). The input is one file that is also offered as pipelines/self.yaml. */
#include "base/mem.h"
#include "spec/diagnose.h"
#include "steps/registry.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = mem_copy_bytes((const char *)bytes, size);
    const struct source items[] = {{"crescendo.yaml", text, size}, {"pipelines/self.yaml", text, size}};
    const struct source_set sources = {items, 2};
    struct diagnostics list = {0};
    struct pipeline *pipeline = NULL;
    struct text shown = {0};
    int failed = pipeline_load(&sources, step_types_builtin, &list, &pipeline);
    if ((failed != 0) != (list.error_count != 0) || (failed != 0) != (pipeline == NULL)) abort();
    diagnose_text(&list, &sources, DIAGNOSE_COLOUR, &shown);
    json_decref(diagnose_json(&list));
    json_decref(diagnose_sarif(&list));
    if (pipeline) pipeline_wants_push(pipeline, "main", NULL);
    text_release(&shown);
    pipeline_free(&pipeline);
    diagnostics_release(&list);
    free(text);
    return 0;
}
