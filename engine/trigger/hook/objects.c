/* objects.c: a loose object is a file, packed by zlib, of "TYPE SIZE", a NUL and the content (gitformat-loose); an object of a pack is
   found by the pack's index, version 2 (gitformat-pack). Files are looked at as they are, never trusted: every offset is checked. */
#include "trigger/hook/objects.h"

#include "base/mem.h"
#include "trigger/hook/inflate.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 32, ID_BYTES = 32, FAN_OUT = 256, INDEX_HEAD_BYTES = 8 + FAN_OUT * 4 };
static const char *const types[] = {NULL, "commit", "tree", "blob", "tag"};

/* A file in memory, for reading. */
struct view {
    const unsigned char *bytes;
    size_t size;
};

static bool view_open(struct view *view, const char *path)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode) || facts.st_size <= 0) return false;
    void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    *view = (struct view){bytes, (size_t)facts.st_size};
    return bytes != MAP_FAILED;
}

static void view_close(const struct view *view)
{
    munmap((void *)(uintptr_t)view->bytes, view->size);
}

static const char *type_named(const char *head)
{
    for (unsigned i = 1; i < sizeof types / sizeof *types; i++)
        if (text_starts(head, types[i]) && head[strlen(types[i])] == ' ') return types[i];
    return NULL;
}

static bool read_loose(const char *id, size_t keep, struct text *out, const char **ret_type)
{
    AUTO(free_text) char *path = mem_format("objects/%.2s/%s", id, id + 2);
    struct view file;
    struct text whole = {0};
    if (!view_open(&file, path)) return false;
    bool good = inflate_zlib(file.bytes, file.size, HEAD_BYTES + keep, &whole);
    view_close(&file);
    const char *end = good ? memchr(text_view(&whole), '\0', whole.size) : NULL;
    *ret_type = end ? type_named(whole.bytes) : NULL;
    if (*ret_type) {
        size_t size = whole.size - (size_t)(end + 1 - whole.bytes);
        text_add_bytes(out, end + 1, size < keep ? size : keep);
    }
    text_release(&whole);
    return *ret_type != NULL;
}

static uint32_t number_at(const struct view *view, size_t at)
{
    const unsigned char *bytes = view->bytes + at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* After the fan-out: the ids in order, their CRCs, their offsets, then the offsets that need more than 31 bits. */
static bool find_offset(const struct view *index, const unsigned char *id, size_t id_size, uint64_t *ret_offset)
{
    if (index->size < INDEX_HEAD_BYTES || memcmp(index->bytes, "\377tOc\0\0\0\2", 8) != 0) return false;
    uint64_t count = number_at(index, INDEX_HEAD_BYTES - 4);
    uint64_t low = id[0] ? number_at(index, 8 + (id[0] - 1U) * 4) : 0, high = number_at(index, 8 + id[0] * 4U);
    if (high > count || INDEX_HEAD_BYTES + count * (id_size + 8) > index->size) return false;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        int order = memcmp(id, index->bytes + INDEX_HEAD_BYTES + middle * id_size, id_size);
        if (order == 0) {
            *ret_offset = number_at(index, INDEX_HEAD_BYTES + count * (id_size + 4) + middle * 4);
            return *ret_offset < UINT32_C(0x80000000); /* a pack of 2 GiB is left to git */
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* Type and size in groups of seven bits, then the stream. A delta has another type. */
static bool read_packed(const struct view *pack, uint64_t at, size_t keep, struct text *out, const char **ret_type)
{
    if (at >= pack->size) return false;
    unsigned type = pack->bytes[at] >> 4 & 7, shift = 4;
    uint64_t size = pack->bytes[at] & 15;
    while (pack->bytes[at++] & 128) {
        if (at >= pack->size || shift > 56) return false;
        size |= (uint64_t)(pack->bytes[at] & 127) << shift;
        shift += 7;
    }
    if (type == 0 || type >= sizeof types / sizeof *types || at >= pack->size) return false;
    size_t start = out->size, wanted = size < keep ? (size_t)size : keep;
    *ret_type = types[type];
    if (inflate_zlib(pack->bytes + at, pack->size - at, wanted, out) && out->size - start == wanted) return true;
    out->size = start;
    return false;
}

static bool read_from_pack(
    const char *index_name, const unsigned char *id, size_t id_size, size_t keep, struct text *out, const char **ret_type)
{
    AUTO(free_text) char *index_path = mem_format("objects/pack/%s", index_name);
    AUTO(free_text) char *path = mem_format("objects/pack/%.*s.pack", (int)(strlen(index_name) - strlen(".idx")), index_name);
    struct view index, pack;
    uint64_t offset = 0;
    if (!view_open(&index, index_path)) return false;
    bool found = find_offset(&index, id, id_size, &offset);
    view_close(&index);
    if (!found || !view_open(&pack, path)) return false;
    found = read_packed(&pack, offset, keep, out, ret_type);
    view_close(&pack);
    return found;
}

static size_t bytes_of(const char *id, unsigned char bytes[ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = strlen(id) / 2;
    for (size_t i = 0; i < size && i < ID_BYTES; i++) {
        const char *high = strchr(digits, id[2 * i]), *low = strchr(digits, id[2 * i + 1]);
        if (!high || !low) return 0;
        bytes[i] = (unsigned char)((high - digits) << 4 | (low - digits));
    }
    return size;
}

static bool read_from_packs(const unsigned char *id, size_t id_size, size_t keep, struct text *out, const char **ret_type)
{
    DIR *folder = opendir("objects/pack");
    bool found = false;
    if (!folder) return false;
    for (const struct dirent *entry; !found && (entry = readdir(folder));)
        if (text_ends(entry->d_name, ".idx")) found = read_from_pack(entry->d_name, id, id_size, keep, out, ret_type);
    closedir(folder);
    return found;
}

bool object_read(const char *id, size_t keep, struct text *out, const char **ret_type)
{
    unsigned char bytes[ID_BYTES];
    size_t id_size = strlen(id) == 40 || strlen(id) == 64 ? bytes_of(id, bytes) : 0;
    if (!id_size || getenv("GIT_OBJECT_DIRECTORY")) return false;
    return read_loose(id, keep, out, ret_type) || read_from_packs(bytes, id_size, keep, out, ret_type);
}
