/* fuzz_keep_line.c: a line to a domain's keeper: refused with a message, or words that mean the same when they are written again. */
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

static void write_again(const struct line *line, struct text *out)
{
    text_add(out, line->verb);
    for (size_t i = 0; i < line->count; i++)
        add_word(out, line->words[i].name, line->words[i].value);
}

static void check_same(const struct line *line)
{
    AUTO(text_release) struct text text = {0};
    struct line again = {0};
    write_again(line, &text);
    if (line_read(text.bytes, text.size, &again, NULL)) abort();
    if (again.count != line->count || line_hash(&again) != line_hash(line)) abort();
    line_release(&again);
}

static void start(const struct line *line)
{
    struct service *service = NULL;
    struct error err = {0};
    int failed = service_read(line, &service, &err);
    if ((failed < 0) != (err.message[0] != '\0') || (failed < 0) != !service) abort();
    if (service) service_free(service);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct line line = {0};
    struct error err = {0};
    int failed = line_read((const char *)bytes, size, &line, &err);
    if ((failed < 0) != (err.message[0] != '\0')) abort();
    if (failed) return 0;
    check_same(&line);
    start(&line);
    line_release(&line);
    return 0;
}
