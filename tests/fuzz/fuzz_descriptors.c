/* fuzz_descriptors.c: any bytes are a service's descriptor, a domain, or diagnostics, never a crash; and what was read says the same again.
 */
#include "base/json.h"
#include "base/mem.h"
#include "spec/descriptor.h"
#include "spec/diagnose.h"
#include "spec/domain.h"
#include "spec/service.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int (*load)(const struct source *source, struct diagnostics *list, json_t **ret), const struct source *source)
{
    struct diagnostics list = {0};
    struct text shown = {0};
    json_t *value = NULL;
    int failed = load(source, &list, &value);
    if ((failed != 0) != (list.error_count != 0) || (failed != 0) != (value == NULL)) abort();
    diagnose_text(&list, &(struct source_set){source, 1}, DIAGNOSE_COLOUR, &shown);
    if (value) {
        AUTO(free_text) char *text = json_canonical(value);
        json_t *again = json_loads(text, 0, NULL);
        if (!again || !json_equal(value, again)) abort();
        json_decref(again);
    }
    json_decref(value);
    text_release(&shown);
    diagnostics_release(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = mem_copy_bytes((const char *)bytes, size);
    const struct source source = {"domains/a.yaml", text, size};
    (void)descriptor_kind(&source);
    check(service_load, &source);
    check(domain_load, &source);
    free(text);
    return 0;
}
