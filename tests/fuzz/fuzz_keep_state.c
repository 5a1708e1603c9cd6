/* fuzz_keep_state.c: the file in which a domain's keeper remembers what it was told: refused with a message, or read, written and read
   again without a difference. */
#include "exec/shim/keep/keep.h"

#include <stdlib.h>
#include <string.h>

void shim_die(const char *what)
{
    (void)what;
    abort();
}

int64_t now_us(void)
{
    return 1;
}

int64_t wall_us(void)
{
    return 1;
}

static void forget(struct keep *keep)
{
    for (struct service *service = keep->services, *next; service; service = next) {
        next = service->next;
        service_free(service);
    }
    for (struct family *family = keep->families, *next; family; family = next) {
        next = family->next;
        family_free(family);
    }
    while (keep->key_count)
        key_drop_last(keep);
    free(keep->keys);
    free(keep->domain);
    free(keep->address);
    free(keep);
}

static int read_anew(const char *bytes, size_t size, struct text *ret, struct error *err)
{
    struct keep *keep = mem_alloc(sizeof *keep);
    int failed = state_read(keep, bytes, size, err);
    if (!failed) state_write(keep, ret);
    forget(keep);
    return failed;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    AUTO(text_release) struct text first = {0}, second = {0};
    struct error err = {0};
    int failed = read_anew((const char *)bytes, size, &first, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed) return 0;
    if (read_anew(first.bytes, first.size, &second, &err)) abort();
    if (first.size != second.size || memcmp(first.bytes, second.bytes, first.size) != 0) abort();
    return 0;
}
