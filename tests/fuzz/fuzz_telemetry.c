/* fuzz_telemetry.c: any bytes as a telemetry folder: refused with a message, or read to an end, each record once, however small the pieces
   and however few the index leaves; and what is read adds up. The input: two bytes of size and then so many of the index, one byte of size
   and then so many of `arms`, a byte that says how often the records are repeated (so that blocks are full), and the segment. */
#include "base/file.h"
#include "base/mem.h"
#include "orchestrator/telemetry/aggregates.h"
#include "orchestrator/telemetry/instant.h"
#include "orchestrator/telemetry/reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL_BUDGET = 300, REPEATS = 64 };

struct input {
    const unsigned char *bytes;
    size_t size;
};

struct total {
    uint64_t count, sum;
    struct telemetry_aggregates *aggregates;
};

static struct input take_part(struct input *input, size_t size_bytes)
{
    size_t size = 0;
    for (; size_bytes && input->size; size_bytes--, input->bytes++, input->size--)
        size = size * 256 + *input->bytes;
    struct input part = {input->bytes, size < input->size ? size : input->size};
    input->bytes += part.size;
    input->size -= part.size;
    return part;
}

static void write_file(const char *folder, const char *name, struct input first, struct input rest, size_t repeats)
{
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, first.bytes, first.size)) abort();
    for (size_t i = 0; i < repeats && rest.size; i++)
        if (file_write_all(fd, rest.bytes, rest.size)) abort();
}

static int count_record(void *context, const struct telemetry_record *record)
{
    struct total *total = context;
    total->count++;
    total->sum += (uint64_t)record->time_us + record->bytes;
    if (total->aggregates && telemetry_aggregates_add(total->aggregates, record, NULL) == 0) return 0;
    total->aggregates = NULL; /* too many arms: counted no more */
    return 0;
}

/* false: refused. */
static bool read_all(struct telemetry_reader *reader, const struct telemetry_filter *filter, size_t budget, struct total *total)
{
    struct telemetry_cursor cursor = {0};
    for (bool at_end = false; !at_end;) {
        struct error err = {0};
        if (telemetry_read(reader, filter, &cursor, budget, count_record, total, &at_end, &err)) {
            if (!err.message[0]) abort();
            return false;
        }
        char text[TELEMETRY_CURSOR_SIZE];
        struct telemetry_cursor again;
        if (!telemetry_cursor_parse(telemetry_cursor_format(cursor, text), &again)) abort();
        if (again.segment != cursor.segment || again.record != cursor.record) abort();
    }
    return true;
}

static void check(const char *folder, uint64_t whole_records)
{
    const struct telemetry_filter all = {.from_us = INT64_MIN, .to_us = INT64_MAX}, some = {.from_us = 0, .to_us = 1000};
    AUTO(telemetry_reader_free) struct telemetry_reader *reader = telemetry_reader_new(folder);
    AUTO(telemetry_aggregates_release) struct telemetry_aggregates sums = {0};
    struct total total = {.aggregates = &sums}, pieces = {0}, few = {0};
    struct error err = {0};
    if (telemetry_refresh(reader, &err)) {
        if (!err.message[0]) abort();
        return;
    }
    if (telemetry_aggregates_begin(&sums, 0, 1000, 100, &err)) abort();
    bool good = read_all(reader, &all, SIZE_MAX, &total);
    if (read_all(reader, &all, SMALL_BUDGET, &pieces) != good || !read_all(reader, &some, SMALL_BUDGET, &few) == good) abort();
    if (!good) return;
    if (total.count > whole_records || pieces.count != total.count || pieces.sum != total.sum || few.count > total.count) abort();
    uint64_t requests = sums.gaps.count;
    for (size_t i = 0; i < sums.series_count; i++)
        requests += sums.series[i].total->requests;
    if (total.aggregates && requests != total.count) abort();
    json_decref(telemetry_aggregates_json(&sums, reader, 0));
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    char folder[] = "/tmp/crescendo-fuzz-XXXXXX";
    struct input rest = {bytes, size};
    struct input index = take_part(&rest, 2), arms = take_part(&rest, 1);
    size_t repeats = rest.size ? *rest.bytes++ % REPEATS + 1 : 1;
    if (rest.size) rest.size--;
    struct input head = {rest.bytes, rest.size < TELEMETRY_HEADER_BYTES ? rest.size : TELEMETRY_HEADER_BYTES};
    struct input records = {rest.bytes + head.size, rest.size - head.size};
    if (!mkdtemp(folder)) abort();
    write_file(folder, "00000001.seg", head, records, repeats);
    write_file(folder, "00000001.idx", index, (struct input){0}, 0);
    write_file(folder, "arms", arms, (struct input){0}, 0);
    check(folder, records.size * repeats / sizeof(struct telemetry_record));
    AUTO(free_text) char *text = mem_copy_bytes((const char *)arms.bytes, arms.size);
    int64_t us;
    (void)instant_parse(text, &us);
    if (file_remove_tree(folder, NULL)) abort();
    return 0;
}
