/* arms.c: reads the file `arms`, which only ever grows. */
#include "orchestrator/telemetry/arms.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ARM_MAX = 1 << 20, FILE_MAX_BYTES = 64 * 1024 * 1024 };

void arms_release(struct arms *arms)
{
    for (size_t i = 0; i < arms->count; i++)
        free((char *)arms->items[i].service);
    free(arms->items);
    *arms = (struct arms){0};
}

static size_t place_of(const struct arms *arms, uint32_t number)
{
    size_t low = 0, high = arms->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (arms->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct telemetry_arm *arms_find(const struct arms *arms, uint32_t number)
{
    size_t place = place_of(arms, number);
    return place < arms->count && arms->items[place].number == number ? &arms->items[place] : NULL;
}

/* The next word of line: ended by a NUL that takes the space's place. "" when there is none. */
static char *next_word(char **line)
{
    char *word = *line, *space = strchr(word, ' ');
    *line = space ? space + 1 : word + strlen(word);
    if (space) *space = '\0';
    return word;
}

/* Takes line's memory when it is an arm. A number that is there already keeps its first meaning: records were written with it. */
static bool add_line(struct arms *arms, char **line)
{
    AUTO(free_text) char *copy = mem_copy_text(*line);
    char *rest = copy;
    int64_t number;
    const char *first = next_word(&rest);
    bool good = text_to_integer(first, &number) && number > 0 && number <= ARM_MAX;
    const char *service = next_word(&rest), *family = next_word(&rest), *version = next_word(&rest);
    if (!good || !*service || !*family || !*version || *rest || !text_is_utf8(*line, strlen(*line))) return false;
    size_t place = place_of(arms, (uint32_t)number);
    if (place < arms->count && arms->items[place].number == number) return true;
    arms->items = mem_grow(arms->items, &arms->capacity, arms->count + 1, sizeof *arms->items);
    memmove(&arms->items[place + 1], &arms->items[place], (arms->count - place) * sizeof *arms->items);
    memmove(copy, service, (size_t)(version + strlen(version) + 1 - service));
    size_t moved = (size_t)(service - copy);
    arms->items[place] =
        (struct telemetry_arm){.number = (uint32_t)number, .service = copy, .family = family - moved, .version = version - moved};
    arms->count++;
    copy = NULL;
    return true;
}

static int read_lines(struct arms *arms, char *bytes, size_t size, const char *path, struct error *err)
{
    for (char *line = bytes + arms->read, *end; (end = memchr(line, '\n', (size_t)(bytes + size - line))); line = end + 1) {
        *end = '\0';
        if (strlen(line) != (size_t)(end - line) || !add_line(arms, &line)) {
            error_set(
                err, ERROR_INVALID, NOWHERE, "%s is not as a keeper of this version writes it, at byte %lld", path, (long long)arms->read);
            return error_hint(err, "a line is NUMBER SERVICE FAMILY VERSION; move the folder away, and recording begins anew");
        }
        arms->read = end + 1 - bytes;
    }
    return 0;
}

int arms_refresh(struct arms *arms, const char *folder, struct error *err)
{
    AUTO(free_text) char *path = mem_format("%s/arms", folder);
    AUTO(free_text) char *bytes = NULL;
    struct stat status;
    size_t size = 0;
    if (stat(path, &status) < 0) {
        if (errno != ENOENT) return error_set_errno(err, errno, "looking at %s", path);
        status.st_size = 0;
    }
    if (status.st_size < arms->read) arms_release(arms); /* another recording has taken this one's place */
    if (status.st_size == arms->read) return 0;
    int failed = file_read(path, FILE_MAX_BYTES, &bytes, &size, err);
    if (failed || size < (size_t)arms->read) return failed;
    return read_lines(arms, bytes, size, path, err);
}
